#include "ops/gather.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/parallel.h"
#include "ops/expand.h"
#include "ops/random.h"
#include "ops/reshape.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;

InputSpec index(const Shape& shape, int64_t size, Dtype dtype = Dtype::i64) {
  return {shape, 0, static_cast<double>(size), dtype, false};
}

/// Where the index sends each of its places, in the order of the axis.
void for_each_target(const Array& at, int axis, const std::function<void(const Dims&, const Dims&)>& f) {
  for_each_index(at.shape, [&](const Dims& place) {
    Dims target = place;
    target[axis] = static_cast<int64_t>(at.at(place));
    f(place, target);
  });
}

/// One use of each of the three, on a table of shape `x`.
using Maker = OpSample (*)(std::string, const Shape&, int64_t, InputSpec);

OpSample gather_sample(std::string label, const Shape& x, int64_t axis, InputSpec at) {
  const int along = normalize_axis(axis, x.rank(), "test");
  return {std::move(label),
          {{x}, at},
          [axis](Inputs in) { return Tensors{gather(in[0], axis, in[1])}; },
          [along](const Arrays& in) {
            Array result(in[1].shape);
            for_each_target(in[1], along,
                            [&](const Dims& to, const Dims& from) { result.at(to) = in[0].at(from); });
            return Arrays{result};
          }};
}

OpSample scatter_sample(std::string label, const Shape& x, int64_t axis, InputSpec at) {
  const int along = normalize_axis(axis, x.rank(), "test");
  const Shape source = at.shape;
  return {std::move(label),
          {{x}, at, {source}},
          [axis](Inputs in) { return Tensors{scatter(in[0], axis, in[1], in[2])}; },
          [along](const Arrays& in) {
            Array result = in[0];
            for_each_target(in[1], along,
                            [&](const Dims& from, const Dims& to) { result.at(to) = in[2].at(from); });
            return Arrays{result};
          }};
}

OpSample scatter_add_sample(std::string label, const Shape& x, int64_t axis, InputSpec at) {
  OpSample made = scatter_sample(std::move(label), x, axis, at);
  const int along = normalize_axis(axis, x.rank(), "test");
  made.run = [axis](Inputs in) { return Tensors{scatter_add(in[0], axis, in[1], in[2])}; };
  made.reference = [along](const Arrays& in) {
    Array result = in[0];
    for_each_target(in[1], along, [&](const Dims& from, const Dims& to) { result.at(to) += in[2].at(from); });
    return Arrays{result};
  };
  return made;
}

/// Ways through the loop: lanes inside and outside the indexed axis, several outer axes, one only, partial
/// tables, duplicates.
std::vector<OpSample> gather_samples(Maker make) {
  return {
      make("columns", {3, 5}, 1, index({3, 4}, 5)),
      make("rows", {5, 3}, 0, index({7, 3}, 5)),
      make("in the middle", {2, 4, 3}, -2, index({2, 5, 3}, 4)),
      make("part of the other axes", {4, 5, 6}, 1, index({2, 3, 4}, 5)),
      make("one axis", {6}, 0, index({9}, 6)),
      make("i32", {4, 2}, 0, index({3, 2}, 4, Dtype::i32)),
      make("one element", {1, 1}, 0, index({1, 1}, 1)),
      make("no indices", {4, 3}, 0, index({0, 3}, 4)),
      make("no elements, no indices", {0, 3}, 0, index({0, 3}, 0)),
  };
}

