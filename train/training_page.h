#pragma once

#include <map>
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

}  // namespace espalier::training
