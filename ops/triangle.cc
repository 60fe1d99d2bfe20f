#include "ops/triangle.h"

#include <algorithm>
#include <string>

#include "ops/reshape.h"
#include "ops/slice.h"

namespace espalier {
namespace {

void check_matrices(std::string_view name, const Tensor& input) {
  if (input.rank() < 2)
    throw ShapeError(name, "input is " + describe(input) + "; expected matrices [..., rows, columns]");
}

}  // namespace

void Triangle::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_matrices(name(), inputs[0]);
  outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
}

std::vector<AxisTie> Triangle::axis_ties(Inputs inputs) const {
  // A row or column that leaves would move the diagonal.
  std::vector<AxisTie> ties;
  for (int i = 0; i + 2 < inputs[0].rank(); ++i) ties.push_back({{{0, i}, {-1, i}}});
  return ties;
}

Tensors Tril::backward(const BackwardContext& context) const {
  return {tril(context.gradient(0), diagonal())};
}

Tensors Triu::backward(const BackwardContext& context) const {
  return {triu(context.gradient(0), diagonal())};
}

Tensor tril(const Tensor& input, int64_t diagonal) {
  return apply_one(Tril(diagonal), input);
}

Tensor triu(const Tensor& input, int64_t diagonal) {
  return apply_one(Triu(diagonal), input);
}

Tensor diagonal(const Tensor& input, int64_t offset) {
  check_defined("diagonal", input);
  check_matrices("diagonal", input);
  // In a flattened matrix the next element of a diagonal is a row and a column further.
  const int64_t rows = input.size(-2), columns = input.size(-1);
  const int64_t row = std::clamp<int64_t>(offset < -rows ? rows : -offset, 0, rows);
  const int64_t column = std::clamp<int64_t>(offset, 0, columns);
  const int64_t size = std::min(rows - row, columns - column);
  const int64_t first = row * columns + column;
  const Tensor flat = flatten(input, -2, -1);
  return slice(flat, -1, {first, size > 0 ? first + (size - 1) * (columns + 1) + 1 : first, columns + 1});
}

}  // namespace espalier
