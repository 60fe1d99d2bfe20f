#include "ops/softmax.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "ops/permute.h"
#include "tests/support/op_test.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

/// Softmax or its logarithm along `axis`, counted from the front.
Array softmax_reference(const Array& x, int axis, bool log) {
  Array y(x.shape), sums(x.shape), tops(x.shape);
  Shape reduced = x.shape;
  if (x.shape.rank() > 0) reduced[axis] = 1;
  sums = tops = Array(reduced);
  for (double& top : tops.values) top = -kInfinity;
  const auto place = [&](Dims i) {
    if (x.shape.rank() > 0) i[axis] = 0;
    return i;
  };
  for_each_index(x.shape, [&](const Dims& i) { tops.at(place(i)) = std::max(tops.at(place(i)), x.at(i)); });
  for_each_index(x.shape, [&](const Dims& i) { sums.at(place(i)) += std::exp(x.at(i) - tops.at(place(i))); });
  for_each_index(x.shape, [&](const Dims& i) {
    const double distance = x.at(i) - tops.at(place(i)), sum = sums.at(place(i));
    y.at(i) = log ? distance - std::log(sum) : std::exp(distance) / sum;
  });
  return y;
}

OpTest test_of(std::string name, bool log, Tensor (*run)(const Tensor&, int64_t)) {
  const auto sample = [=](std::string label, const Shape& shape, int64_t axis) {
    const int index = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
    return OpSample{std::move(label),
                    {{shape, -4, 4}},
                    [=](Inputs in) { return Tensors{run(in[0], axis)}; },
                    [=](const Arrays& in) { return Arrays{softmax_reference(in[0], index, log)}; }};
  };
  /// The same of x with its axes in another order: dense, but not row-major.
  const auto permuted = [=](std::string label, const Shape& shape, const Dims& order, int axis) {
    return OpSample{std::move(label),
                    {{shape, -4, 4}},
                    [=](Inputs in) { return Tensors{run(permute(in[0], order), axis)}; },
                    [=](const Arrays& in) {
                      Shape seen;
                      for (const int64_t from : order) seen.push_back(shape[static_cast<int>(from)]);
                      Array x(seen);
                      for_each_index(seen, [&](const Dims& i) {
                        Dims from = i;
                        for (int k = 0; k < i.rank(); ++k) from[static_cast<int>(order[k])] = i[k];
                        x.at(i) = in[0].at(from);
                      });
                      return Arrays{softmax_reference(x, axis, log)};
                    }};
  };
  return {
      .name = name,
      .covers = {name + "_backward"},
      .samples =
          {
              sample("last axis", {3, 5}, -1),
              sample("longer than vectors", {2, 83}, 1),
              sample("first axis, few neighbours", {6, 3}, 0),
              sample("first axis, many neighbours", {5, 70}, 0),
              sample("an axis between, few neighbours", {2, 4, 3}, 1),
              sample("an axis between, neighbours fill vectors", {2, 4, 21}, -2),
              permuted("channels-last, channels", {2, 3, 4, 5}, {0, 3, 1, 2}, 1),
              permuted("channels-last, rows", {2, 3, 4, 5}, {0, 3, 1, 2}, 2),
              sample("one element", {4, 1}, 1),
              sample("scalar", {}, 0),
              sample("no vectors", {0, 3}, 1),
              sample("vectors without elements", {3, 0}, 1),
          },
      .errors =
          {
              {"an axis that is not there", [=] { run(zeros({2, 3}), 2); }, "ShapeError", {name, "axis 2"}},
              {"an integer type",
               [=] { run(zeros({2}, Dtype::i32), 0); },
               "TypeError",
               {name, "i32[2]", "f32"}},
              {"no tensor", [=] { run(Tensor(), 0); }, "ValueError", {name, "undefined"}},
          },
      .benchmarks = {sample("128 x 10", {128, 10}, 1), sample("512 x 1000", {512, 1000}, 1),
                     sample("96 x 256 x 256", {96, 256, 256}, -1), sample("64 x 32000", {64, 32000}, 1),
                     sample("16 x 64 x 32 x 32, channels", {16, 64, 32, 32}, 1),
                     sample("1000 x 512, first axis", {1000, 512}, 0)},
  };
}

}  // namespace

