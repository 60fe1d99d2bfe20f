#include "ops/pool1d.h"

#include <string>

#include "ops/adaptive_pool2d.h"
#include "ops/avg_pool2d.h"
#include "ops/max_pool2d.h"
#include "ops/reshape.h"

namespace espalier {
namespace {

/// `pool` of x seen as images of height 1.
template <class Pool>
Tensor pooled_rows(std::string_view name, const Tensor& x, const Pool& pool) {
  check_defined(name, x);
  if (x.rank() != 3) throw ShapeError(name, "x is " + describe(x) + "; expected 3 axes: N, C, L");
  return squeeze(pool(unsqueeze(x, 2)), 2);
}

}  // namespace

Tensor avg_pool1d(const Tensor& x, int64_t kernel, const AvgPool1dOptions& options) {
  const AvgPool2dOptions image{.stride = Size2d(1, options.stride.value_or(kernel)),
                               .padding = {0, options.padding},
                               .count_include_pad = options.count_include_pad};
  return pooled_rows("avg_pool1d", x,
                     [&](const Tensor& rows) { return avg_pool2d(rows, {1, kernel}, image); });
}

Tensor max_pool1d(const Tensor& x, int64_t kernel, const MaxPool1dOptions& options) {
  const MaxPool2dOptions image{.stride = Size2d(1, options.stride.value_or(kernel)),
                               .padding = {0, options.padding},
                               .dilation = {1, options.dilation}};
  return pooled_rows("max_pool1d", x,
                     [&](const Tensor& rows) { return max_pool2d(rows, {1, kernel}, image); });
}

Tensor adaptive_avg_pool1d(const Tensor& x, int64_t size) {
  return pooled_rows("adaptive_avg_pool1d", x,
                     [&](const Tensor& rows) { return adaptive_avg_pool2d(rows, {1, size}); });
}

Tensor adaptive_max_pool1d(const Tensor& x, int64_t size) {
  return pooled_rows("adaptive_max_pool1d", x,
                     [&](const Tensor& rows) { return adaptive_max_pool2d(rows, {1, size}); });
}

}  // namespace espalier
