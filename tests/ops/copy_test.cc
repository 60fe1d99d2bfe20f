#include "ops/copy.h"

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "ops/cast.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/sum.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample copy_sample(std::string label, const Shape& shape, Tensor (*run)(const Tensor&)) {
  return {std::move(label),
          {{shape}},
          [run](Inputs in) { return Tensors{run(in[0])}; },
          [](const Arrays& in) { return in; }};
}

}  // namespace

OpTest copy_test() {
  return {
      .name = "copy",
      .samples = {copy_sample("a matrix", {3, 5}, copy), copy_sample("a scalar", {}, copy),
                  copy_sample("empty", {0, 3}, copy), copy_sample("to row-major", {2, 3, 4}, contiguous),
                  copy_sample("to channels-last", {2, 3, 4, 5}, channels_last),
                  copy_sample("empty to channels-last", {0, 3, 4, 5}, channels_last)},
      .errors =
          {
              {"channels-last without the axes of images",
               [] { channels_last(zeros({2, 3, 4})); },
               "ShapeError",
               {"channels_last", "f32[2, 3, 4]", "N, C, H, W"}},
              {"no tensor", [] { copy(Tensor()); }, "ValueError", {"copy", "undefined"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
  };
}

OpTest copy_into_test() {
  const auto into = [](std::string label, const Shape& target, const InputSpec& source) {
    return OpSample{std::move(label),
                    {{target, -2, 2, {}, false}, source},
                    [](Inputs in) { return Tensors{copy_(in[0], in[1])}; },
                    [target](const Arrays& in) {
                      Array result(target);
                      for_each_index(
                          target, [&](const Dims& index) { result.at(index) = broadcast_at(in[1], index); });
                      return Arrays{result};
                    }};
  };
  return {
      .name = "copy_",
      .samples = {into("one shape", {3, 5}, {{3, 5}}), into("a row", {3, 5}, {{5}}),
                  into("a scalar", {3, 5}, {{}}), into("another type", {3, 5}, {{3, 5}, 0, 2, Dtype::u8}),
                  into("empty", {0, 3}, {{0, 3}})},
      .errors =
          {
              {"shapes that do not broadcast",
               [] { copy_(zeros({2, 3}), zeros({4})); },
               "ShapeError",
               {"[2, 3]", "[4]"}},
              {"a target that wants a gradient",
               [] { copy_(requires_grad_(zeros({2})), zeros({2})); },
               "GradientError",
               {"copy_", "f32[2]", "NoGrad"}},
              {"no target", [] { copy_(Tensor(), zeros({2})); }, "ValueError", {"undefined"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
      .differentiable = false,
      .twice_differentiable = false,
  };
}

namespace {

/// 0, 1, ..., 100, 0, 1, ..., which every type holds.
Tensor remainder_of_index(int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 101);
  return from_values(values, {n});
}

TEST(Copy, KeepsADenseLayout) {
  const Tensor x = channels_last(zeros({2, 3, 4, 5}));
  EXPECT_TRUE(copy(x).strides() == x.strides());
  EXPECT_NE(copy(x).raw_data(), x.raw_data());
  EXPECT_TRUE(contiguous(x).is_contiguous());
  EXPECT_EQ(channels_last(x).raw_data(), x.raw_data());
}

/// Whether `turned`, [columns, rows], is the transpose of x.
void expect_transposed(const Tensor& turned, const Tensor& x) {
  const int64_t rows = x.size(0), columns = x.size(1);
  ASSERT_EQ(turned.shape(), Shape({columns, rows}));
  const std::vector<double> was = cast(x, Dtype::f64).to_vector<double>(),
                            is = cast(turned, Dtype::f64).to_vector<double>();
  for (int64_t i = 0; i < rows * columns; ++i) {
    ASSERT_EQ(is[static_cast<size_t>(i % columns * rows + i / columns)], was[static_cast<size_t>(i)])
        << rows << " x " << columns << " at " << i;
  }
}

// Sizes around those of the blocks in which planes are transposed, which are 64 bytes high and 64 elements
// wide; few lines, which are interleaved; and 512, where rows lie half a page apart.
TEST(Copy, TransposesPlanesOfAnySize) {
  for (const Dtype dtype : {Dtype::i8, Dtype::i16, Dtype::f32, Dtype::i64}) {
    for (const int64_t rows : {1, 2, 3, 4, 7, 16, 65, 130, 512}) {
      for (const int64_t columns : {1, 2, 3, 4, 8, 17, 63, 64, 129, 512}) {
        const Tensor x = cast(reshape(remainder_of_index(rows * columns), {rows, columns}), dtype);
        expect_transposed(contiguous(transpose(x, 0, 1)), x);
      }
    }
  }
}

TEST(Copy, TransposesPartsOfPlanes) {
  for (const int64_t rows : {2, 3, 4, 16, 65}) {
    for (const int64_t columns : {2, 3, 4, 64, 129}) {
      const Tensor whole = reshape(remainder_of_index((rows + 2) * (columns + 1)), {rows + 2, columns + 1});
      const Tensor x = slice(whole, {{1, rows + 1}, {1, kEnd}});
      const Tensor target = full({columns + 1, rows + 2}, -1);
      copy_(slice(target, {{1, kEnd}, {1, rows + 1}}), transpose(x, 0, 1));
      expect_transposed(slice(target, {{1, kEnd}, {1, rows + 1}}), x);
      // What lies around the part stays.
      EXPECT_EQ(sum(target).item(), sum(x).item() - static_cast<double>(rows + 2 + 2 * columns));
    }
  }
}

}  // namespace
}  // namespace espalier::test
