#include "ops/permute.h"

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample permute_sample(std::string label, const Shape& shape, const Dims& axes, const Dims& positive) {
  return {std::move(label),
          {{shape}},
          [axes](Inputs in) { return Tensors{permute(in[0], axes)}; },
          [positive](const Arrays& in) {
            Shape permuted;
            for (int64_t axis : positive) permuted.push_back(in[0].shape[static_cast<int>(axis)]);
            Array result(permuted);
            for_each_index(in[0].shape, [&](const Dims& index) {
              Dims to;
              for (int64_t axis : positive) to.push_back(index[static_cast<int>(axis)]);
              result.at(to) = in[0].at(index);
            });
            return Arrays{result};
          }};
}

OpSample permute_sample(std::string label, const Shape& shape, const Dims& axes) {
  return permute_sample(std::move(label), shape, axes, axes);
}

}  // namespace

OpTest permute_test() {
  OpSample transposed = permute_sample("transpose", {2, 3, 4}, {2, 1, 0});
  transposed.run = [](Inputs in) { return Tensors{transpose(in[0], 0, -1)}; };
  return {
      .name = "permute",
      .samples =
          {
              permute_sample("a cycle", {2, 3, 4}, {1, 2, 0}),
              permute_sample("negative axes", {2, 3, 4, 5}, {-1, 0, -2, 1}, {3, 0, 2, 1}),
              transposed,
              permute_sample("scalar", {}, {}),
              permute_sample("empty", {2, 0, 3}, {2, 0, 1}),
          },
      .errors =
          {
              {"too few axes",
               [] { permute(zeros({2, 3}), {0}); },
               "ShapeError",
               {"permute", "[0]", "f32[2, 3]"}},
              {"an axis twice",
               [] { permute(zeros({2, 3}), {1, -1}); },
               "ShapeError",
               {"permute", "[1, -1]", "f32[2, 3]"}},
              {"an axis out of range",
               [] { permute(zeros({2, 3}), {0, 2}); },
               "ShapeError",
               {"permute", "[0, 2]", "f32[2, 3]"}},
              {"transpose out of range",
               [] { transpose(zeros({2, 3}), 0, 2); },
               "ShapeError",
               {"transpose", "axis 2", "2 axes"}},
              {"undefined", [] { permute(Tensor(), {}); }, "ValueError", {"permute", "undefined"}},
          },
      .dtypes = kStoredTypes,
  };
}

}  // namespace espalier::test
