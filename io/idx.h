#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/tensor.h"

namespace espalier::io {

/// Reads a file of the IDX format, MNIST's (http://yann.lecun.com/exdb/mnist/): two zero bytes, the type, the
/// number of axes, their sizes and the elements, all big-endian. Types u8, i8, i16, i32, f32 and f64. The
/// file may be packed by gzip.
///
/// Throws IoError where the file cannot be read, FormatError where it is not well-formed: another magic
/// number, cut short, bytes behind the elements, more than 4 GiB.
ESPALIER_API Tensor load_idx(const std::filesystem::path& path);

/// The same from memory, not packed. `name` stands for the file in errors.
ESPALIER_API Tensor parse_idx(std::span<const unsigned char> bytes, const std::string& name = "idx");

}  // namespace espalier::io
