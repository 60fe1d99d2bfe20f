#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/tensor.h"

namespace espalier::io {

/// What it takes to go on with a training run.
struct Checkpoint {
  int64_t step = 0;  ///< the steps that were made, from 0
  /// Tensors by part, "model" and "optimiser" say, and by name. Parts are named by letters, digits, `_` and
  /// `-`.
  std::map<std::string, std::map<std::string, Tensor>> parts = {};
  std::map<std::string, double> metrics = {};  ///< what is known of this step; not finite counts as unknown
  std::map<std::string, std::string> notes = {};  ///< free text: the recipe, the program's version
};

/// Writes a checkpoint as a folder `path`: a safetensors file for each part (several for one of more than 2
/// GiB) and `manifest.json` with the step, metrics and notes, and each file's size and checksum (CRC-32). The
/// folder is made beside `path` and renamed when all of it is on the disk; one that is there already is
/// exchanged in the same instant. So `path` is, at any moment, what it was or complete, also when the program
/// is killed.
///
/// Throws IoError with the system's reason (a full disk), ValueError for a part's name or a negative step,
/// and what save_safetensors() does; then nothing remains of it.
ESPALIER_API void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads a checkpoint. Every checksum is verified first; tensors are mapped (load_safetensors), and stay
/// valid when the checkpoint is removed. Throws IoError where a file is missing, FormatError where the
/// manifest is none or of a later version, and where a file has another size or checksum than it says.
ESPALIER_API Checkpoint load_checkpoint(const std::filesystem::path& path);

/// The same without the tensors: parts are empty. Only the manifest is read and verified.
ESPALIER_API Checkpoint load_checkpoint_manifest(const std::filesystem::path& path);

}  // namespace espalier::io
