#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/data_set.h"

namespace espalier::data {

/// What becomes of the images of a folder.
struct ImageFolderOptions {
  /// Side of the squares that all images become (middle_square() in data/resize.h), from 1 to 8,192; without
  /// it, all must have the size of the first, and keep it.
  std::optional<int64_t> size = {};
  /// 3: red, green, blue; grey images become three equal channels. 1: grey; of colours, 0.299 red + 0.587
  /// green + 0.114 blue (ITU-R BT.601), rounded to nearest.
  int64_t channels = 3;
};

/// Images from a folder, and what is known about them before any is read.
struct ImageFolder {
  DataSet set;                       ///< inputs u8 [N, channels, H, W], labels i64 [N]
  Tensor labels;                     ///< i64 [all], those of the set: for balanced(), say
  std::vector<std::string> classes;  ///< the sub-folders' names; label i is class i
};

/// A data set from a folder in which each sub-folder is a class and holds its images, PNG or JPEG files named
/// .png, .jpg or .jpeg in small or capital letters. Classes have numbers in the order of their names, and
/// images stand in the order of classes, then names, by bytes, so that numbers are the same on each machine.
/// Links are followed. Other files are passed over, as are names that begin with a dot (what systems and
/// editors leave behind) and folders inside sub-folders.
///
/// The names are read here, images when a batch asks for them: with a Loader, by its workers. What the folder
/// holds must not change meanwhile.
///
/// Throws ValueError for other options; IoError that names the folder that cannot be listed or the link
/// to a class or image that leads nowhere; FormatError for a folder without sub-folders and, naming it, for a
/// sub-folder without images. Reading an image throws IoError where it is gone and FormatError where it is
/// damaged (io/image.h) or has another size than the first, which is read here where sizes are to be the
/// same.
ESPALIER_API ImageFolder image_folder(const std::filesystem::path& folder,
                                      const ImageFolderOptions& options = {});

}  // namespace espalier::data
