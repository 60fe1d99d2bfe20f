#include <algorithm>
#include <limits>

#include <omp.h>

#include "ops/add.h"
#include "ops/expand.h"
#include "ops/linalg_internal.h"
#include "ops/permute.h"
#include "ops/promotion.h"
#include "ops/reshape.h"

namespace espalier {

void check_matrices(std::string_view name, Inputs inputs, size_t i) {
  const Tensor& input = inputs[i];
  if (input.dtype() != Dtype::f32 && input.dtype() != Dtype::f64) {
    throw TypeError(name, "inputs " + describe(inputs) + " are not f32 or f64; convert them with cast()");
  }
  if (input.rank() < 2) {
    throw ShapeError(name, "inputs " + describe(inputs) + "; expected input " + std::to_string(i) +
                               " to be a matrix [..., m, n]");
  }
  for (const int64_t size : {input.size(-2), input.size(-1)}) {
    if (size > std::numeric_limits<int>::max())
      throw ShapeError(name,
                       "inputs " + describe(inputs) + "; matrices are limited to 2^31 - 1 rows and columns");
  }
}

void check_square(std::string_view name, Inputs inputs, size_t i) {
  check_matrices(name, inputs, i);
  if (inputs[i].size(-2) != inputs[i].size(-1)) {
    throw ShapeError(name, "inputs " + describe(inputs) + "; expected input " + std::to_string(i) +
                               " to be square, [..., n, n]");
  }
}

void check_system(std::string_view name, Inputs inputs) {
  if (inputs[0].dtype() != inputs[1].dtype())
    throw TypeError(name, "inputs " + describe(inputs) + " are of two types; convert them to one");
  check_square(name, inputs, 0);
  check_matrices(name, inputs, 1);
  if (inputs[0].size(-1) != inputs[1].size(-2) ||
      batch_shape(inputs[0].shape()) != batch_shape(inputs[1].shape())) {
    throw ShapeError(name, "inputs " + describe(inputs) +
                               "; expected [..., n, n] and [..., n, k], or a vector [n] on the right, with "
                               "leading axes that broadcast");
  }
}

NoThreadsBelow::NoThreadsBelow() : previous_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}

NoThreadsBelow::~NoThreadsBelow() {
  omp_set_num_threads(previous_);
}

Shape batch_shape(const Shape& shape) {
  return Shape(std::span<const int64_t>(shape.begin(), static_cast<size_t>(std::max(shape.rank() - 2, 0))));
}

int64_t batch_size(const Shape& shape) {
  return count(batch_shape(shape));
}

Shape with_matrix(const Shape& shape, int64_t rows, int64_t columns) {
  Shape result = batch_shape(shape);
  result.push_back(rows);
  result.push_back(columns);
  return result;
}

Shape with_vector(const Shape& shape, int64_t size) {
  Shape result = batch_shape(shape);
  result.push_back(size);
  return result;
}

std::vector<AxisTie> batch_ties(Inputs inputs, int outputs) {
  std::vector<AxisTie> ties;
  for (int axis = 0; axis < inputs[0].rank() - 2; ++axis) {
    AxisTie tie;
    for (size_t i = 0; i < inputs.size(); ++i) tie.axes.push_back({static_cast<int>(i), axis});
    for (int i = 0; i < outputs; ++i) tie.axes.push_back({-1 - i, axis});
    ties.push_back(std::move(tie));
  }
  return ties;
}

System::System(std::string_view name, const Tensor& a, const Tensor& b) {
  check_defined(name, a);
  check_defined(name, b);
  const auto [left, right] = promoted(name, a, b);
  a_ = promoted_to_floating(name, left);
  b_ = promoted_to_floating(name, right);
  vector_ = b_.rank() == 1;
  if (vector_) b_ = unsqueeze(b_, -1);
  // Operands that do not fit go on as they are: the operation refuses them by name.
  if (a_.rank() < 2 || b_.rank() < 2 || a_.size(-1) != b_.size(-2)) return;
  if (a_.rank() == 2 && b_.rank() > 2) {
    Dims rows_first = {b_.rank() - 2};
    for (int i = 0; i < b_.rank(); ++i) {
      if (i != b_.rank() - 2) rows_first.push_back(i);
    }
    b_ = permute(b_, rows_first);
    joined_ = b_.shape();
    int64_t columns = 1;
    for (int i = 1; i < joined_.rank(); ++i) columns *= joined_[i];
    b_ = reshape(b_, {joined_[0], columns});
    return;
  }
  const Shape batch = broadcast_shapes(batch_shape(a_.shape()), batch_shape(b_.shape()), name);
  Shape of_a = batch, of_b = batch;
  for (const int64_t axis : {-2, -1}) {
    of_a.push_back(a_.size(axis));
    of_b.push_back(b_.size(axis));
  }
  if (of_a != a_.shape()) a_ = expand(a_, of_a);
  if (of_b != b_.shape()) b_ = expand(b_, of_b);
}

Tensor System::solution(const Tensor& x) const {
  if (vector_) return squeeze(x, -1);
  if (joined_.empty()) return x;
  Dims rows_last;
  for (int i = 1; i < joined_.rank() - 1; ++i) rows_last.push_back(i);
  rows_last.push_back(0);
  rows_last.push_back(joined_.rank() - 1);
  return permute(reshape(x, joined_), rows_last);
}

Tensor triangles(int64_t n, double below, double diagonal, double above, const Tensor& like) {
  Tensor result = empty({n, n}, like.dtype(), device_of_values(like.device()));
  if (result.device() == kMeta) return result;
  visit_matrix_type(like.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* values = static_cast<T*>(result.raw_data());
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        values[i * n + j] = static_cast<T>(i > j ? below : i == j ? diagonal : above);
      }
    }
  });
  return result;
}

Tensor sum_of(const Tensor& a, const Tensor& b) {
  return !a.defined() ? b : !b.defined() ? a : a + b;
}

void throw_for_matrix(std::string_view name, Inputs inputs, int64_t matrix, const std::string& what) {
  Shape index = batch_shape(inputs[0].shape());
  for (int i = index.rank() - 1; i >= 0; --i) {
    const int64_t size = index[i];
    index[i] = matrix % size;
    matrix /= size;
  }
  const std::string which = index.empty() ? "the matrix" : "matrix " + to_string(index) + " of the batch";
  throw ValueError(name, "inputs " + describe(inputs) + ": " + which + " " + what);
}

}  // namespace espalier
