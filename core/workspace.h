#pragma once

#include <cstddef>
#include <cstdint>

#include "core/allocator.h"
#include "core/export.h"

namespace espalier {

/// The memory that a kernel needs for itself while it runs, taken piece by piece. Without memory behind it
/// the pieces are null and only counted. So the code that takes them also says how much they are, and runs
/// where nothing has elements yet:
///
///   struct Sums {
///     Sums(const Problem& p, Workspace& work) : of_rows(work.take<float>(p.rows)) {}
///     float* of_rows;
///   };
class Workspace {
 public:
  Workspace() = default;
  /// `memory`, aligned to Allocator::kAlignment, holds all that will be taken.
  explicit Workspace(void* memory) noexcept : memory_(static_cast<char*>(memory)) {}

  /// Room for `count` elements, aligned to Allocator::kAlignment; they have any value.
  template <class T>
  T* take(int64_t count) noexcept {
    const size_t begin = bytes_;
    const size_t lines =
        (static_cast<size_t>(count) * sizeof(T) + Allocator::kAlignment - 1) / Allocator::kAlignment;
    bytes_ += lines * Allocator::kAlignment;
    return memory_ ? reinterpret_cast<T*>(memory_ + begin) : nullptr;
  }

  /// What was taken so far.
  size_t bytes() const noexcept { return bytes_; }

 private:
  char* memory_ = nullptr;
  size_t bytes_ = 0;
};

/// What a kernel's two functions, to run and to say how much memory that takes, are made of where a class
/// does the work: its constructor takes `arguments` and a Workspace, from which it takes all that it needs,
/// and run() does the rest.
template <class Work, class... T>
size_t scratch_of(const T&... arguments) {
  Workspace counter;
  const Work work(arguments..., counter);
  return counter.bytes();
}
template <class Work, class... T>
void run_with(void* scratch, const T&... arguments) {
  Workspace memory(scratch);
  Work(arguments..., memory).run();
}

/// Memory from a device's allocator while it lives; none for 0 bytes.
class ESPALIER_API Scratch {
 public:
  /// Throws MemoryError.
  explicit Scratch(size_t bytes, Device device = kCpu);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* get() const noexcept { return block_; }

 private:
  size_t bytes_;
  Device device_;
  Stream stream_;
  void* block_ = nullptr;
};

}  // namespace espalier
