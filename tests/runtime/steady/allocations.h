#pragma once

#include <cstdint>

namespace espalier::test {

/// What the process asked of the heap: calls that take memory and calls that give it back, of all threads.
/// This program's own malloc and free count them.
struct HeapCalls {
  int64_t own = 0;         ///< outside the calls of oneDNN
  int64_t library = 0;     ///< while one of oneDNN's primitives or products runs
  int64_t executions = 0;  ///< of those
};

/// Counts from its construction on; one at a time.
class HeapWatch {
 public:
  HeapWatch();
  ~HeapWatch();
  HeapWatch(const HeapWatch&) = delete;
  HeapWatch& operator=(const HeapWatch&) = delete;

  HeapCalls calls() const;
};

}  // namespace espalier::test
