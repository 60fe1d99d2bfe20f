#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/export.h"

namespace espalier::io {

/// A file's content: inflated where it is gzip's (RFC 1952; it begins with the bytes 1f 8b), also of several
/// members in a row, else as it is.
///
/// Throws IoError where the file cannot be opened; FormatError where the content is longer than `limit`
/// bytes, and where a gzip stream is cut short, corrupt, has a wrong checksum or length, or is followed by
/// anything but another one. At most twice `limit` is allocated.
ESPALIER_API std::vector<unsigned char> read_gzip_or_plain(const std::filesystem::path& path, size_t limit);

/// The same from memory. `name` stands for the file in errors.
ESPALIER_API std::vector<unsigned char> inflate_gzip_or_plain(std::span<const unsigned char> bytes,
                                                              size_t limit, const std::string& name = "gzip");

}  // namespace espalier::io
