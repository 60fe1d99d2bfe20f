#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "report/page.h"
#include "train/trainer.h"

namespace espalier::training {

/// A page about a run: what came of it, the recipe, the curves of its metrics over the steps (those that end
/// in "loss" in one figure), and where the time went. What only the task knows is added to it:
///
///   const TrainingSummary summary = trainer.run(options);
///   report::Page page = training::training_page("Digits, seed 3", summary, options.notes);
///   page.figure(report::confusion_matrix(matrix.counts(), names));
///   page.save(options.folder / "report.html");
ESPALIER_API report::Page training_page(std::string_view title, const TrainingSummary& summary,
                                        const std::map<std::string, std::string>& recipe = {});

/// Adds images of `set` that a classifier reads wrong, each with its class and what it was taken for: at most
/// `most`, those first of which it is surest. The images are u8 [N, C, H, W], or f32 from 0 to 1, C 1 or 3;
/// `logits` gives [B, K] for some of them, in evaluation mode and without recording, and `classes` has K
/// names. Adds nothing where all are right. Throws ShapeError, TypeError, and ValueError for a label outside
/// [0, K) or `most` under 1.
ESPALIER_API void add_mistakes(report::Page& page, const data::DataSet& set,
                               std::span<const std::string> classes,
                               const std::function<Tensor(const data::Examples&)>& logits, int64_t most = 24);

}  // namespace espalier::training
