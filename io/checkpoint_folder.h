#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/checkpoint.h"

namespace espalier::io {

/// Which checkpoints of a run are kept.
struct KeepOptions {
  int64_t last = 3;         ///< so many of the last ones, at least 1
  int64_t best = 1;         ///< and so many of those with the best `metric`, where it is known
  std::string metric = {};  ///< "validation_loss", say; without a name none is the best
  bool maximise = false;    ///< whether a larger metric is a better one
};

/// The checkpoints of a training run: `step-000001200` and so on in one folder. One run at a time writes to
/// it.
///
///   io::CheckpointFolder folder("runs/first", {.last = 2, .metric = "loss"});
///   if (const auto resumed = folder.load_last()) ... else ...
///   folder.save({.step = step, .parts = {{"model", nn::state(net)}, {"optimiser", adamw.state()}}, ...});
///
/// One thread at a time may use it.
class ESPALIER_API CheckpointFolder {
 public:
  /// Makes the folder where there is none, and removes what a killed program left half made. Throws
  /// ValueError for options that make no sense, IoError where the folder cannot be made or written, or
  /// another run holds it.
  explicit CheckpointFolder(std::filesystem::path path, KeepOptions keep = {});
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// The steps that have a checkpoint, ascending.
  std::vector<int64_t> steps() const;
  /// Where the checkpoint of a step is or would be.
  std::filesystem::path path_of(int64_t step) const;

  /// Saves a checkpoint (save_checkpoint), then removes those that are not to be kept. A checkpoint of the
  /// same step is replaced.
  void save(const Checkpoint& checkpoint);
  /// The checkpoint of the highest step, if there is any. Throws what load_checkpoint() does.
  std::optional<Checkpoint> load_last() const;
  /// The step with the best metric among those here; none where no checkpoint has it. Manifests that cannot
  /// be read are logged and passed over.
  std::optional<int64_t> best() const;

 private:
  std::vector<int64_t> ranked() const;

  std::filesystem::path path_;
  KeepOptions keep_;
  int lock_ = -1;
};

}  // namespace espalier::io
