#include "io/npy.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "io/npy_header_internal.h"
#include "ops/copy.h"

namespace espalier::io {
namespace {

/// The tensor of a file whose content stands at `bytes`; `share` makes a row-major tensor without a copy.
template <class Share>
Tensor tensor_of(std::span<unsigned char> bytes, const std::string& name, Share&& share) {
  const NpyHeader header = parse_npy_header(bytes, name);
  unsigned char* const data = bytes.data() + header.data_begin;
  const size_t size = bytes.size() - header.data_begin, element = size_of(header.dtype);
  if (header.dtype == Dtype::boolean && std::any_of(data, data + size, [](unsigned char b) { return b > 1; }))
    throw FormatError(name, "has a bool other than 0 and 1");

  // In Fortran order, what lies in memory is the array of the reversed axes.
  Shape stored = header.shape;
  if (header.fortran) std::reverse(stored.begin(), stored.end());
  Tensor tensor;
  if (size > 0 && !header.swapped && reinterpret_cast<uintptr_t>(data) % element == 0) {
    tensor = share(data, stored, header.dtype);
  } else {
    tensor = empty(stored, header.dtype);
    auto* const to = static_cast<unsigned char*>(tensor.raw_data());
    if (size > 0) std::memcpy(to, data, size);
    if (header.swapped) {
      for (size_t i = 0; i < size; i += element) std::reverse(to + i, to + i + element);
    }
  }
  if (!header.fortran) return tensor;
  Strides strides = tensor.strides();
  std::reverse(strides.begin(), strides.end());
  return tensor.with_layout(header.shape, strides, 0);
}

}  // namespace

Tensor load_npy(const std::filesystem::path& path) {
  const auto file = make_ref<MappedFile>(path);
  return tensor_of({file->data(), file->size()}, path.string(),
                   [&](unsigned char* data, const Shape& shape, Dtype dtype) {
                     return from_blob(data, shape, dtype, [file] {});
                   });
}

Tensor parse_npy(std::span<const unsigned char> bytes, const std::string& name) {
  return take_npy({bytes.begin(), bytes.end()}, name);
}

Tensor take_npy(std::vector<unsigned char> bytes, const std::string& name) {
  const auto content = std::make_shared<std::vector<unsigned char>>(std::move(bytes));
  return tensor_of(*content, name, [&](unsigned char* data, const Shape& shape, Dtype dtype) {
    return from_blob(data, shape, dtype, [content] {});
  });
}

std::pair<std::string, Tensor> npy_parts(const Tensor& tensor, const std::string& name) {
  if (!tensor.defined()) throw ValueError(name, "the tensor is undefined");
  if (tensor.device() != kCpu)
    throw DeviceError(name, "the tensor is on " + to_string(tensor.device()) + "; copy it to cpu first");
  return {npy_header(tensor.shape(), tensor.dtype(), name), contiguous(tensor.detach())};
}

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  const auto [header, rows] = npy_parts(tensor, path.string());
  AtomicFile file(path);
  file.write(header);
  file.write(std::span(static_cast<const unsigned char*>(rows.raw_data()),
                       static_cast<size_t>(rows.numel()) * size_of(rows.dtype())));
  file.commit();
}

}  // namespace espalier::io
