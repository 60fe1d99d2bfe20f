#include "ops/triangular_solve.h"

#include <gtest/gtest.h>

#include "ops/permute.h"
#include "tests/ops/linalg_samples.h"

namespace espalier::test {
namespace {

/// The triangle of A that counts, as a full matrix.
Array triangle(const Array& a, TriangularOptions options) {
  Array t = a;
  for_each_index(a.shape, [&](const Dims& i) {
    if (options.lower ? i[1] > i[0] : i[1] < i[0]) t.at(i) = 0;
    if (i[0] == i[1] && options.unit_diagonal) t.at(i) = 1;
  });
  return options.transposed ? transposed(t) : t;
}

OpSample triangular_solve_sample(std::string label, const Shape& a, const Shape& b,
                                 TriangularOptions options) {
  return {std::move(label),
          {matrix_spec(a), {b}},
          [=](Inputs in) { return Tensors{triangular_solve(shifted(in[0]), in[1], options)}; },
          [=](const Arrays& in) {
            const Array left = shifted(in[0]);
            int64_t next = 0;
            return for_each_matrix(in[1], [&](const Array& side) {
              const int64_t i = a.rank() == 2 ? 0 : next++;
              if (count(side.shape) == 0) return Arrays{side};
              return Arrays{solve_by_elimination(triangle(matrix_at(left, i), options), side)};
            });
          }};
}

OpSample triangular_solve_benchmark(std::string label, const Shape& a, const Shape& b) {
  return {std::move(label),
          {matrix_spec(a), {b}},
          [](Inputs in) { return Tensors{triangular_solve(shifted(in[0]), in[1])}; },
          {}};
}

TEST(TriangularSolve, AVectorStaysAVector) {
  const Tensor x =
      triangular_solve(from_values<double>({2, 9, 1, 4}, {2, 2}), from_values<double>({2, 5}, {2}));
  EXPECT_EQ(x.shape(), Shape({2}));
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{1, 1}));
}

}  // namespace

OpTest triangular_solve_test() {
  return {
      .name = "triangular_solve",
      .samples = {triangular_solve_sample("lower", {4, 4}, {4, 3}, {}),
                  triangular_solve_sample("upper", {4, 4}, {4, 3}, {.lower = false}),
                  triangular_solve_sample("lower, transposed", {3, 3}, {3, 2}, {.transposed = true}),
                  triangular_solve_sample("upper, transposed", {3, 3}, {3, 2},
                                          {.lower = false, .transposed = true}),
                  triangular_solve_sample("unit diagonal", {3, 3}, {3, 2}, {.unit_diagonal = true}),
                  triangular_solve_sample("upper with a unit diagonal, transposed", {3, 3}, {3, 2},
                                          {.lower = false, .transposed = true, .unit_diagonal = true}),
                  triangular_solve_sample("batch", {2, 3, 3}, {2, 3, 2}, {}),
                  triangular_solve_sample("one matrix, many sides", {3, 3}, {2, 2, 3, 1}, {}),
                  triangular_solve_sample("no right-hand sides", {3, 3}, {3, 0}, {}),
                  triangular_solve_sample("no rows", {0, 0}, {0, 2}, {})},
      .errors =
          {{"sizes",
            [] { triangular_solve(ones({3, 3}), zeros({2, 1})); },
            "ShapeError",
            {"triangular_solve", "f32[3, 3]", "f32[2, 1]", "broadcast"}},
           {"not square", [] { triangular_solve(ones({2, 3}), zeros({3, 1})); }, "ShapeError", {"f32[2, 3]"}},
           {"batches",
            [] { triangular_solve(ones({2, 3, 3}), zeros({4, 3, 1})); },
            "ShapeError",
            {"triangular_solve", "[2]", "[4]"}},
           {"singular",
            [] { triangular_solve(from_values<float>({1, 0, 0, 0}, {2, 2}), zeros({2, 1})); },
            "ValueError",
            {"triangular_solve", "f32[2, 2]", "singular", "pivot 1"}}},
      .dtypes = kMatrixTypes,
      .tolerance = kMatrixTolerance,
      .benchmarks = {triangular_solve_benchmark("512, 512 sides", {512, 512}, {512, 512}),
                     triangular_solve_benchmark("64 x 32, 8 sides", {64, 32, 32}, {64, 32, 8})},
  };
}

}  // namespace espalier::test
