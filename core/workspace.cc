#include "core/workspace.h"

#include "core/backend.h"

namespace espalier {

Scratch::Scratch(size_t bytes, Device device) : bytes_(bytes), device_(device) {
  if (bytes == 0) return;
  Backend& owner = backend(device);
  stream_ = owner.current_stream(device);
  block_ = owner.allocator(device).allocate(bytes, stream_);
}

Scratch::~Scratch() {
  if (block_) backend(device_).allocator(device_).release(block_, bytes_, stream_);
}

}  // namespace espalier
