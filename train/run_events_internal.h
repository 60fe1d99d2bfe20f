#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "io/event_file.h"
#include "io/metrics_log.h"
#include "optim/optimiser.h"

namespace espalier::training {

/// What TensorBoard shows of a run: the curves `train/...` and `evaluation/...`, the parameters'
/// distributions `parameters/...`, and the text `recipe`.
class RunEvents {
 public:
  /// `first_step` is the first step that this part of the run writes: io/event_file.h. Notes make the text.
  RunEvents(const std::filesystem::path& folder, int64_t first_step,
            const std::map<std::string, std::string>& notes);

  /// A row's own figures. `train_loss` is `train/loss`.
  void add_training(int64_t step, std::span<const io::Metric> metrics);
  /// Those of an evaluation, and the parameters as they are.
  void add_evaluation(int64_t step, std::span<const io::Metric> metrics, const optim::Optimiser& optimiser);
  void flush() { file_.flush(); }

 private:
  io::EventFile file_;
};

}  // namespace espalier::training
