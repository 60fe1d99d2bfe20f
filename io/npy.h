#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/tensor.h"

namespace espalier::io {

/// Opens a file of NumPy's format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html,
/// versions 1.0 to 3.0) with numbers or bools of either byte order, up to f64, i64 and u64, in C or Fortran
/// order; the latter gives a tensor whose strides rise. Like a safetensors file it is mapped, not read, where
/// its bytes can stay as they are, which those of the other byte order cannot.
///
/// Throws IoError where the file cannot be opened, FormatError where it is not well-formed, is cut short, has
/// bytes behind the array, or holds what no tensor does: objects (pickled Python is never read), structures,
/// text, complex numbers, dates.
ESPALIER_API Tensor load_npy(const std::filesystem::path& path);

/// The same from memory, which is copied. `name` stands for the file in errors.
ESPALIER_API Tensor parse_npy(std::span<const unsigned char> bytes, const std::string& name = "npy");

/// Writes a tensor in version 1.0 and C order, whole or not at all (io/atomic_file.h). Throws IoError,
/// ValueError for an undefined tensor, TypeError for bf16 and f8, which NumPy does not have, and DeviceError
/// for a tensor that is not in the host's memory.
ESPALIER_API void save_npy(const std::filesystem::path& path, const Tensor& tensor);

}  // namespace espalier::io
