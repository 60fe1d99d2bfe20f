#include "ops/matmul.h"

#include <algorithm>

#include "ops/permute.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// The product of two arrays with at least two axes, by three loops.
Array product_of_matrices(const Array& a, const Array& b) {
  const int rank = std::max(a.shape.rank(), b.shape.rank());
  Shape shape = Shape::filled(rank, 1);
  for (int i = 1; i <= rank; ++i) {
    const int64_t x = i <= a.shape.rank() ? a.shape[a.shape.rank() - i] : 1;
    const int64_t y = i <= b.shape.rank() ? b.shape[b.shape.rank() - i] : 1;
    shape[rank - i] = x == 1 ? y : x;
  }
  shape[rank - 2] = a.shape[a.shape.rank() - 2];
  shape[rank - 1] = b.shape.back();
  Array result(shape);
  for_each_index(shape, [&](const Dims& index) {
    Dims of_a = index, of_b = index;
    for (int64_t k = 0; k < a.shape.back(); ++k) {
      of_a[rank - 1] = k;
      of_b[rank - 2] = k;
      result.at(index) += broadcast_at(a, of_a) * broadcast_at(b, of_b);
    }
  });
  return result;
}

Array matmul_product(Array a, Array b) {
  const bool row = a.shape.rank() == 1, column = b.shape.rank() == 1;
  if (row) a.shape.insert(0, 1);
  if (column) b.shape.push_back(1);
  Array result = product_of_matrices(a, b);
  if (column) result.shape.erase(result.shape.rank() - 1);
  if (row) result.shape.erase(result.shape.rank() - (column ? 1 : 2));
  return result;
}

Array transposed(const Array& array) {
  const int rank = array.shape.rank();
  Shape shape = array.shape;
  std::swap(shape[rank - 1], shape[rank - 2]);
  Array result(shape);
  for_each_index(shape, [&](const Dims& index) {
    Dims from = index;
    std::swap(from[rank - 1], from[rank - 2]);
    result.at(index) = array.at(from);
  });
  return result;
}

OpSample matmul_sample(std::string label, const Shape& a, const Shape& b) {
  return {std::move(label),
          {{a, -1, 1.9}, {b, -1, 1.9}},
          [](Inputs in) { return Tensors{matmul(in[0], in[1])}; },
          [](const Arrays& in) { return Arrays{matmul_product(in[0], in[1])}; }};
}

OpSample transposed_sample(std::string label, const Shape& a, const Shape& b, bool of_a, bool of_b) {
  return {std::move(label),
          {{a, -1, 1.9}, {b, -1, 1.9}},
          [=](Inputs in) {
            return Tensors{
                matmul(of_a ? transpose(in[0], -1, -2) : in[0], of_b ? transpose(in[1], -1, -2) : in[1])};
          },
          [=](const Arrays& in) {
            return Arrays{matmul_product(of_a ? transposed(in[0]) : in[0], of_b ? transposed(in[1]) : in[1])};
          }};
}

}  // namespace

OpTest matmul_test() {
  return {
      .name = "matmul",
      .samples =
          {
              matmul_sample("matrices", {3, 5}, {5, 4}),
              matmul_sample("vectors", {6}, {6}),
              matmul_sample("matrix and vector", {3, 5}, {5}),
              matmul_sample("vector and matrix", {5}, {5, 4}),
              matmul_sample("batch", {2, 3, 4}, {2, 4, 5}),
              matmul_sample("batch and matrix", {2, 3, 4}, {4, 5}),
              matmul_sample("matrix and batch", {3, 4}, {2, 4, 5}),
              matmul_sample("batch of rows and matrix", {3, 1, 4}, {4, 5}),
              matmul_sample("batch and vector", {2, 3, 4}, {4}),
              matmul_sample("vector and batch", {4}, {2, 4, 3}),
              matmul_sample("leading axes that broadcast", {2, 1, 3, 4}, {3, 4, 2}),
              matmul_sample("one of each", {1, 1}, {1, 1}),
              matmul_sample("larger than a tile", {37, 21}, {21, 35}),
              transposed_sample("left transposed", {5, 3}, {5, 4}, true, false),
              transposed_sample("right transposed", {3, 5}, {4, 5}, false, true),
              transposed_sample("both transposed", {2, 5, 3}, {2, 4, 5}, true, true),
              matmul_sample("no rows", {0, 3}, {3, 4}),
              matmul_sample("sum of nothing", {2, 0}, {0, 3}),
              matmul_sample("no matrices", {0, 2, 3}, {3, 4}),
          },
      .errors =
          {
              {"inner sizes",
               [] { matmul(zeros({2, 3}), zeros({4, 5})); },
               "ShapeError",
               {"matmul", "f32[2, 3]", "f32[4, 5]", "[..., m, k]"}},
              {"leading axes",
               [] { matmul(zeros({2, 3, 4}), zeros({3, 4, 5})); },
               "ShapeError",
               {"matmul", "f32[2, 3, 4]", "f32[3, 4, 5]", "broadcast"}},
              {"a scalar",
               [] { matmul(zeros({}), zeros({4})); },
               "ShapeError",
               {"matmul", "f32[]", "f32[4]"}},
              {"two types",
               [] { matmul(zeros({2, 2}), zeros({2, 2}, Dtype::f64)); },
               "TypeError",
               {"matmul", "f32[2, 2]", "f64[2, 2]"}},
              {"an absent operand", [] { matmul(zeros({2, 2}), {}); }, "ValueError", {"matmul", "undefined"}},
              {"a result beyond 63 bits",
               [] {
                 const int64_t many = int64_t{1} << 40;
                 matmul(zeros({many, 1}, Dtype::f32, kMeta), zeros({1, many}, Dtype::f32, kMeta));
               },
               "ShapeError",
               {"matmul", "1099511627776"}},
              {"two devices",
               [] { matmul(zeros({2, 2}), zeros({2, 2}, Dtype::f32, kMeta)); },
               "DeviceError",
               {"matmul", "meta"}},
          },
      .dtypes = {Dtype::f64, Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::i8, Dtype::u8, Dtype::i16,
                 Dtype::i32, Dtype::i64},
      // Sums of up to 21 products of size 4 round at each step.
      .tolerance = 40,
      .benchmarks = {matmul_sample("64 x 64 x 64", {64, 64}, {64, 64}),
                     matmul_sample("1024 cubed", {1024, 1024}, {1024, 1024}),
                     matmul_sample("48 of 64 x 32 x 64", {48, 64, 32}, {48, 32, 64})},
  };
}

}  // namespace espalier::test
