#include "io/idx.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/error.h"
#include "io/gzip.h"

namespace espalier::io {
namespace {

constexpr size_t kMaxBytes = size_t{4} << 30;

std::optional<Dtype> type_of_code(unsigned char code) {
  switch (code) {
    case 0x08:
      return Dtype::u8;
    case 0x09:
      return Dtype::i8;
    case 0x0B:
      return Dtype::i16;
    case 0x0C:
      return Dtype::i32;
    case 0x0D:
      return Dtype::f32;
    case 0x0E:
      return Dtype::f64;
    default:
      return {};
  }
}

uint32_t big_endian32(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

Tensor load_idx(const std::filesystem::path& path) {
  return parse_idx(read_gzip_or_plain(path, kMaxBytes), path.string());
}

Tensor parse_idx(std::span<const unsigned char> bytes, const std::string& name) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0)
    throw FormatError(name, "is not an IDX file: it does not begin with two zero bytes, type and rank");
  const std::optional<Dtype> dtype = type_of_code(bytes[2]);
  if (!dtype) throw FormatError(name, "has the unknown IDX type " + std::to_string(bytes[2]));
  const size_t rank = bytes[3], header = 4 + 4 * rank;
  if (rank > static_cast<size_t>(kMaxRank)) {
    throw FormatError(
        name, "has " + std::to_string(rank) + " axes; a tensor has at most " + std::to_string(kMaxRank));
  }
  if (bytes.size() < header) throw FormatError(name, "is cut short in its header");

  Shape shape;
  for (size_t axis = 0; axis < rank; ++axis) shape.push_back(big_endian32(&bytes[4 + 4 * axis]));
  const size_t element = size_of(*dtype), size = bytes.size() - header;
  size_t claimed = 0;
  try {
    claimed = static_cast<size_t>(checked_count(shape, name)) * element;
  } catch (const ShapeError& error) {
    throw FormatError(name, error.message());
  }
  if (claimed != size) {
    throw FormatError(name, "has " + std::to_string(size) + " bytes of elements, other than those of " +
                                std::string(to_string(*dtype)) + to_string(shape) +
                                (claimed > size ? "; the file is cut short" : ""));
  }

  Tensor tensor = empty(shape, *dtype);
  auto* to = static_cast<unsigned char*>(tensor.raw_data());
  if (size > 0) std::memcpy(to, &bytes[header], size);
  for (size_t i = 0; element > 1 && i < size; i += element) std::reverse(to + i, to + i + element);
  return tensor;
}

}  // namespace espalier::io
