#pragma once

#include <cstdint>
#include <memory>

#include "core/tensor.h"

namespace espalier {

/// The binary interface of DLPack, version 1 (https://dmlc.github.io/dlpack/latest/c_api.html), through which
/// libraries exchange tensors without a copy. The names are this library's own, the layout is the published
/// one, so a pointer may be cast to the types of another header.
namespace dlpack {

struct Version {
  uint32_t major, minor;
};
inline constexpr Version kVersion{1, 1};

struct Device {
  int32_t type, index;
};
inline constexpr int32_t kCpuDevice = 1;

struct DataType {
  uint8_t code, bits;
  uint16_t lanes;
};
/// Codes of DataType that have a Dtype here.
enum Code : uint8_t { kInt = 0, kUint = 1, kFloat = 2, kBfloat = 4, kBool = 6, kF8E4m3fn = 10, kF8E5m2 = 12 };

/// A strided array that belongs to someone else. Strides count elements; null ones mean row-major.
struct Array {
  void* data;
  Device device;
  int32_t rank;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};

/// DLManagedTensorVersioned: an array with its owner. Who receives it calls `deleter`, if there is one, once.
struct Managed {
  Version version;
  void* owner;
  void (*deleter)(Managed* self);
  uint64_t flags;
  Array array;
};
inline constexpr uint64_t kReadOnly = 1;  ///< of flags: nobody may write the elements

struct Deleter {
  void operator()(Managed* managed) const noexcept {
    if (managed->deleter) managed->deleter(managed);
  }
};
/// Owns a Managed: release() hands it to C code, and one that came from C code is wrapped in it.
using Handle = std::unique_ptr<Managed, Deleter>;

}  // namespace dlpack

/// The elements of `tensor` for another library; they live until the handle's deleter is called, whatever
/// happens to the tensor. Throws DeviceError unless they are in the host's memory, GradientError for a tensor
/// that requires a gradient (detach() it first), ValueError for an undefined one.
ESPALIER_API dlpack::Handle to_dlpack(const Tensor& tensor);

/// A tensor on the elements of another library, which are shared. The deleter is called when the last view is
/// gone, or before this throws. Throws ValueError for a null handle (one that was consumed already, say),
/// null pointers, elements that may only be read, negative strides or an address that is not aligned to the
/// type; FormatError for another major version; DeviceError for memory that is not the host's; TypeError for
/// a type that has no counterpart here; ShapeError for more than kMaxRank axes, or sizes that are negative or
/// too large.
ESPALIER_API Tensor from_dlpack(dlpack::Handle handle);

}  // namespace espalier
