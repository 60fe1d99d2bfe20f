#pragma once

#include <cstdint>

namespace espalier {

/// While it lives, numbers below the smallest normal one (1.2e-38 in f32) count as 0 in this thread's
/// arithmetic on f32 and f64, operands as well as results. x86 alone; elsewhere it does nothing.
class FlushSubnormals {
 public:
#if defined(__x86_64__)
  // Written out so that no access to memory, and so nothing of a loop, is moved across.
  FlushSubnormals() {
    asm volatile("stmxcsr %0" : "=m"(before_));
    const uint32_t flushing = before_ | kFlushToZero | kSubnormalsAreZero;
    asm volatile("ldmxcsr %0" : : "m"(flushing) : "memory");
  }
  ~FlushSubnormals() { asm volatile("ldmxcsr %0" : : "m"(before_) : "memory"); }
#else
  FlushSubnormals() = default;
#endif
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  static constexpr uint32_t kFlushToZero = 1U << 15, kSubnormalsAreZero = 1U << 6;

  uint32_t before_ = 0;
};

}  // namespace espalier
