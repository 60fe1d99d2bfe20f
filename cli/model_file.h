#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/problem.h"
#include "nn/state.h"

namespace espalier::cli {

/// The name, in a run's folder, of the file with the best weights.
inline constexpr const char* kModelFile = "model.safetensors";

/// A model with what made it.
struct Model {
  std::string file;  ///< or folder, where it was found
  Recipe recipe;
  Problem problem;
  nn::AnyLayer network;  ///< in evaluation mode
};

/// Opens what `espalier train` leaves: a run's folder (its model.safetensors, else its last checkpoint), a
/// checkpoint, or a safetensors file. Throws IoError and FormatError where it cannot be read, and FormatError
/// where its tensors are not those of the model that it names.
Model open_model(const std::filesystem::path& path);

/// The last checkpoint in a run's folder; empty where there is none. Reads the folder only: a run may be
/// going on.
std::filesystem::path last_checkpoint(const std::filesystem::path& folder);

/// The weights to compute with, of a checkpoint's parts: the averages where there are some.
const nn::StateMap& weights_of(const std::map<std::string, nn::StateMap>& parts, const std::string& where);

/// Writes the weights of a run's best step (the last one, where none is known to be the best) beside its
/// checkpoints.
void save_best(const std::filesystem::path& folder, const std::string& metric, bool maximise);

}  // namespace espalier::cli
