#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "runtime/onnx_elements_internal.h"
#include "runtime/onnx_format_internal.h"

namespace espalier::runtime {
namespace {

[[noreturn]] void refuse_tensor(const OnnxTensor& tensor, const std::string& why) {
  throw ValueError(kOnnx, "tensor " + quoted_name(tensor.name) + ' ' + why);
}

size_t bytes_of_shape(const Shape& shape, Dtype dtype) {
  return static_cast<size_t>(checked_count(shape, kOnnx)) * size_of(dtype);
}

/// A bool that is neither 0 nor 1 is no value of C++.
void check_bools(const OnnxTensor& tensor, Dtype dtype, const unsigned char* data, size_t size) {
  if (dtype == Dtype::boolean && std::any_of(data, data + size, [](unsigned char byte) { return byte > 1; }))
    refuse_tensor(tensor, "of bools has a byte other than 0 and 1");
}

Tensor copied(const OnnxTensor& tensor, const unsigned char* data, const Shape& shape, Dtype dtype) {
  const size_t size = bytes_of_shape(shape, dtype);
  check_bools(tensor, dtype, data, size);
  Tensor result = empty(shape, dtype);
  if (size > 0) std::memcpy(result.raw_data(), data, size);
  return result;
}

void check_elements(const OnnxTensor& tensor, size_t found, const Shape& shape) {
  const auto expected = static_cast<size_t>(checked_count(shape, kOnnx));
  if (found != expected) {
    refuse_tensor(tensor, "of shape " + to_string(shape) + " has " + std::to_string(found) +
                              " elements, not " + std::to_string(expected));
  }
}

template <class T>
Tensor from_list(const OnnxTensor& tensor, const std::vector<T>& values, const Shape& shape) {
  check_elements(tensor, values.size(), shape);
  return from_values(values, shape);
}

/// An integer of the file as an element: the narrow floating types are there by their bits.
template <class T>
T element_from(const OnnxTensor& tensor, int64_t value) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    if (value >= 0 && value <= std::numeric_limits<uint16_t>::max())
      return std::bit_cast<T>(static_cast<uint16_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    // An u64 has the bits of the number, which may make that negative.
    if (sizeof(T) == sizeof(int64_t) || static_cast<int64_t>(static_cast<T>(value)) == value)
      return static_cast<T>(value);
  }
  refuse_tensor(tensor, "has an element " + std::to_string(value) + ", which its type does not have");
}

Tensor from_integers(const OnnxTensor& tensor, const Shape& shape, Dtype dtype) {
  check_elements(tensor, tensor.integers.size(), shape);
  Tensor result = empty(shape, dtype);
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::transform(tensor.integers.begin(), tensor.integers.end(), static_cast<T*>(result.raw_data()),
                   [&](int64_t value) { return element_from<T>(tensor, value); });
  });
  return result;
}

/// A number of bytes in decimal; `otherwise` where there is none.
uint64_t place_number(const OnnxTensor& tensor, const char* key, uint64_t otherwise) {
  const auto found = tensor.place.find(key);
  if (found == tensor.place.end()) return otherwise;
  uint64_t value = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    refuse_tensor(tensor,
                  "is at " + std::string(key) + ' ' + quoted_name(text) + " of a file, which is no number");
  return value;
}

}  // namespace

Tensor OnnxElements::read(const OnnxTensor& tensor) {
  const Dtype dtype = dtype_of_onnx(tensor.type);
  const Shape shape(std::span<const int64_t>(tensor.sizes));
  const size_t size = bytes_of_shape(shape, dtype);
  if (tensor.external) return read_external(tensor, shape, dtype);
  if (tensor.raw) {
    if (tensor.raw->size() != size) {
      refuse_tensor(tensor, "of shape " + to_string(shape) + " and type " + std::string(to_string(dtype)) +
                                " has " + std::to_string(tensor.raw->size()) + " bytes, not " +
                                std::to_string(size));
    }
    return copied(tensor, reinterpret_cast<const unsigned char*>(tensor.raw->data()), shape, dtype);
  }
  if (dtype == Dtype::f32) return from_list(tensor, tensor.floats, shape);
  if (dtype == Dtype::f64) return from_list(tensor, tensor.doubles, shape);
  return from_integers(tensor, shape, dtype);
}

Tensor OnnxElements::read_external(const OnnxTensor& tensor, const Shape& shape, Dtype dtype) {
  const auto location = tensor.place.find("location");
  if (location == tensor.place.end()) refuse_tensor(tensor, "is in another file, whose name is missing");
  if (!folder_) {
    refuse_tensor(tensor, "is in another file, " + quoted_name(location->second) +
                              "; read the model from its file (load_onnx)");
  }
  const uint64_t size = bytes_of_shape(shape, dtype), offset = place_number(tensor, "offset", 0),
                 length = place_number(tensor, "length", size);
  const Ref<io::MappedFile>& from = file(*folder_, location->second);
  if (length != size || offset > from->size() || size > from->size() - offset) {
    refuse_tensor(tensor, "takes " + std::to_string(size) + " bytes; it is said to have " +
                              std::to_string(length) + " from byte " + std::to_string(offset) + " on of " +
                              quoted_name(location->second) + ", which has " + std::to_string(from->size()) +
                              " (is it cut short?)");
  }
  unsigned char* data = from->data() + offset;
  const bool aligned = reinterpret_cast<uintptr_t>(data) % size_of(dtype) == 0;
  if (!aligned || size == 0) return copied(tensor, data, shape, dtype);
  check_bools(tensor, dtype, data, size);
  return from_blob(data, shape, dtype, [from] {});
}

/// Opens what a location names, unless that is outside the model's folder, by its name or by a link.
const Ref<io::MappedFile>& OnnxElements::file(const std::filesystem::path& in, const std::string& location) {
  Ref<io::MappedFile>& file = files_[location];
  if (file) return file;
  const auto refuse = [&] {
    throw ValueError(kOnnx, "elements are said to be in " + quoted_name(location) +
                                ", which is no file of the model's folder");
  };
  const std::filesystem::path relative(location);
  if (relative.empty() || relative.is_absolute() ||
      std::any_of(relative.begin(), relative.end(), [](const auto& part) { return part == ".."; }))
    refuse();
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(in, error);
  if (error) throw IoError(in.string(), error.message());
  const std::filesystem::path path = std::filesystem::canonical(folder / relative, error);
  if (error) throw IoError((folder / relative).string(), error.message());
  const auto inside = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  if (inside.first != folder.end()) refuse();
  file = make_ref<io::MappedFile>(path);
  return file;
}

}  // namespace espalier::runtime
