#pragma once

#include <algorithm>

#include "core/parallel.h"

namespace espalier {

/// The parts into which parallel_for cuts [0, size), by number: for bodies that need memory of their own, of
/// which scratch memory then has a piece for each part. They depend on num_threads() alone.
class Parts {
 public:
  Parts(int64_t size, int64_t grain)
      : size_(size),
        count_(std::clamp<int64_t>((size + std::max<int64_t>(grain, 1) - 1) / std::max<int64_t>(grain, 1), 0,
                                   num_threads())) {}

  int64_t count() const noexcept { return count_; }
  /// `elements` of a part's memory with what keeps it a page or more from the next one's; 0 for none. Cores
  /// fetch ahead: where the memory of two threads was adjacent, a batch of products took 1.2 times as long
  /// (two cores of an EPYC 9004, far apart; a gap of less than a page left half of that).
  template <class T>
  static constexpr int64_t apart(int64_t elements) {
    constexpr int64_t kPage = 4096 / sizeof(T);
    return elements == 0 ? 0 : (elements + kPage - 1) / kPage * kPage + kPage;
  }
  /// Where a part begins, and the one before it ends.
  int64_t first(int64_t part) const noexcept { return part * size_ / count_; }
  /// Calls `body(part, first, last)` for each part, in parallel.
  template <class Body>
  void run(const Body& body) const {
    parallel_for(0, count_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) body(part, first(part), first(part + 1));
    });
  }

 private:
  int64_t size_, count_;
};

}  // namespace espalier
