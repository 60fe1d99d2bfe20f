#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/tensor.h"

namespace espalier::io {

/// How many bytes the compression of either kind makes of one at most: 258 bytes of a row cost deflate 2
/// bits, and a block of 64 pixels costs a JPEG at least one.
inline constexpr uint64_t kMaxExpansion = 1032;

/// Refuses an image that is too large, or whose `needed` bytes or pixels cannot come out of `stored` bytes:
/// what a file merely claims is never allocated.
void check_image(uint64_t width, uint64_t height, uint64_t needed, uint64_t stored, const std::string& name);

/// An image of the file's content. Throw FormatError.
Tensor parse_png(std::span<const unsigned char> bytes, const std::string& name);
Tensor parse_jpeg(std::span<const unsigned char> bytes, const std::string& name);

}  // namespace espalier::io
