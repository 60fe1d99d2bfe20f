#include "core/dlpack.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "core/error.h"

namespace espalier {
namespace {

using dlpack::DataType;
using dlpack::Managed;

DataType type_of(Dtype dtype) {
  const auto bits = static_cast<uint8_t>(8 * size_of(dtype));
  switch (dtype) {
    case Dtype::f64:
    case Dtype::f32:
    case Dtype::f16:
      return {dlpack::kFloat, bits, 1};
    case Dtype::bf16:
      return {dlpack::kBfloat, bits, 1};
    case Dtype::f8_e4m3:
      return {dlpack::kF8E4m3fn, bits, 1};
    case Dtype::f8_e5m2:
      return {dlpack::kF8E5m2, bits, 1};
    case Dtype::boolean:
      return {dlpack::kBool, bits, 1};
    case Dtype::u8:
    case Dtype::u16:
    case Dtype::u32:
    case Dtype::u64:
      return {dlpack::kUint, bits, 1};
    default:
      return {dlpack::kInt, bits, 1};
  }
}

Dtype dtype_of(const DataType& type) {
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    const DataType own = type_of(dtype);
    if (own.code == type.code && own.bits == type.bits && own.lanes == type.lanes) return dtype;
  }
  throw TypeError("from_dlpack", "elements of type code " + std::to_string(type.code) + ", " +
                                     std::to_string(type.bits) + " bits, " + std::to_string(type.lanes) +
                                     " lanes have no counterpart here");
}

/// What an exported tensor leans on.
struct Exported {
  Managed managed{};
  Tensor tensor;
  std::array<int64_t, kMaxRank> shape{}, strides{};
};

[[noreturn]] void refuse(const std::string& why) {
  throw ValueError("from_dlpack", why);
}

/// Bytes from the first element to behind the last.
size_t extent(const Shape& shape, const Strides& strides, Dtype dtype) {
  if (count(shape) == 0) return 0;
  int64_t last = 0, bytes = 0;
  bool fits = true;
  for (int i = 0; i < shape.rank(); ++i) {
    int64_t length = 0;
    fits = fits && !__builtin_mul_overflow(shape[i] - 1, strides[i], &length) &&
           !__builtin_add_overflow(last, length, &last);
  }
  fits = fits && !__builtin_add_overflow(last, int64_t{1}, &last) &&
         !__builtin_mul_overflow(last, static_cast<int64_t>(size_of(dtype)), &bytes);
  if (!fits) {
    throw ShapeError("from_dlpack",
                     "shape " + to_string(shape) + " with strides " + to_string(strides) + " is too large");
  }
  return static_cast<size_t>(bytes);
}

void check_header(const Managed& managed) {
  if (managed.version.major != dlpack::kVersion.major) {
    throw FormatError("from_dlpack", "version " + std::to_string(managed.version.major) + "." +
                                         std::to_string(managed.version.minor) + " of DLPack; expected " +
                                         std::to_string(dlpack::kVersion.major));
  }
  const dlpack::Array& array = managed.array;
  if (array.device.type != dlpack::kCpuDevice) {
    throw DeviceError("from_dlpack", "memory of device type " + std::to_string(array.device.type) +
                                         "; expected the host's, " + std::to_string(dlpack::kCpuDevice));
  }
  if (array.rank < 0 || array.rank > kMaxRank) {
    throw ShapeError("from_dlpack",
                     std::to_string(array.rank) + " axes; expected from 0 to " + std::to_string(kMaxRank));
  }
  if (array.rank > 0 && !array.shape) refuse("no shape for " + std::to_string(array.rank) + " axes");
  if (managed.flags & dlpack::kReadOnly) refuse("the elements may only be read; copy them first");
}

/// Those of the array where they count: axes of size 1 and empty arrays may have any.
Strides strides_of(const dlpack::Array& array, const Shape& shape) {
  Strides strides = contiguous_strides(shape);
  for (int i = 0; array.strides && count(shape) > 0 && i < shape.rank(); ++i) {
    if (shape[i] == 1) continue;
    strides[i] = array.strides[i];
    if (strides[i] < 0) {
      refuse("stride " + std::to_string(strides[i]) + " of axis " + std::to_string(i) +
             " walks backwards; copy the elements first");
    }
  }
  return strides;
}

}  // namespace

dlpack::Handle to_dlpack(const Tensor& tensor) {
  if (tensor.device().type != DeviceType::cpu)
    throw DeviceError("to_dlpack", describe(tensor) + " is not in the host's memory; copy it to cpu first");
  if (tensor.requires_grad()) {
    throw GradientError("to_dlpack",
                        describe(tensor) + " requires a gradient, which could not be followed; detach() it");
  }
  auto exported = std::make_unique<Exported>();
  exported->tensor = tensor;
  std::copy(tensor.shape().begin(), tensor.shape().end(), exported->shape.begin());
  std::copy(tensor.strides().begin(), tensor.strides().end(), exported->strides.begin());
  Managed& managed = exported->managed;
  managed.version = dlpack::kVersion;
  managed.array = {.data = tensor.raw_data(),
                   .device = {dlpack::kCpuDevice, 0},
                   .rank = tensor.rank(),
                   .dtype = type_of(tensor.dtype()),
                   .shape = exported->shape.data(),
                   .strides = exported->strides.data(),
                   .byte_offset = 0};
  managed.deleter = [](Managed* self) { delete static_cast<Exported*>(self->owner); };
  managed.owner = exported.release();
  return dlpack::Handle(&managed);
}

Tensor from_dlpack(dlpack::Handle handle) {
  if (!handle) refuse("a null handle; a tensor can be consumed once");
  check_header(*handle);
  const dlpack::Array& array = handle->array;
  const Dtype dtype = dtype_of(array.dtype);
  const auto rank = static_cast<size_t>(array.rank);
  const Shape shape(std::span(array.shape, rank));
  const int64_t elements = checked_count(shape, "from_dlpack");
  const Strides strides = strides_of(array, shape);
  if (!array.data && elements > 0) refuse("null pointer given for " + to_string(shape));
  char* data = array.data ? static_cast<char*>(array.data) + array.byte_offset : nullptr;
  if (elements > 0 && reinterpret_cast<uintptr_t>(data) % size_of(dtype) != 0)
    refuse("the address is not a multiple of the " + std::to_string(size_of(dtype)) + " bytes of an element");
  const size_t bytes = extent(shape, strides, dtype);
  // A std::function wants what can be copied; ownership moves in when nothing can throw any more.
  const auto shared = std::make_shared<dlpack::Handle>(std::move(handle));
  auto storage = make_ref<Storage>(data, bytes, kCpu, [shared]() mutable { shared->reset(); });
  return Tensor(make_ref<TensorBody>(std::move(storage), dtype, shape, strides, 0));
}

}  // namespace espalier
