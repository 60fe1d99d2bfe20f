#include "cli/tensor_file.h"

#include "cli/model_file.h"
#include "core/error.h"
#include "io/checkpoint.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/safetensors.h"
#include "runtime/onnx.h"

namespace espalier::cli {
namespace {

TensorFile read_checkpoint_tensors(const std::filesystem::path& path) {
  const io::Checkpoint checkpoint = io::load_checkpoint(path);
  TensorFile file{.kind = "checkpoint",
                  .tensors = {},
                  .texts = checkpoint.notes,
                  .metrics = checkpoint.metrics,
                  .step = checkpoint.step};
  for (const auto& [part, tensors] : checkpoint.parts) {
    for (const auto& [name, tensor] : tensors) file.tensors.emplace(part + "/" + name, tensor);
  }
  return file;
}

}  // namespace

TensorFile read_tensors(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw IoError(path.string(), "does not exist");
  if (std::filesystem::is_directory(path)) {
    if (std::filesystem::exists(path / "manifest.json")) return read_checkpoint_tensors(path);
    const std::filesystem::path last = last_checkpoint(path);
    if (last.empty()) throw IoError(path.string(), "is a folder without a checkpoint");
    return read_checkpoint_tensors(last);
  }
  const std::string ending = path.extension().string();
  if (ending == ".npy") return {.kind = "npy", .tensors = {{"", io::load_npy(path)}}};
  if (ending == ".onnx") return {.kind = "onnx", .tensors = runtime::load_onnx_tensors(path)};
  if (ending == ".npz") return {.kind = "npz", .tensors = io::load_npz(path)};
  if (ending == ".safetensors") {
    const io::Safetensors file = io::load_safetensors(path);
    return {.kind = "safetensors", .tensors = file.tensors, .texts = file.metadata};
  }
  throw FormatError(
      path.string(),
      "has an unknown ending; expected .safetensors, .npy, .npz, .onnx, or a checkpoint's folder");
}

void write_tensors(const std::filesystem::path& path, const TensorFile& content) {
  const std::string ending = path.extension().string();
  if (ending == ".safetensors") {
    io::save_safetensors(path, content.tensors, content.texts);
  } else if (ending == ".npz") {
    io::save_npz(path, content.tensors);
  } else if (ending == ".npy") {
    if (content.tensors.size() != 1) {
      throw ValueError(path.string(), "would hold " + std::to_string(content.tensors.size()) +
                                          " tensors; an .npy file holds one, an .npz file any number");
    }
    io::save_npy(path, content.tensors.begin()->second);
  } else {
    throw ValueError(path.string(), "has an unknown ending; expected .safetensors, .npy or .npz");
  }
}

}  // namespace espalier::cli