std::vector<OpError> gather_errors(const std::string& name,
                                   const std::function<void(const Tensor&, int64_t, const Tensor&)>& run) {
  const auto wrong = [&](std::string label, const Shape& x, int64_t axis, const Tensor& at, std::string kind,
                         std::vector<std::string> mentions) {
    mentions.push_back(name);
    return OpError{std::move(label), [=] { run(zeros(x), axis, at); }, std::move(kind), std::move(mentions)};
  };
  return {
      wrong("index too large", {2, 3}, 1, from_values<int64_t>({0, 2, 3, 9}, {2, 2}), "ValueError",
            {"index 3", "position [1, 0]", "i64[2, 2]", "[0, 3)", "axis 1"}),
      wrong("negative index", {2, 3}, 0, from_values<int32_t>({0, -1}, {1, 2}), "ValueError",
            {"index -1", "position [0, 1]", "i32[1, 2]"}),
      wrong("nothing to pick from", {0, 2}, 0, from_values<int64_t>({0, 0}, {1, 2}), "ValueError",
            {"index 0", "[0, 0)"}),
      wrong("other rank", {2, 3}, 0, zeros({2}, Dtype::i64), "ShapeError", {"f32[2, 3]", "i64[2]", "axis 0"}),
      wrong("longer index", {2, 3}, 0, zeros({2, 4}, Dtype::i64), "ShapeError", {"f32[2, 3]", "i64[2, 4]"}),
      wrong("an axis out of range", {2, 3}, 2, zeros({2, 3}, Dtype::i64), "ShapeError", {"axis 2"}),
      wrong("scalar", {}, 0, zeros({}, Dtype::i64), "ShapeError", {"axis 0"}),
      wrong("floating index", {2}, 0, zeros({2}), "TypeError", {"f32[2]", "i32 or i64"}),
      wrong("undefined", {2}, 0, Tensor(), "ValueError", {"undefined"}),
  };
}

std::vector<OpError> errors_with_source(const std::string& name,
                                        Tensor (*run)(const Tensor&, int64_t, const Tensor&, const Tensor&)) {
  std::vector<OpError> all = gather_errors(name, [run](const Tensor& x, int64_t axis, const Tensor& at) {
    run(x, axis, at, at.defined() ? zeros(at.shape()) : at);
  });
  const Tensor at = zeros({2}, Dtype::i64);
  all.push_back({"source of another shape",
                 [=] { run(zeros({4}), 0, at, zeros({3})); },
                 "ShapeError",
                 {name, "f32[4], i64[2], f32[3]"}});
  all.push_back({"source of another type",
                 [=] { run(zeros({4}), 0, at, zeros({2}, Dtype::f64)); },
                 "TypeError",
                 {name, "f32[4], i64[2], f64[2]"}});
  return all;
}

}  // namespace

OpTest gather_test() {
  return {
      .name = "gather",
      .samples = gather_samples(gather_sample),
      .errors = gather_errors("gather",
                              [](const Tensor& x, int64_t axis, const Tensor& at) { gather(x, axis, at); }),
      .dtypes = kEveryType,
      .benchmarks = {gather_sample("1M, columns", {1024, 1024}, 1, index({1024, 1024}, 1024)),
                     gather_sample("1M, rows", {1024, 1024}, 0, index({1024, 1024}, 1024)),
                     gather_sample("labels", {1024, 1000}, 1, index({1024, 1}, 1000))},
  };
}

OpTest scatter_test() {
  std::vector<OpError> wrong = errors_with_source("scatter", scatter);
  wrong.push_back({"a value that the type cannot hold",
                   [] { scatter(zeros({2}, Dtype::u8), 0, zeros({2}, Dtype::i64), 256); },
                   "ValueError",
                   {"256", "u8"}});
  return {
      .name = "scatter",
      .samples = gather_samples(scatter_sample),
      .errors = wrong,
      .dtypes = kEveryType,
      .benchmarks = {scatter_sample("1M, columns", {1024, 1024}, 1, index({1024, 1024}, 1024))},
  };
}

OpTest scatter_add_test() {
  return {
      .name = "scatter_add",
      .samples = gather_samples(scatter_add_sample),
      .errors = errors_with_source("scatter_add", scatter_add),
      .dtypes = kAllTypes,
      .benchmarks = {scatter_add_sample("1M, columns", {1024, 1024}, 1, index({1024, 1024}, 1024)),
                     scatter_add_sample("1M, rows", {1024, 1024}, 0, index({1024, 1024}, 1024)),
                     scatter_add_sample("histogram", {256}, 0, index({1 << 20}, 256))},
  };
}

