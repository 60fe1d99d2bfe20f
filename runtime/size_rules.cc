#include <algorithm>
#include <utility>

#include "core/error.h"
#include "runtime/size_rules_internal.h"

namespace espalier::runtime {
namespace {

/// On the line through `near` at size `from` and `far` at size `to`, the number at `size`.
int64_t on_line(int64_t near, int64_t far, int64_t from, int64_t to, int64_t size) {
  if (to < from) {  // the same line
    std::swap(near, far);
    std::swap(from, to);
  }
  int64_t rise = 0, scaled = 0, result = 0;
  const bool overflows = __builtin_sub_overflow(far, near, &rise) ||
                         __builtin_mul_overflow(rise, size - from, &scaled) ||
                         __builtin_add_overflow(near, scaled / (to - from), &result);
  if (overflows) throw ValueError("graph family", "becomes too large a number");
  if (scaled % (to - from) != 0) throw ValueError("graph family", "would be no whole number");
  return result;
}

}  // namespace

int64_t SizeRules::whole(std::vector<int64_t> corners) const {
  if (std::all_of(corners.begin(), corners.end(), [&](int64_t c) { return c == corners.front(); }))
    return corners.front();
  for (size_t n = sizes_.size(); n-- > 0;) {
    const size_t half = size_t{1} << n;
    for (size_t i = 0; i < half; ++i)
      corners[i] = on_line(corners[i], corners[i + half], near_[n], far_[n], sizes_[n]);
  }
  return corners.front();
}

}  // namespace espalier::runtime
