#include <algorithm>
#include <cmath>
#include <limits>

#include "core/decimal_internal.h"
#include "core/error.h"
#include "io/event_histogram_internal.h"
#include "ops/copy.h"

namespace espalier::io {
namespace {

const std::vector<double>& all_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> found = {0};
    for (double limit = 1e-12; limit < 1e20; limit *= 1.1) found.push_back(limit);
    found.push_back(std::numeric_limits<double>::max());
    const size_t count = found.size();
    for (size_t i = 1; i < count; ++i) found.push_back(-found[i]);
    std::sort(found.begin(), found.end());
    return found;
  }();
  return limits;
}

}  // namespace

EventHistogram histogram_of(const Tensor& tensor, const std::string& where) {
  if (!tensor.defined()) throw ValueError(where, "the tensor is undefined");
  if (tensor.device() != kCpu)
    throw DeviceError(where, "the tensor is on " + to_string(tensor.device()) + "; copy it to cpu first");
  const std::vector<double>& limits = all_limits();
  std::vector<double> counts(limits.size());
  EventHistogram result;
  const Tensor rows = contiguous(tensor.detach());
  visit_dtype(rows.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto* const elements = static_cast<const T*>(rows.raw_data());
    for (int64_t i = 0; i < rows.numel(); ++i) {
      const double value = to_double(elements[i]);
      if (!std::isfinite(value)) {
        ++result.not_finite;
        continue;
      }
      const bool first = result.finite++ == 0;
      result.min = first ? value : std::min(result.min, value);
      result.max = first ? value : std::max(result.max, value);
      result.sum += value;
      result.sum_squares += value * value;
      const auto above = std::upper_bound(limits.begin(), limits.end(), value) - limits.begin();
      // The largest double has no limit above it.
      ++counts[std::min(static_cast<size_t>(above), counts.size() - 1)];
    }
  });
  if (result.finite == 0) {
    // Readers want at least one bucket.
    result.limits = {0};
    result.counts = {0};
    return result;
  }
  const auto filled = [](double count) { return count > 0; };
  const auto begin = std::find_if(counts.begin(), counts.end(), filled) - counts.begin();
  const auto end = std::find_if(counts.rbegin(), counts.rend(), filled).base() - counts.begin();
  result.limits.assign(limits.begin() + begin, limits.begin() + end);
  result.counts.assign(counts.begin() + begin, counts.begin() + end);
  return result;
}

}  // namespace espalier::io
