#include "core/backend.h"

#include <array>
#include <atomic>
#include <cstring>
#include <string>

#include "core/error.h"

namespace espalier {

Backend::~Backend() = default;

namespace {

class CpuBackend final : public Backend {
 public:
  int device_count() const override { return 1; }
  Allocator& allocator(Device) override { return *allocator_; }
  Stream current_stream(Device) override { return {}; }
  void synchronize(Stream) override {}
  void copy(void* to, Device, const void* from, Device, size_t bytes, Stream) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }

 private:
  std::unique_ptr<Allocator> allocator_ = make_caching_allocator();
};

Backend& cpu_backend() {
  // Never destroyed: tensors with static storage duration may outlive any static object of ours.
  static Backend* const backend = new CpuBackend;
  return *backend;
}

constinit std::array<std::atomic<Backend*>, kDeviceTypeCount> installed{};

}  // namespace

void install_backend(DeviceType type, Backend& backend) {
  installed[static_cast<size_t>(type)].store(&backend, std::memory_order_release);
}

Backend& backend(Device device) {
  if (device == kCpu) return cpu_backend();
  Backend* found = installed[static_cast<size_t>(device.type)].load(std::memory_order_acquire);
  if (!found) {
    throw DeviceError(to_string(device),
                      device.type == DeviceType::meta
                          ? "tensors on meta have no memory; make them on cpu to compute"
                          : "no backend for this kind of device is installed in this program");
  }
  if (device.index < 0 || device.index >= found->device_count()) {
    throw DeviceError(to_string(device),
                      "there are " + std::to_string(found->device_count()) + " devices of this kind");
  }
  return *found;
}

MemoryStats memory_stats(Device device) {
  return device.type == DeviceType::meta ? MemoryStats{} : backend(device).allocator(device).stats();
}

}  // namespace espalier
