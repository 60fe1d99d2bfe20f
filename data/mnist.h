#pragma once

#include <filesystem>

#include "data/examples.h"

namespace espalier::data {

/// MNIST, or what has its layout (Fashion-MNIST): 60,000 and 10,000 images u8 [N, 1, 28, 28] and labels i64
/// [N] from 0 to 9, from the four official files in `folder`, `train-images-idx3-ubyte` and so on, as they
/// are or packed by gzip (`.gz`). normalise() takes the pixels to f32.
///
/// Throws IoError that names the file that is missing, FormatError for one that is not well-formed (io/idx.h)
/// or holds other things: another type, images of another size, labels that are not digits or whose number is
/// not that of the images.
///
/// Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
/// recognition", 1998; H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747.
ESPALIER_API Split mnist(const std::filesystem::path& folder);

}  // namespace espalier::data
