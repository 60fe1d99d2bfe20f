#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/tensor.h"

namespace espalier::cli {

/// What a file or checkpoint holds.
struct TensorFile {
  std::string kind;                               ///< `safetensors`, `npy`, `npz`, `onnx`, `checkpoint`
  std::map<std::string, Tensor> tensors;          ///< of a checkpoint: `part/name`; of an npy file: ``
  std::map<std::string, std::string> texts = {};  ///< metadata or notes
  std::map<std::string, double> metrics = {};     ///< of a checkpoint
  std::optional<int64_t> step = {};
};

/// Reads a safetensors, npy, npz or ONNX file (its initializers), told by its ending, a checkpoint, or the
/// last checkpoint of a run's folder. Throws IoError and FormatError.
TensorFile read_tensors(const std::filesystem::path& path);

/// Writes safetensors or npz, or one tensor as npy, as the ending says. Throws ValueError for another ending
/// and where there is not one tensor for npy, and what the writers throw.
void write_tensors(const std::filesystem::path& path, const TensorFile& content);

}  // namespace espalier::cli
