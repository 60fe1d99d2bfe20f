#include "core/allocator.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include <sys/mman.h>

#include "core/error.h"

namespace espalier {

Allocator::~Allocator() = default;

namespace {

constexpr size_t kMinBlock = Allocator::kAlignment;
constexpr int kClassesPerDoubling = 8;
constexpr int kClassCount = 64 * kClassesPerDoubling;

// From this size on, transparent huge pages are asked for: one page fault for 2 MiB instead of 512.
constexpr size_t kHugePage = size_t{2} << 20;

struct SizeClass {
  int index;
  size_t bytes;
};

/// The smallest class that holds `bytes`: m * 2^k with m in 8..15, and a multiple of the alignment.
SizeClass size_class(size_t bytes) {
  const size_t units = std::max<size_t>((bytes + kMinBlock - 1) / kMinBlock, 1);
  if (units <= kClassesPerDoubling) return {static_cast<int>(units), units * kMinBlock};
  const int shift = static_cast<int>(std::bit_width(units - 1)) - 4;  // leaves four bits: 8..15
  const size_t mantissa = ((units - 1) >> shift) + 1;                 // 9..16
  return {shift * kClassesPerDoubling + static_cast<int>(mantissa), (mantissa << shift) * kMinBlock};
}

class CachingAllocator final : public Allocator {
 public:
  ~CachingAllocator() override { trim(); }

  void* allocate(size_t bytes, Stream) override {
    if (bytes > std::numeric_limits<size_t>::max() / 4) out_of_memory(bytes);
    const SizeClass size = size_class(bytes);
    std::lock_guard lock(mutex_);
    std::vector<void*>& free = free_[static_cast<size_t>(size.index)];
    void* block = nullptr;
    if (!free.empty()) {
      block = free.back();
      free.pop_back();
      stats_.cached -= static_cast<int64_t>(size.bytes);
    } else {
      block = from_system(size.bytes);
      // Room for this block's return is reserved now, so that release() cannot fail.
      if (free.capacity() < ++blocks_[static_cast<size_t>(size.index)]) free.reserve(2 * free.capacity() + 8);
    }
    ++stats_.allocations;
    stats_.current += static_cast<int64_t>(size.bytes);
    stats_.peak = std::max(stats_.peak, stats_.current);
    return block;
  }

  void release(void* block, size_t bytes, Stream) noexcept override {
    const SizeClass size = size_class(bytes);
    std::lock_guard lock(mutex_);
    free_[static_cast<size_t>(size.index)].push_back(block);
    stats_.current -= static_cast<int64_t>(size.bytes);
    stats_.cached += static_cast<int64_t>(size.bytes);
  }

  MemoryStats stats() const override {
    std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() override {
    std::lock_guard lock(mutex_);
    stats_.peak = stats_.current;
  }

  void trim() override {
    std::lock_guard lock(mutex_);
    trim_locked();
  }

 private:
  [[noreturn]] static void out_of_memory(size_t bytes) {
    throw MemoryError("cpu",
                      "the system has no " + std::to_string(bytes) + " bytes of memory left for a tensor");
  }

  void* from_system(size_t bytes) {
    const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, rounded);
    if (!block) {
      trim_locked();
      block = std::aligned_alloc(alignment, rounded);
    }
    if (!block) out_of_memory(bytes);
    if (alignment == kHugePage) madvise(block, rounded, MADV_HUGEPAGE);  // advice: a refusal costs speed only
    ++stats_.system_calls;
    return block;
  }

  void trim_locked() {
    for (size_t i = 0; i < free_.size(); ++i) {
      for (void* block : free_[i]) std::free(block);
      blocks_[i] -= free_[i].size();
      free_[i].clear();
    }
    stats_.cached = 0;
  }

  mutable std::mutex mutex_;
  std::array<std::vector<void*>, kClassCount> free_;
  std::array<size_t, kClassCount> blocks_{};
  MemoryStats stats_;
};

}  // namespace

std::unique_ptr<Allocator> make_caching_allocator() {
  return std::make_unique<CachingAllocator>();
}

}  // namespace espalier
