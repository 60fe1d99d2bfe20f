#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace espalier::io {

/// The most pixels (width times height) that an image may have to be read or written.
inline constexpr int64_t kMaxImagePixels = int64_t{1} << 26;

/// Reads a PNG or JPEG file, told apart by their first bytes, as u8 [C, H, W] in row-major memory: C is 1 for
/// grey images and 3 (red, green, blue) for all others. Values are those stored: gamma, colour profiles and a
/// camera's note on how it was held do nothing. In a PNG, palettes become colours, fewer than 8 bits spread
/// to 0..255, 16 bits are rounded to 8, and transparency is dropped: a pixel has its colour, however faint.
///
/// Throws IoError where the file cannot be opened, FormatError where it is neither kind, is damaged or cut
/// short anywhere, is a JPEG in CMYK, or claims more than kMaxImagePixels.
ESPALIER_API Tensor read_image(const std::filesystem::path& path);

/// The same from memory. `name` stands for the file in errors.
ESPALIER_API Tensor parse_image(std::span<const unsigned char> bytes, const std::string& name = "image");

/// The PNG file of an image u8 [1 or 3, H, W] (grey, or red, green, blue). Throws ValueError for an undefined
/// tensor, TypeError for another type, ShapeError for another shape, no pixel, more than kMaxImagePixels, or
/// a side above 1,000,000, and DeviceError for a tensor that is not in the host's memory.
ESPALIER_API std::vector<unsigned char> encode_png(const Tensor& image);

/// Writes that, whole or not at all (io/atomic_file.h). Throws IoError and what encode_png throws.
ESPALIER_API void save_png(const std::filesystem::path& path, const Tensor& image);

}  // namespace espalier::io
