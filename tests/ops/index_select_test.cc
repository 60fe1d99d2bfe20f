#include "ops/index_select.h"

#include <gtest/gtest.h>

#include "core/parallel.h"
#include "ops/random.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

InputSpec index_select_indices(int64_t count, int64_t size, Dtype dtype = Dtype::i64) {
  return {{count}, 0, static_cast<double>(size), dtype, false};
}

OpSample select_sample(std::string label, const Shape& x, int64_t axis, InputSpec at) {
  const int along = normalize_axis(axis, x.rank(), "test");
  return {std::move(label),
          {{x}, at},
          [axis](Inputs in) { return Tensors{index_select(in[0], axis, in[1])}; },
          [along](const Arrays& in) {
            Shape shape = in[0].shape;
            shape[along] = in[1].shape[0];
            Array result(shape);
            for_each_index(shape, [&](const Dims& to) {
              Dims from = to;
              from[along] = static_cast<int64_t>(in[1][to[along]]);
              result.at(to) = in[0].at(from);
            });
            return Arrays{result};
          }};
}

OpSample add_sample(std::string label, const Shape& x, int64_t axis, InputSpec at) {
  const int along = normalize_axis(axis, x.rank(), "test");
  Shape source = x;
  source[along] = at.shape[0];
  return {std::move(label),
          {{x}, at, {source}},
          [axis](Inputs in) { return Tensors{index_add(in[0], axis, in[1], in[2])}; },
          [along](const Arrays& in) {
            Array result = in[0];
            for_each_index(in[2].shape, [&](const Dims& from) {
              Dims to = from;
              to[along] = static_cast<int64_t>(in[1][from[along]]);
              result.at(to) += in[2].at(from);
            });
            return Arrays{result};
          }};
}

std::vector<OpSample> index_select_samples(OpSample (*make)(std::string, const Shape&, int64_t, InputSpec)) {
  return {
      make("rows", {5, 3}, 0, index_select_indices(7, 5)),
      make("columns", {3, 5}, -1, index_select_indices(4, 5)),
      make("channels", {2, 4, 3, 3}, 1, index_select_indices(3, 4)),
      make("one axis", {6}, 0, index_select_indices(9, 6)),
      make("i32", {4, 2}, 0, index_select_indices(3, 4, Dtype::i32)),
      make("no indices", {4, 3}, 0, index_select_indices(0, 4)),
      make("slices without elements", {4, 0}, 0, index_select_indices(2, 4)),
  };
}

std::vector<OpError> index_select_errors(
    const std::string& name, const std::function<void(const Tensor&, int64_t, const Tensor&)>& run) {
  const auto wrong = [&](std::string label, const Shape& x, int64_t axis, const Tensor& at, std::string kind,
                         std::vector<std::string> mentions) {
    mentions.push_back(name);
    return OpError{std::move(label), [=] { run(zeros(x), axis, at); }, std::move(kind), std::move(mentions)};
  };
  return {
      wrong("index too large", {2, 3}, 1, from_values<int64_t>({0, 3}, {2}), "ValueError",
            {"index 3", "position [1]", "i64[2]", "[0, 3)", "axis 1"}),
      wrong("negative index", {2, 3}, 0, from_values<int32_t>({-1}, {1}), "ValueError",
            {"index -1", "position [0]", "i32[1]"}),
      wrong("indices of two axes", {2, 3}, 0, zeros({2, 1}, Dtype::i64), "ShapeError",
            {"f32[2, 3], i64[2, 1]", "one axis"}),
      wrong("an axis out of range", {2, 3}, -3, zeros({2}, Dtype::i64), "ShapeError", {"axis -3"}),
      wrong("floating indices", {2}, 0, zeros({2}), "TypeError", {"f32[2]", "i32 or i64"}),
      wrong("undefined", {2}, 0, Tensor(), "ValueError", {"undefined"}),
  };
}

}  // namespace

OpTest index_select_test() {
  return {
      .name = "index_select",
      .samples = index_select_samples(select_sample),
      .errors = index_select_errors(
          "index_select", [](const Tensor& x, int64_t axis, const Tensor& at) { index_select(x, axis, at); }),
      .dtypes = kEveryType,
      .benchmarks = {select_sample("rows", {4096, 256}, 0, index_select_indices(4096, 4096)),
                     select_sample("channels", {32, 256, 28, 28}, 1, index_select_indices(128, 256)),
                     select_sample("columns", {1024, 1024}, 1, index_select_indices(512, 1024))},
  };
}

OpTest index_add_test() {
  std::vector<OpError> wrong =
      index_select_errors("index_add", [](const Tensor& x, int64_t axis, const Tensor& at) {
        Shape source = x.shape();
        if (at.defined()) source[normalize_axis(axis, 2, "index_add")] = at.numel();
        index_add(x, axis, at, zeros(source));
      });
  wrong.erase(wrong.begin() + 3);  // the source's shape could not be made
  wrong.push_back({"an axis out of range",
                   [] { index_add(zeros({2}), 1, zeros({2}, Dtype::i64), zeros({2})); },
                   "ShapeError",
                   {"index_add", "axis 1"}});
  wrong.push_back({"source of another shape",
                   [] { index_add(zeros({4, 2}), 0, zeros({2}, Dtype::i64), zeros({3, 2})); },
                   "ShapeError",
                   {"index_add", "f32[4, 2], i64[2], f32[3, 2]"}});
  wrong.push_back({"source of another type",
                   [] { index_add(zeros({4}), 0, zeros({2}, Dtype::i64), zeros({2}, Dtype::f64)); },
                   "TypeError",
                   {"index_add", "f32[4], i64[2], f64[2]"}});
  wrong.push_back({"no tensor to add to",
                   [] { index_add(Tensor(), 0, zeros({2}, Dtype::i64), zeros({2})); },
                   "ValueError",
                   {"index_add", "undefined"}});
  return {
      .name = "index_add",
      .samples = index_select_samples(add_sample),
      .errors = wrong,
      .dtypes = kAllTypes,
      .benchmarks = {add_sample("rows", {4096, 256}, 0, index_select_indices(4096, 4096))},
  };
}

namespace {

TEST(IndexSelect, CostsWhatItPicks) {
  const std::vector<Tensor> inputs = {empty({1000, 8}, Dtype::f32, kMeta), empty({2}, Dtype::i64, kMeta)};
  const OutputSpec output = OutputSpec::fresh({2, 8}, Dtype::f32);
  const Cost cost = IndexSelect(0).cost(inputs, std::span(&output, 1));
  EXPECT_EQ(cost.flops, 0);
  EXPECT_EQ(cost.bytes, 2 * 8 + 2 * 2 * 8 * 4);
}

TEST(IndexAdd, SameBitsForAnyNumberOfThreads) {
  const Generator random(3);
  const Tensor x = normal({5, 2001}, 0, 1, Dtype::f32, random);
  const Tensor at = random_integers({300}, 0, 5, Dtype::i64, random);
  const Tensor source = normal({300, 2001}, 0, 1, Dtype::f32, random);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    const ThreadCountGuard guard(threads);
    results.push_back(index_add(x, 0, at, source).to_vector<float>());
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace espalier::test
