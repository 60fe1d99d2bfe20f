#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/dims.h"
#include "core/dtype.h"
#include "core/tensor.h"

namespace espalier::io {

/// What the header of an npy file says, checked against the size of the file.
struct NpyHeader {
  Dtype dtype = Dtype::f32;
  bool swapped = false;  ///< elements have the byte order that is not this machine's
  bool fortran = false;
  Shape shape;
  size_t data_begin = 0;
};

/// Throws FormatError.
NpyHeader parse_npy_header(std::span<const unsigned char> bytes, const std::string& name);

/// The header of version 1.0, magic number and padding included. Throws TypeError for types that NumPy does
/// not have.
std::string npy_header(const Shape& shape, Dtype dtype, const std::string& name);

/// As parse_npy(), but the tensor keeps the bytes themselves instead of a copy.
Tensor take_npy(std::vector<unsigned char> bytes, const std::string& name);

/// What save_npy() writes: the header, and a tensor whose elements lie in C order. Throws as it does.
std::pair<std::string, Tensor> npy_parts(const Tensor& tensor, const std::string& name);

}  // namespace espalier::io
