#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/device.h"
#include "core/export.h"
#include "core/ref.h"

namespace espalier {

/// A block of a device's memory, shared by the tensors that look into it. It counts its changes, so that a
/// reader can tell that what it saw is still there.
class ESPALIER_API Storage final : public RefCounted {
 public:
  /// Takes `bytes` from the allocator of `device`; a device without memory (meta) gives a null block.
  Storage(size_t bytes, Device device);
  /// Looks into memory that belongs to someone else; `release`, if any, is called when the last tensor lets
  /// go.
  Storage(void* data, size_t bytes, Device device, std::function<void()> release);
  ~Storage();

  void* data() const noexcept { return data_; }
  /// Looks into other memory of the same size from now on: for executors, whose callers lend them theirs.
  /// Only for a storage that was made for memory of someone else, and that nobody reads meanwhile.
  void point_at(void* data) noexcept { data_ = data; }
  size_t bytes() const noexcept { return bytes_; }
  Device device() const noexcept { return device_; }

  uint32_t version() const noexcept { return version_.load(std::memory_order_relaxed); }
  /// Notes a change in place by `writer`, the name of an operation: a literal.
  void bump_version(const char* writer) noexcept {
    version_.fetch_add(1, std::memory_order_relaxed);
    last_writer_.store(writer, std::memory_order_relaxed);
  }
  /// Who made the last change in place.
  const char* last_writer() const noexcept { return last_writer_.load(std::memory_order_relaxed); }

 private:
  void* data_ = nullptr;
  size_t bytes_;
  Stream stream_;
  Device device_;
  bool owned_;
  std::atomic<uint32_t> version_{0};
  std::atomic<const char*> last_writer_{"nobody"};
  std::function<void()> release_;
};

}  // namespace espalier
