#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "io/safetensors_header_internal.h"
#include "ops/copy.h"

namespace espalier::io {
namespace {

constexpr size_t kHeaderLengthBytes = 8;

/// Where a file's parts are.
struct Parts {
  SafetensorsHeader header;
  size_t data_begin;
};

Parts take_apart(std::span<const unsigned char> bytes, const std::string& name) {
  if (bytes.size() < kHeaderLengthBytes) {
    throw FormatError(
        name, "is " + std::to_string(bytes.size()) + " bytes long; a safetensors file has at least 8");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kHeaderLengthBytes; ++i) length |= uint64_t{bytes[i]} << (8 * i);
  if (length > kMaxHeader) {
    throw FormatError(name, "claims a header of " + std::to_string(length) + " bytes; the format allows " +
                                std::to_string(kMaxHeader));
  }
  if (length > bytes.size() - kHeaderLengthBytes) {
    throw FormatError(name, "claims a header of " + std::to_string(length) + " bytes, but has only " +
                                std::to_string(bytes.size() - kHeaderLengthBytes) + " (is it cut short?)");
  }
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()) + kHeaderLengthBytes, length);
  const size_t data_begin = kHeaderLengthBytes + length;
  return {parse_safetensors_header(json, bytes.size() - data_begin, name), data_begin};
}

/// A bool that is neither 0 nor 1 is no value of C++; nor does the format know it.
void check_bools(const SafetensorsEntry& entry, const unsigned char* data, const std::string& name) {
  if (entry.dtype != Dtype::boolean) return;
  const unsigned char* end = data + (entry.end - entry.begin);
  if (std::any_of(data, end, [](unsigned char byte) { return byte > 1; })) {
    throw FormatError(name, "tensor '" + entry.name + "' of type BOOL has a byte other than 0 and 1");
  }
}

/// The tensors of a file whose content stands at `base`; `share` makes a tensor without a copy.
template <class Share>
Safetensors tensors_of(std::span<unsigned char> bytes, const std::string& name, Share&& share) {
  Parts parts = take_apart(bytes, name);
  Safetensors result;
  result.metadata = std::move(parts.header.metadata);
  for (const SafetensorsEntry& entry : parts.header.entries) {
    unsigned char* data = bytes.data() + parts.data_begin + entry.begin;
    check_bools(entry, data, name);
    const bool aligned = reinterpret_cast<uintptr_t>(data) % size_of(entry.dtype) == 0;
    Tensor tensor;
    if (aligned && entry.begin != entry.end) {
      tensor = share(data, entry);
    } else {
      tensor = empty(entry.shape, entry.dtype);
      if (tensor.numel() > 0) std::memcpy(tensor.raw_data(), data, entry.end - entry.begin);
    }
    result.tensors.emplace(entry.name, std::move(tensor));
  }
  return result;
}

nlohmann::ordered_json header_of(const std::vector<std::pair<std::string, Tensor>>& tensors,
                                 const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t end = begin + static_cast<uint64_t>(tensor.numel()) * size_of(tensor.dtype());
    header[name] = {{"dtype", safetensors_type(tensor.dtype())},
                    {"shape", std::vector<int64_t>(tensor.shape().begin(), tensor.shape().end())},
                    {"data_offsets", {begin, end}}};
    begin = end;
  }
  return header;
}

}  // namespace

Safetensors load_safetensors(const std::filesystem::path& path) {
  const auto file = make_ref<MappedFile>(path);
  return tensors_of({file->data(), file->size()}, path.string(),
                    [&](unsigned char* data, const SafetensorsEntry& entry) {
                      return from_blob(data, entry.shape, entry.dtype, [file] {});
                    });
}

Safetensors parse_safetensors(std::span<const unsigned char> bytes, const std::string& name) {
  const auto content = std::make_shared<std::vector<unsigned char>>(bytes.begin(), bytes.end());
  return tensors_of(*content, name, [&](unsigned char* data, const SafetensorsEntry& entry) {
    return from_blob(data, entry.shape, entry.dtype, [content] {});
  });
}

void save_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<std::pair<std::string, Tensor>> ordered;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) throw ValueError(path.string(), "tensor '" + name + "' is undefined");
    if (name == "__metadata__") throw ValueError(path.string(), "the name __metadata__ is the format's own");
    if (tensor.device() != kCpu)
      throw DeviceError(path.string(), "tensor '" + name + "' is on " + to_string(tensor.device()) +
                                           "; copy it to cpu first");
    ordered.emplace_back(name, contiguous(tensor.detach()));
  }
  // Wide elements first: then every tensor is aligned to its elements, because the header is padded to eight
  // bytes.
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return size_of(a.second.dtype()) > size_of(b.second.dtype());
  });

  std::string header;
  try {
    header = header_of(ordered, metadata).dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(path.string(), "a name or metadata text is not valid UTF-8");
  }
  header.resize((header.size() + kHeaderLengthBytes - 1) / kHeaderLengthBytes * kHeaderLengthBytes, ' ');
  if (header.size() > kMaxHeader)
    throw ValueError(path.string(),
                     "the header would exceed the format's " + std::to_string(kMaxHeader) + " bytes");
  std::array<unsigned char, kHeaderLengthBytes> length;
  for (size_t i = 0; i < kHeaderLengthBytes; ++i)
    length[i] = static_cast<unsigned char>(header.size() >> (8 * i));

  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const auto& [name, tensor] : ordered) {
    file.write(std::span(static_cast<const unsigned char*>(tensor.raw_data()),
                         static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype())));
  }
  file.commit();
}

}  // namespace espalier::io
