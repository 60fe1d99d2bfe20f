#include "core/storage.h"

#include <utility>

#include "core/backend.h"

namespace espalier {

Storage::Storage(size_t bytes, Device device)
    : bytes_(bytes), device_(device), owned_(device.type != DeviceType::meta) {
  if (!owned_) return;
  Backend& owner = backend(device);
  stream_ = owner.current_stream(device);
  data_ = owner.allocator(device).allocate(bytes, stream_);
}

Storage::Storage(void* data, size_t bytes, Device device, std::function<void()> release)
    : data_(data), bytes_(bytes), device_(device), owned_(false), release_(std::move(release)) {}

Storage::~Storage() {
  if (owned_) backend(device_).allocator(device_).release(data_, bytes_, stream_);
  if (release_) release_();
}

}  // namespace espalier
