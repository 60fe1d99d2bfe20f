#include "ops/one_hot.h"

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample one_hot_sample(std::string label, const Shape& shape, int64_t classes, Dtype dtype) {
  return {std::move(label),
          {{shape, 0, static_cast<double>(classes)}},
          [=](Inputs in) { return Tensors{one_hot(in[0], classes, dtype)}; },
          [=](const Arrays& in) {
            Shape rows = shape;
            rows.push_back(classes);
            Array result(rows);
            for (int64_t i = 0; i < count(shape); ++i)
              result[i * classes + static_cast<int64_t>(in[0][i])] = 1;
            return Arrays{result};
          }};
}

}  // namespace

OpTest one_hot_test() {
  return {
      .name = "one_hot",
      .samples =
          {
              one_hot_sample("vector", {5}, 3, Dtype::f32),
              one_hot_sample("matrix of bool", {2, 3}, 4, Dtype::boolean),
              one_hot_sample("one index in f16", {}, 6, Dtype::f16),
              one_hot_sample("nothing", {0}, 3, Dtype::i64),
          },
      .errors =
          {
              {"index too large",
               [] { one_hot(from_values<int64_t>({0, 5}, {2}), 5); },
               "ValueError",
               {"one_hot", "class index 5", "position [1]", "[0, 5)"}},
              {"negative number of classes",
               [] { one_hot(from_values<int64_t>({0, 5}, {2}), -1); },
               "ShapeError",
               {"one_hot", "-1"}},
              {"indices that are floating",
               [] { one_hot(zeros({2}), 5); },
               "TypeError",
               {"one_hot", "f32[2]"}},
              {"no indices", [] { one_hot(Tensor(), 5); }, "ValueError", {"one_hot", "undefined"}},
          },
      .dtypes = {Dtype::i64, Dtype::i32},
      .differentiable = false,
      .twice_differentiable = false,
  };
}

}  // namespace espalier::test
