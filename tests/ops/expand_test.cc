#include "ops/expand.h"

#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample sample(const Shape& from, const Shape& to, const Shape& asked) {
  return {to_string(from) + " to " + to_string(asked),
          {{from}},
          [asked](Inputs in) { return Tensors{expand(in[0], asked)}; },
          [to](const Arrays& in) {
            Array result(to);
            for_each_index(to, [&](const Dims& index) { result.at(index) = broadcast_at(in[0], index); });
            return Arrays{result};
          }};
}

}  // namespace

OpTest expand_test() {
  return {
      .name = "expand",
      .samples = {sample({3}, {2, 3}, {2, 3}), sample({3, 1}, {3, 4}, {-1, 4}), sample({}, {2, 2}, {2, 2}),
                  sample({1, 2, 1}, {4, 3, 2, 5}, {4, 3, 2, 5}), sample({1, 3}, {0, 3}, {0, 3}),
                  sample({0, 3}, {2, 0, 3}, {2, 0, 3}), sample({2, 3}, {2, 3}, {2, 3})},
      .errors =
          {
              {"a size that is not 1",
               [] { expand(zeros({2, 3}), {2, 6}); },
               "ShapeError",
               {"expand", "f32[2, 3]", "[2, 6]"}},
              {"fewer axes",
               [] { expand(zeros({2, 3}), {3}); },
               "ShapeError",
               {"expand", "f32[2, 3]", "[3]"}},
              {"a new axis left open",
               [] { expand(zeros({3}), {-1, 3}); },
               "ShapeError",
               {"expand", "[-1, 3]"}},
              {"more elements than 64 bits count",
               [] { expand(zeros({1, 1}), {int64_t{1} << 40, int64_t{1} << 40}); },
               "ShapeError",
               {"expand"}},
              {"no tensor", [] { expand(Tensor(), {1}); }, "ValueError", {"undefined"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
  };
}

namespace {

TEST(Expand, CopiesNothing) {
  const Tensor x = zeros({3, 1});
  const Tensor wide = expand(x, {5, 3, 4});
  EXPECT_EQ(wide.raw_data(), x.raw_data());
  EXPECT_TRUE(wide.strides() == (Strides{0, 1, 0}));
}

}  // namespace
}  // namespace espalier::test
