#include "cli/model_file.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "io/checkpoint_folder.h"
#include "io/safetensors.h"

namespace espalier::cli {
namespace {

constexpr const char* kUpdates = "updates";  // beside the averages in their part

/// Tensors, and the notes that go with them.
struct Content {
  std::filesystem::path file;
  nn::StateMap weights;
  std::map<std::string, std::string> notes;
};

Content read_checkpoint(const std::filesystem::path& path) {
  const io::Checkpoint checkpoint = io::load_checkpoint(path);
  return {path, weights_of(checkpoint.parts, path.string()), checkpoint.notes};
}

Content read_safetensors(const std::filesystem::path& path) {
  io::Safetensors file = io::load_safetensors(path);
  return {path, std::move(file.tensors), std::move(file.metadata)};
}

Content read(const std::filesystem::path& path) {
  if (path.empty())
    throw ValueError("command", "expected a model: a run's folder, a checkpoint or a safetensors file");
  if (!std::filesystem::is_directory(path)) return read_safetensors(path);
  if (std::filesystem::exists(path / "manifest.json")) return read_checkpoint(path);
  if (std::filesystem::exists(path / kModelFile)) return read_safetensors(path / kModelFile);
  const std::filesystem::path last = last_checkpoint(path);
  if (last.empty()) throw IoError(path.string(), "holds no model and no checkpoint");
  return read_checkpoint(last);
}

}  // namespace

std::filesystem::path last_checkpoint(const std::filesystem::path& folder) {
  std::filesystem::path last;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    // Steps have leading zeros, so that names sort as they do.
    if (name.starts_with("step-") && entry.path() > last &&
        std::filesystem::exists(entry.path() / "manifest.json"))
      last = entry.path();
  }
  return last;
}

const nn::StateMap& weights_of(const std::map<std::string, nn::StateMap>& parts, const std::string& where) {
  auto part = parts.find("average");
  if (part == parts.end()) part = parts.find("model");
  if (part == parts.end()) throw FormatError(where, "is a checkpoint without a model");
  return part->second;
}

Model open_model(const std::filesystem::path& path) {
  Content content = read(path);
  Recipe recipe;
  Problem problem;
  read_notes(content.notes, content.file.string(), recipe, problem);
  content.weights.erase(kUpdates);
  try {
    Model model{content.file.string(), recipe, problem, make_network(recipe, problem)};
    nn::load_state(model.network, content.weights);
    nn::eval(model.network);
    return model;
  } catch (const ValueError& error) {
    throw FormatError(content.file.string(), "does not hold the model that it names: " + error.message());
  } catch (const ShapeError& error) {
    throw FormatError(content.file.string(), "does not hold the model that it names: " + error.message());
  }
}

void save_best(const std::filesystem::path& folder, const std::string& metric, bool maximise) {
  std::filesystem::path checkpoint;
  {
    const io::CheckpointFolder checkpoints(folder, {.metric = metric, .maximise = maximise});
    if (const auto best = checkpoints.best()) checkpoint = checkpoints.path_of(*best);
  }
  if (checkpoint.empty()) checkpoint = last_checkpoint(folder);
  const io::Checkpoint read = io::load_checkpoint(checkpoint);
  nn::StateMap weights = weights_of(read.parts, checkpoint.string());
  weights.erase(kUpdates);
  std::map<std::string, std::string> metadata = read.notes;
  io::save_safetensors(folder / kModelFile, weights, metadata);
}

}  // namespace espalier::cli
