#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/device.h"
#include "core/export.h"

namespace espalier {

/// What an allocator has done, in bytes unless said otherwise.
struct MemoryStats {
  int64_t current = 0;       ///< handed out now
  int64_t peak = 0;          ///< the most that was handed out at once since the last reset
  int64_t cached = 0;        ///< kept for reuse
  int64_t allocations = 0;   ///< number of blocks handed out so far
  int64_t system_calls = 0;  ///< number of blocks taken from the system so far
};

/// Memory of one device. Any thread may call.
///
/// Memory is ordered by stream: a block released on a stream may be handed out again on that stream at once,
/// because work queued later runs later; a block used on a second stream must be released only after that
/// stream's work.
class ESPALIER_API Allocator {
 public:
  virtual ~Allocator();

  /// A block of at least `bytes`, aligned to kAlignment; never null. Throws MemoryError where the device has
  /// no more.
  virtual void* allocate(size_t bytes, Stream stream) = 0;
  /// Takes back a block of `bytes`, as it was asked for.
  virtual void release(void* block, size_t bytes, Stream stream) noexcept = 0;
  virtual MemoryStats stats() const = 0;
  virtual void reset_peak() = 0;
  /// Gives the cached blocks back to the system.
  virtual void trim() = 0;

  /// A cache line and a full AVX-512 register, in bytes.
  static constexpr size_t kAlignment = 64;
};

/// The CPU's caching allocator: sizes are rounded up to classes (eight a doubling, so at most 12.5 % is lost)
/// and blocks of a class are reused last in, first out, while they are still in cache.
ESPALIER_API std::unique_ptr<Allocator> make_caching_allocator();

}  // namespace espalier