OpTest softmax_test() {
  return test_of("softmax", false, softmax);
}

OpTest log_softmax_test() {
  return test_of("log_softmax", true, log_softmax);
}

namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsNan;

TEST(Softmax, HoldsAtTheEndsOfTheRange) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> rows = {1e30F, -1e30F, 1e30F, -infinity, 3, -infinity};
  const auto expect = [&](const Tensor& x, int64_t axis) {
    const std::vector<float> y = softmax(x, axis).to_vector<float>();
    EXPECT_THAT(y, testing::UnorderedElementsAre(0.5F, 0, 0.5F, 0, 1, 0));
    EXPECT_THAT(log_softmax(x, axis).to_vector<float>(),
                testing::UnorderedElementsAre(testing::FloatEq(std::log(0.5F)), -2e30F,
                                              testing::FloatEq(std::log(0.5F)), -infinity, 0, -infinity));
  };
  expect(from_values(rows, {2, 3}), 1);
  expect(transpose(from_values(rows, {2, 3}), 0, 1), 0);
  // The logarithm of a probability that rounds to 0.
  EXPECT_THAT(log_softmax(from_values<float>({0, -200}, {2}), 0).to_vector<float>(), ElementsAre(0, -200));
}

TEST(Softmax, IsNanWherePyTorchsIs) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (const float odd : {infinity, nan}) {
    for (const int64_t place : {0, 17, 99}) {  // in whole vectors and in the last one
      Tensor x = zeros({100, 20});
      x.mutable_data<float>()[place * 20 + 3] = odd;
      const Tensor column = softmax(x, 0), row = softmax(transpose(x, 0, 1), 1);
      EXPECT_THAT(log_softmax(x, 0).to_vector<float>()[3], IsNan());
      for (int64_t i = 0; i < 100; ++i) {
        EXPECT_THAT(column.to_vector<float>()[static_cast<size_t>(i * 20 + 3)], IsNan());
        EXPECT_THAT(column.to_vector<float>()[static_cast<size_t>(i * 20 + 4)], 0.01F);
        EXPECT_THAT(row.to_vector<float>()[static_cast<size_t>(300 + i)], IsNan());
      }
    }
  }
  EXPECT_THAT(softmax(full({1, 40}, -infinity), 1).to_vector<float>(), Each(IsNan()));
  EXPECT_THAT(log_softmax(full({40, 9}, -infinity), 0).to_vector<float>(), Each(IsNan()));
}

TEST(Softmax, AddsLongVectorsOfNarrowTypesInF32) {
  // 2^20 equal elements of a narrow type: f16 could not even count them.
  const Tensor y = log_softmax(zeros({1 << 20}, Dtype::f16), 0);
  EXPECT_EQ(static_cast<float>(y.to_vector<float16>()[5]), static_cast<float>(float16(-20 * std::log(2.0F))));
  EXPECT_EQ(softmax(zeros({1 << 20}), 0).to_vector<float>()[7], 0x1p-20F);
}

TEST(Softmax, KeepsTheLayoutAndTheBits) {
  const Tensor x = permute(ones({2, 5, 6, 40}), {0, 3, 1, 2});
  EXPECT_EQ(to_string(softmax(x, 1).strides()), to_string(x.strides()));
  Tensor wide = empty({300, 130});
  for (int64_t i = 0; i < wide.numel(); ++i) wide.mutable_data<float>()[i] = std::sin(static_cast<float>(i));
  for (const int64_t axis : {0, 1}) {
    const std::vector<float> expected = [&] {
      const ThreadCountGuard one(1);
      return softmax(wide, axis).to_vector<float>();
    }();
    const ThreadCountGuard three(3);
    EXPECT_EQ(softmax(wide, axis).to_vector<float>(), expected);
  }
}

}  // namespace
}  // namespace espalier::test
