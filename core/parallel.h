#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "core/export.h"

namespace espalier {

/// Work, in simple float operations (add, multiply, compare on data in cache), under which one thread is as
/// fast as several. A body that does w of them an element takes `kSerialWork / w` as its grain.
/// Measured on 2 cores of an EPYC 9004 with GCC 12 and SSE code, c = a + b over floats: two threads break
/// even with one at 16384 elements (2 us) and are 1.4 times faster at 32768, 1.7 times at 65536; a fork costs
/// 0.8 us.
inline constexpr int64_t kSerialWork = 32768;

/// Threads that parallel_for may use when this thread calls it, itself included: the count of the innermost
/// living ThreadCountGuard of this thread, else of set_num_threads, else of the environment variable
/// ESPALIER_THREADS, else one for each CPU that the process may use (OMP_NUM_THREADS counts, too, in a build
/// with OpenMP). Inside a body of parallel_for it is the count of the caller. Any thread may call it. Throws
/// ValueError if ESPALIER_THREADS is not a number from 1 to kMaxThreads.
ESPALIER_API int num_threads();

/// Sets the count for all threads of the process from their next parallel_for on. Any thread may call it.
/// Throws ValueError unless 1 <= count <= kMaxThreads.
ESPALIER_API void set_num_threads(int count);

/// Bound on thread counts: a typing error should not start a million threads.
inline constexpr int kMaxThreads = 1024;

/// Sets num_threads() for the current thread while it lives. Guards nest; each is destroyed on the thread
/// that made it.
class ESPALIER_API ThreadCountGuard {
 public:
  /// Throws ValueError unless 1 <= count <= kMaxThreads.
  explicit ThreadCountGuard(int count);
  ~ThreadCountGuard();
  ThreadCountGuard(const ThreadCountGuard&) = delete;
  ThreadCountGuard& operator=(const ThreadCountGuard&) = delete;

 private:
  int previous_;
};

namespace detail {

/// A body of parallel_for without its type: `call(body, first, last)`.
struct RangeBody {
  void* body;
  void (*call)(void* body, int64_t first, int64_t last);
};

ESPALIER_API void parallel_run(int64_t begin, int64_t end, int64_t grain, RangeBody body);

}  // namespace detail

/// Calls `body(first, last)` on consecutive parts that together cover [begin, end), on several threads at
/// once where that pays.
///
/// - The parts are `min(num_threads(), ceil((end - begin) / grain))` (one if the range is not longer than
/// `grain`; a grain under 1
///   counts as 1) and their lengths differ by at most one. They depend on these numbers only, so a body that
///   sums part by part gives the same bits in each run.
/// - The caller works too, and returns when all parts are done. Nothing is allocated.
/// - A call from inside a body, and a call that finds the threads busy with another caller, runs the same
/// parts one after another on the
///   calling thread.
/// - If bodies throw, the first exception caught reaches the caller, when all other parts that had begun are
/// done; parts that had not
///   begun may be left out.
/// - Any thread may call it. `end - begin` must fit into int64_t. An empty or reversed range does nothing.
///
/// A fork and join of two threads costs about 0.8 us with OpenMP while its threads spin (the first
/// milliseconds after a region), 8 to 80 us when they have gone to sleep; choose `grain` so that a part takes
/// several times as long; kSerialWork helps.
template <typename Body>
void parallel_for(int64_t begin, int64_t end, int64_t grain, Body&& body) {
  if (begin >= end) return;
  if (end - begin <= grain) {
    body(begin, end);
    return;
  }
  using Plain = std::remove_reference_t<Body>;
  void* address = const_cast<void*>(static_cast<const void*>(std::addressof(body)));
  detail::parallel_run(begin, end, grain, {address, [](void* self, int64_t first, int64_t last) {
                                             (*static_cast<Plain*>(self))(first, last);
                                           }});
}

}  // namespace espalier