namespace {

TEST(Scatter, PutsOneNumberEverywhere) {
  const Tensor x = zeros({3}, Dtype::i32);
  EXPECT_THAT(scatter(x, 0, from_values<int64_t>({2, 0}, {2}), 7).to_vector<int32_t>(), ElementsAre(7, 0, 7));
  EXPECT_THAT(x.to_vector<int32_t>(), ElementsAre(0, 0, 0));
}

TEST(Scatter, OnlyWhatStayedGetsAGradient) {
  const Tensor source = requires_grad_(from_values<float>({1, 2, 3, 4}, {4}));
  const Tensor x = requires_grad_(zeros({3}));
  const Tensor out = scatter(x, 0, from_values<int64_t>({1, 2, 1, 2}, {4}), source);
  EXPECT_THAT(out.to_vector<float>(), ElementsAre(0, 3, 4));
  // An infinite gradient must not become NaN where nothing flows.
  const float infinite = std::numeric_limits<float>::infinity();
  backward(out, from_values<float>({5, infinite, 7}, {3}));
  EXPECT_THAT(source.grad().to_vector<float>(), ElementsAre(0, 0, infinite, 7));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(5, 0, 0));
}

TEST(ScatterAdd, NarrowTypesAreRoundedOnce) {
  // 256 + 1 is 256 in bf16, whose numbers are 2 apart there.
  const Tensor x = full({1}, 256, Dtype::bf16);
  const Tensor sum = scatter_add(x, 0, zeros({8}, Dtype::i64), ones({8}, Dtype::bf16));
  EXPECT_EQ(sum.item(), 264);
}

TEST(ScatterAdd, IntegersWrap) {
  const Tensor x = full({1}, 127, Dtype::i8);
  EXPECT_EQ(scatter_add(x, 0, zeros({1}, Dtype::i64), ones({1}, Dtype::i8)).item(), -128);
}

TEST(ScatterAdd, SameBitsForAnyNumberOfThreads) {
  const Generator random(3);
  for (const int64_t axis : {0, 1}) {
    const Tensor x = normal({301, 517}, 0, 1, Dtype::f32, random);
    const Tensor at = random_integers({301, 517}, 0, 7, Dtype::i64, random);
    const Tensor source = normal({301, 517}, 0, 1, Dtype::f32, random);
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 5}) {
      const ThreadCountGuard guard(threads);
      results.push_back(scatter_add(x, axis, at, source).to_vector<float>());
      results.push_back(gather(x, axis, at).to_vector<float>());
    }
    EXPECT_EQ(results[0], results[2]);
    EXPECT_EQ(results[0], results[4]);
    EXPECT_EQ(results[1], results[3]);
    EXPECT_EQ(results[1], results[5]);
  }
}

TEST(Gather, LongAxesAreCutAmongThreads) {
  // Longer than a piece, with the indexed axis inside, outside and alone.
  const ThreadCountGuard guard(3);
  const int64_t size = 100'000;
  const Tensor back = size - 1 - arange(size);
  for (const Shape& shape : {Shape{size}, Shape{2, size}}) {
    const Tensor x = expand(arange(size), shape);
    EXPECT_EQ(gather(x, -1, expand(back, shape)).to_vector<int64_t>(),
              expand(back, shape).to_vector<int64_t>());
  }
  const Tensor pair = from_values<int64_t>({5, 6}, {2, 1});
  const Tensor swapped = gather(expand(pair, {2, size}), 0, ones({1, size}, Dtype::i64));
  EXPECT_EQ(sum(swapped).item(), 6.0 * static_cast<double>(size));
}

TEST(Gather, AnExpandedIndexMovesRows) {
  const Tensor x = reshape(arange(12), {4, 3});
  const Tensor at = expand(from_values<int64_t>({3, 1}, {2, 1}), {2, 3});
  EXPECT_THAT(gather(x, 0, at).to_vector<int64_t>(), ElementsAre(9, 10, 11, 3, 4, 5));
  EXPECT_THAT(scatter_add(x, 0, at, ones({2, 3}, Dtype::i64)).to_vector<int64_t>(),
              ElementsAre(0, 1, 2, 4, 5, 6, 6, 7, 8, 10, 11, 12));
}

}  // namespace
}  // namespace espalier::test
