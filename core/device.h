#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/export.h"

namespace espalier {

enum class DeviceType : uint8_t { cpu, cuda, meta };
inline constexpr int kDeviceTypeCount = 3;

/// Where a tensor lives: `cpu`, `cuda:n`, or `meta`, whose tensors have shapes and types but no memory.
struct Device {
  DeviceType type = DeviceType::cpu;
  int16_t index = 0;

  friend constexpr bool operator==(Device, Device) = default;
};

inline constexpr Device kCpu{DeviceType::cpu, 0};
inline constexpr Device kMeta{DeviceType::meta, 0};

/// `cpu`, `meta`, `cuda:0`.
ESPALIER_API std::string to_string(Device device);

/// Reads `cpu`, `meta`, `cuda` or `cuda:n`. Throws ValueError for anything else.
ESPALIER_API Device parse_device(std::string_view text);

/// A queue of work on a device, executed in order. The CPU has one, and work on it is done when the call
/// returns.
struct Stream {
  Device device = kCpu;
  void* handle = nullptr;

  friend constexpr bool operator==(const Stream&, const Stream&) = default;
};

}  // namespace espalier
