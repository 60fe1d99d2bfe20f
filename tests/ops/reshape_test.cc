#include "ops/reshape.h"

#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// The elements in row-major order under another shape.
OpSample reshape_sample(std::string label, const Shape& from, const Shape& to,
                        const std::function<Tensor(const Tensor&)>& run) {
  return {std::move(label),
          {{from}},
          [run](Inputs in) { return Tensors{run(in[0])}; },
          [to](const Arrays& in) {
            Array result(to);
            result.values = in[0].values;
            return Arrays{result};
          }};
}

OpSample to_shape(const Shape& from, const Shape& to, const Shape& asked) {
  return reshape_sample(to_string(from) + " to " + to_string(asked), from, to,
                        [asked](const Tensor& x) { return reshape(x, asked); });
}

}  // namespace

OpTest reshape_test() {
  return {
      .name = "reshape",
      .samples =
          {
              to_shape({2, 6}, {3, 4}, {3, 4}),
              to_shape({2, 3, 4}, {6, 4}, {-1, 4}),
              to_shape({4, 6}, {4, 2, 3}, {4, 2, -1}),
              to_shape({1, 3, 1}, {3}, {3}),
              to_shape({1}, {}, {}),
              to_shape({}, {1, 1}, {1, 1}),
              to_shape({0, 3}, {2, 0}, {2, 0}),
              reshape_sample("flattened", {2, 3, 4}, {2, 12}, [](const Tensor& x) { return flatten(x, 1); }),
              reshape_sample("a scalar flattened", {}, {1}, [](const Tensor& x) { return flatten(x); }),
              reshape_sample("unflattened", {2, 12}, {2, 3, 4},
                             [](const Tensor& x) { return unflatten(x, 1, {3, 4}); }),
              reshape_sample("unflattened, one size open", {6, 2}, {3, 2, 2},
                             [](const Tensor& x) { return unflatten(x, -2, {-1, 2}); }),
              reshape_sample("nothing unflattened", {0, 2}, {3, 0, 2},
                             [](const Tensor& x) { return unflatten(x, 0, {3, -1}); }),
              reshape_sample("an alias", {2, 3}, {2, 3}, alias),
          },
      .errors =
          {
              {"another number of elements",
               [] { reshape(zeros({2, 3}), {4, 2}); },
               "ShapeError",
               {"reshape", "f32[2, 3]", "[4, 2]"}},
              {"unflattened into another number",
               [] { unflatten(zeros({2, 6}), 1, {4, 2}); },
               "ShapeError",
               {"unflatten", "axis 1", "f32[2, 6]", "[4, 2]"}},
              {"unflattened, no size fits",
               [] { unflatten(zeros({6}), 0, {4, -1}); },
               "ShapeError",
               {"unflatten", "[4, -1]"}},
              {"unflattened into nothing", [] { unflatten(zeros({1}), 0, {}); }, "ShapeError", {"unflatten"}},
              {"unflattened along no axis",
               [] { unflatten(zeros({2}), 1, {2}); },
               "ShapeError",
               {"unflatten", "axis 1"}},
              {"no size fits", [] { reshape(zeros({2, 3}), {4, -1}); }, "ShapeError", {"reshape", "[4, -1]"}},
              {"two sizes left open",
               [] { reshape(zeros({2, 3}), {-1, -1}); },
               "ShapeError",
               {"reshape", "[-1, -1]"}},
              {"a size left open beside none",
               [] { reshape(zeros({0, 3}), {0, -1}); },
               "ShapeError",
               {"reshape", "[0, -1]"}},
              {"a product beyond 64 bits",
               [] { reshape(zeros({2}), {int64_t{1} << 40, int64_t{1} << 40}); },
               "ShapeError",
               {"reshape"}},
              {"a view that the layout does not allow",
               [] { apply_one(Reshape({6}), zeros({2, 3}).with_layout({3, 2}, {1, 3}, 0)); },
               "ShapeError",
               {"reshape", "f32[3, 2]", "[1, 3]", "contiguous"}},
              {"axes the wrong way round",
               [] { flatten(zeros({2, 3}), 1, 0); },
               "ShapeError",
               {"flatten", "1", "0"}},
              {"no tensor", [] { reshape(Tensor(), {1}); }, "ValueError", {"undefined"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
  };
}

namespace {

TEST(Reshape, IsAViewWhereTheLayoutAllowsOne) {
  const Tensor x = zeros({4, 6});
  EXPECT_EQ(reshape(x, {2, 12}).raw_data(), x.raw_data());
  const Tensor columns = x.with_layout({6, 4}, {1, 6}, 0);
  EXPECT_EQ(reshape(columns, {2, 3, 4}).raw_data(), x.raw_data());
  EXPECT_NE(reshape(columns, {24}).raw_data(), x.raw_data());
}

}  // namespace
}  // namespace espalier::test
