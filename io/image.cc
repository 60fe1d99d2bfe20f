#include "io/image.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/image_internal.h"
#include "io/mapped_file.h"
#include "ops/copy.h"
#include "ops/permute.h"

namespace espalier::io {
namespace {

constexpr std::array<unsigned char, 8> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::array<unsigned char, 3> kJpeg = {0xff, 0xd8, 0xff};

template <size_t N>
bool begins_with(std::span<const unsigned char> bytes, const std::array<unsigned char, N>& magic) {
  return bytes.size() >= N && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

void check_image(uint64_t width, uint64_t height, uint64_t needed, uint64_t stored, const std::string& name) {
  const std::string claim =
      "claims " + std::to_string(width) + " x " + std::to_string(height) + " pixels, more than ";
  if (width * height > static_cast<uint64_t>(kMaxImagePixels))  // both are below 2^32
    throw FormatError(name, claim + "the " + std::to_string(kMaxImagePixels) + " that are read");
  if (needed / kMaxExpansion > stored)
    throw FormatError(name, claim + "its " + std::to_string(stored) + " bytes can hold (is it cut short?)");
}

Tensor parse_image(std::span<const unsigned char> bytes, const std::string& name) {
  if (bytes.empty()) throw FormatError(name, "is empty; PNG and JPEG images are read");
  const bool png = begins_with(bytes, kPng);
  if (!png && !begins_with(bytes, kJpeg))
    throw FormatError(name, "begins neither as a PNG nor as a JPEG image does; convert it to one of them");
  const Tensor rows = png ? parse_png(bytes, name) : parse_jpeg(bytes, name);  // [H, W, C]
  return contiguous(permute(rows, {2, 0, 1}));
}

Tensor read_image(const std::filesystem::path& path) {
  const auto file = make_ref<MappedFile>(path);
  return parse_image({file->data(), file->size()}, path.string());
}

void save_png(const std::filesystem::path& path, const Tensor& image) {
  const std::vector<unsigned char> bytes = encode_png(image);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace espalier::io
