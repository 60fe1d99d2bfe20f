#pragma once

#include <filesystem>

#include "data/examples.h"

namespace espalier::data {

/// CIFAR-10: 50,000 and 10,000 images u8 [N, 3, 32, 32] (red, green, blue) and labels i64 [N] from 0 to 9,
/// from the official binary files in `folder`: data_batch_1.bin to data_batch_5.bin and test_batch.bin, each
/// 10,000 records of a label and 3,072 pixels.
///
/// Throws IoError that names the file that is missing and says what fetches it, FormatError for one that has
/// another size or a label that is no class.
///
/// Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
ESPALIER_API Split cifar10(const std::filesystem::path& folder);

/// CIFAR-100 in the same way: labels from 0 to 99 (the fine ones), from train.bin and test.bin, whose records
/// have a coarse label before the fine one.
ESPALIER_API Split cifar100(const std::filesystem::path& folder);

}  // namespace espalier::data
