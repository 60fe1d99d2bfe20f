#pragma once

#include <cstddef>

#include "core/allocator.h"
#include "core/device.h"
#include "core/export.h"

namespace espalier {

/// What the core needs of a kind of device. The CPU's is built in; a program that wants another device
/// installs its backend at start.
class ESPALIER_API Backend {
 public:
  virtual ~Backend();

  virtual int device_count() const = 0;
  virtual Allocator& allocator(Device device) = 0;
  /// The stream on which the calling thread queues work for `device`.
  virtual Stream current_stream(Device device) = 0;
  /// Waits for the stream; errors of the work queued on it are thrown here.
  virtual void synchronize(Stream stream) = 0;
  /// Copies within the device, from the host to it, or from it to the host, ordered by `stream`.
  virtual void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes,
                    Stream stream) = 0;
};

/// Installs the backend of a kind of device, which must outlive all tensors; call before any tensor of that
/// kind is made.
ESPALIER_API void install_backend(DeviceType type, Backend& backend);

/// The backend of `device`. Throws DeviceError where none is installed or the index is out of range.
ESPALIER_API Backend& backend(Device device);

/// Statistics of the memory of `device`, all zero for meta.
ESPALIER_API MemoryStats memory_stats(Device device = kCpu);

}  // namespace espalier
