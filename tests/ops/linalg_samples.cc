#include "tests/ops/linalg_samples.h"

#include <cmath>

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "ops/permute.h"

namespace espalier::test {
namespace {

Array diagonal(int64_t rows, int64_t columns) {
  Array d({rows, columns});
  for (int64_t i = 0; i < std::min(rows, columns); ++i)
    d.at({i, i}) = 1.5 + 1.25 * static_cast<double>(i);  // exact in every type
  return d;
}

Tensor with_diagonal(const Tensor& scaled) {
  const int64_t rows = scaled.size(-2), columns = scaled.size(-1);
  const Tensor values = cast(from_values(diagonal(rows, columns).values, {rows, columns}), scaled.dtype());
  return scaled + known(values, scaled.device());
}

Array with_diagonal(Array scaled) {
  const Array d = diagonal(scaled.shape[scaled.shape.rank() - 2], scaled.shape.back());
  const auto size = static_cast<int64_t>(d.values.size());
  for (int64_t i = 0; i < static_cast<int64_t>(scaled.values.size()); ++i) scaled[i] += d[i % size];
  return scaled;
}

Shape leading(const Shape& shape) {
  return Shape(std::span<const int64_t>(shape.begin(), static_cast<size_t>(shape.rank() - 2)));
}

}  // namespace

InputSpec matrix_spec(const Shape& shape) {
  return {.shape = shape, .low = -0.5, .high = 0.5};
}

Tensor shifted(const Tensor& x) {
  return with_diagonal(x * 0.25);
}

Array shifted(const Array& x) {
  Array scaled = x;
  for (double& value : scaled.values) value *= 0.25;
  return with_diagonal(std::move(scaled));
}

Tensor shifted_symmetric(const Tensor& x) {
  const Tensor scaled = x * 0.25;
  return with_diagonal(scaled + transpose(scaled, -2, -1));
}

Array shifted_symmetric(const Array& x) {
  return for_each_matrix(x,
                         [](const Array& matrix) {
                           Array sum = matrix;
                           const Array turned = transposed(matrix);
                           for (size_t i = 0; i < sum.values.size(); ++i)
                             sum.values[i] = (sum.values[i] + turned.values[i]) / 4;
                           return Arrays{with_diagonal(sum)};
                         })
      .front();
}

Array matrix_at(const Array& batch, int64_t i) {
  Array matrix({batch.shape[batch.shape.rank() - 2], batch.shape.back()});
  const auto size = static_cast<int64_t>(matrix.values.size());
  std::copy_n(batch.values.begin() + i * size, size, matrix.values.begin());
  return matrix;
}

Array joined(const std::vector<Array>& matrices, const Shape& batch) {
  Shape shape = batch;
  for (const int64_t size : matrices.front().shape) shape.push_back(size);
  Array all(shape);
  all.values.clear();
  for (const Array& matrix : matrices)
    all.values.insert(all.values.end(), matrix.values.begin(), matrix.values.end());
  return all;
}

Arrays for_each_matrix(const Array& a, const std::function<Arrays(const Array&)>& f) {
  const Shape batch = leading(a.shape);
  std::vector<std::vector<Array>> outputs;
  for (int64_t i = 0; i < std::max<int64_t>(count(batch), 1); ++i) {
    // An empty batch asks for the shapes of one of its matrices.
    const Array matrix =
        count(batch) == 0 ? Array({a.shape[a.shape.rank() - 2], a.shape.back()}) : matrix_at(a, i);
    const Arrays results = f(matrix);
    outputs.resize(results.size());
    for (size_t k = 0; k < results.size(); ++k) outputs[k].push_back(results[k]);
  }
  Arrays all;
  for (std::vector<Array>& output : outputs) {
    if (count(batch) == 0) output.front().values.clear();
    all.push_back(joined(output, batch));
  }
  return all;
}

Array product(const Array& a, const Array& b) {
  Array c({a.shape[0], b.shape[1]});
  for_each_index(c.shape, [&](const Dims& i) {
    for (int64_t l = 0; l < a.shape[1]; ++l) c.at(i) += a.at({i[0], l}) * b.at({l, i[1]});
  });
  return c;
}

Array transposed(const Array& a) {
  Array b({a.shape[1], a.shape[0]});
  for_each_index(b.shape, [&](const Dims& i) { b.at(i) = a.at({i[1], i[0]}); });
  return b;
}

Array solve_by_elimination(Array a, Array b, double* determinant) {
  const int64_t n = a.shape[0], k = b.shape[1];
  std::vector<int64_t> unknown(static_cast<size_t>(n));  // which unknown stands in a column
  for (int64_t i = 0; i < n; ++i) unknown[static_cast<size_t>(i)] = i;
  double det = 1;
  for (int64_t step = 0; step < n; ++step) {
    int64_t row = step, column = step;
    for (int64_t i = step; i < n; ++i) {
      for (int64_t j = step; j < n; ++j) {
        if (std::abs(a.at({i, j})) > std::abs(a.at({row, column}))) row = i, column = j;
      }
    }
    if (row != step) {
      det = -det;
      for (int64_t j = 0; j < n; ++j) std::swap(a.at({row, j}), a.at({step, j}));
      for (int64_t j = 0; j < k; ++j) std::swap(b.at({row, j}), b.at({step, j}));
    }
    if (column != step) {
      det = -det;
      for (int64_t i = 0; i < n; ++i) std::swap(a.at({i, column}), a.at({i, step}));
      std::swap(unknown[static_cast<size_t>(column)], unknown[static_cast<size_t>(step)]);
    }
    const double pivot = a.at({step, step});
    det *= pivot;
    for (int64_t i = 0; i < n; ++i) {
      if (i == step) continue;
      const double factor = a.at({i, step}) / pivot;
      for (int64_t j = step; j < n; ++j) a.at({i, j}) -= factor * a.at({step, j});
      for (int64_t j = 0; j < k; ++j) b.at({i, j}) -= factor * b.at({step, j});
    }
  }
  Array x({n, k});
  for_each_index(x.shape, [&](const Dims& i) {
    x.at({unknown[static_cast<size_t>(i[0])], i[1]}) = b.at(i) / a.at({i[0], i[0]});
  });
  if (determinant) *determinant = det;
  return x;
}

OpSample matrix_sample(std::string label, const Shape& shape, bool symmetric,
                       const std::function<Tensors(const Tensor&)>& run,
                       const std::function<Arrays(const Array&)>& reference) {
  return {std::move(label),
          {matrix_spec(shape)},
          [=](Inputs in) { return run(symmetric ? shifted_symmetric(in[0]) : shifted(in[0])); },
          [=](const Arrays& in) {
            return for_each_matrix(symmetric ? shifted_symmetric(in[0]) : shifted(in[0]), reference);
          }};
}

OpSample matrix_benchmark(std::string label, const Shape& shape,
                          const std::function<Tensors(const Tensor&)>& run) {
  return {
      std::move(label), {{.shape = shape, .low = -1, .high = 1}}, [=](Inputs in) { return run(in[0]); }, {}};
}

}  // namespace espalier::test
