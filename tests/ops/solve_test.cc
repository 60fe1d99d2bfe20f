#include "ops/solve.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "ops/matmul.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "tests/ops/linalg_samples.h"

namespace espalier::test {
namespace {

OpSample solve_sample(std::string label, const Shape& a, const Shape& b) {
  return {std::move(label),
          {matrix_spec(a), {b}},
          [=](Inputs in) { return Tensors{solve(shifted(in[0]), in[1])}; },
          [=](const Arrays& in) {
            const Array left = shifted(in[0]);
            int64_t next = 0;
            return for_each_matrix(in[1], [&](const Array& side) {
              const int64_t i = a.rank() == 2 ? 0 : next++;
              if (count(side.shape) == 0) return Arrays{side};
              return Arrays{solve_by_elimination(matrix_at(left, i), side)};
            });
          }};
}

Arrays inverse_reference(const Array& a) {
  Array identity(a.shape);
  for (int64_t i = 0; i < a.shape[0]; ++i) identity.at({i, i}) = 1;
  return {solve_by_elimination(a, identity)};
}

OpSample inverse_sample(std::string label, const Shape& shape) {
  return matrix_sample(
      std::move(label), shape, false, [](const Tensor& a) { return Tensors{inverse(a)}; }, inverse_reference);
}

OpSample solve_benchmark(std::string label, const Shape& a, const Shape& b) {
  return {std::move(label), {{a}, {b}}, [](Inputs in) { return Tensors{solve(in[0], in[1])}; }, {}};
}

Tensors invert(const Tensor& a) {
  return {inverse(a)};
}

TEST(Solve, OneMatrixOfTheBatchCanBeBroadcast) {
  const Tensor a = uniform({2, 1, 3, 3}, 1, 2), b = uniform({4, 3, 2}), x = solve(a, b);
  ASSERT_EQ(x.shape(), Shape({2, 4, 3, 2}));
  const std::vector<float> back = matmul(a, x).to_vector<float>(), wanted = b.to_vector<float>();
  // Random 3 x 3 matrices of these seeds have condition numbers under 1000: 1e-3 is ten times their error.
  for (size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], wanted[i % wanted.size()], 1e-3);
}

TEST(Solve, PromotesItsOperands) {
  const Tensor x = solve(from_values<int64_t>({2, 0, 0, 4}, {2, 2}), from_values<double>({1, 1}, {2}));
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(inverse(from_values<int8_t>({2}, {1, 1})).to_vector<float>(), std::vector<float>{0.5F});
}

TEST(Solve, NamesTheSingularMatrixOfTheBatch) {
  const Tensor a = from_values<double>({1, 0, 0, 1, 1, 2, 2, 4, 0, 0, 0, 0}, {3, 2, 2});
  for (const bool inverts : {false, true}) {
    try {
      inverts ? inverse(a) : solve(a, ones({2}, Dtype::f64));
      FAIL() << "no error";
    } catch (const ValueError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(inverts ? "[inverse]" : "[solve]"));
      EXPECT_THAT(error.what(), testing::HasSubstr("matrix [1] of the batch is singular: pivot 1,"));
    }
  }
}

TEST(Solve, GivesTheSameBitsForAnyNumberOfThreads) {
  const Tensor many = uniform({40, 24, 24}), large = uniform({300, 300});
  const auto bits = [&](int threads) {
    const ThreadCountGuard guard(threads);
    std::vector<float> all = inverse(many).to_vector<float>();
    const std::vector<float> one = solve(large, large).to_vector<float>();
    all.insert(all.end(), one.begin(), one.end());
    return all;
  };
  const std::vector<float> alone = bits(1);
  EXPECT_EQ(alone, bits(2));
  // Many times: threads that got each other's buffers would not show each time.
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(alone == bits(5));
}

TEST(Solve, NanStaysNan) {
  const Tensor a = from_values<double>({std::nan(""), 0, 0, 1}, {2, 2});
  const std::vector<double> x = solve(a, ones({2}, Dtype::f64)).to_vector<double>();
  EXPECT_TRUE(std::isnan(x[0]));
}

}  // namespace

OpTest solve_test() {
  return {
      .name = "solve",
      .samples = {solve_sample("matrix", {4, 4}, {4, 3}),
                  solve_sample("one side", {4, 4}, {4, 1}),
                  solve_sample("batch", {2, 3, 3}, {2, 3, 2}),
                  solve_sample("one matrix, many sides", {3, 3}, {2, 2, 3, 2}),
                  solve_sample("no right-hand sides", {3, 3}, {3, 0}),
                  solve_sample("no rows", {0, 0}, {0, 2}),
                  {"transposed",
                   {matrix_spec({3, 3}), {{2, 3}}},
                   [](Inputs in) {
                     return Tensors{solve(transpose(shifted(in[0]), 0, 1), transpose(in[1], 0, 1))};
                   },
                   [](const Arrays& in) {
                     return Arrays{solve_by_elimination(transposed(shifted(in[0])), transposed(in[1]))};
                   }}},
      .errors =
          {{"sizes",
            [] { solve(ones({3, 3}), zeros({2, 1})); },
            "ShapeError",
            {"solve", "f32[3, 3]", "f32[2, 1]", "broadcast"}},
           {"a short vector", [] { solve(ones({3, 3}), zeros({2})); }, "ShapeError", {"solve", "f32[3, 3]"}},
           {"not square", [] { solve(ones({2, 3}), zeros({3, 1})); }, "ShapeError", {"f32[2, 3]", "square"}},
           {"a scalar",
            [] { solve(ones({2, 2}), zeros({})); },
            "ShapeError",
            {"solve", "f32[2, 2]", "f32[]"}},
           {"singular",
            [] { solve(ones({2, 2}), zeros({2, 1})); },
            "ValueError",
            {"solve", "f32[2, 2]", "singular", "pivot 1"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {solve_benchmark("512, 512 sides", {512, 512}, {512, 512}),
                     solve_benchmark("64 x 32, 8 sides", {64, 32, 32}, {64, 32, 8})},
  };
}

OpTest inverse_test() {
  return {
      .name = "inverse",
      .samples = {inverse_sample("matrix", {4, 4}), inverse_sample("batch", {2, 2, 3, 3}),
                  inverse_sample("no elements", {2, 0, 0}),
                  matrix_sample(
                      "transposed", {3, 3}, false,
                      [](const Tensor& a) { return Tensors{inverse(transpose(a, 0, 1))}; },
                      [](const Array& a) { return inverse_reference(transposed(a)); })},
      .errors =
          {{"not square", [] { inverse(zeros({2, 3})); }, "ShapeError", {"inverse", "f32[2, 3]", "square"}},
           {"zeros", [] { inverse(zeros({2, 2})); }, "ValueError", {"inverse", "f32[2, 2]", "pivot 0"}},
           {"no tensor", [] { inverse({}); }, "ValueError", {"inverse", "undefined"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {matrix_benchmark("512", {512, 512}, invert),
                     matrix_benchmark("64 x 32", {64, 32, 32}, invert)},
  };
}

}  // namespace espalier::test
