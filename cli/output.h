#pragma once

#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cli/commands.h"
#include "cli/problem.h"
#include "io/metrics_log.h"
#include "nn/sequential.h"
#include "report/page.h"

namespace espalier::cli {

/// `recipe`, changed by the file and then by the keys that flags name. Throws what read_recipe() and set()
/// do.
Recipe apply(const RecipeFlags& flags, Recipe recipe);

/// A number as JSON; null where it is not finite, which JSON cannot say.
nlohmann::json number(double value);
nlohmann::json json_of(std::span<const io::Metric> metrics);

/// Adds what a network in evaluation mode does on examples: for classes that are few, the confusion matrix,
/// and for images those that it reads wrong.
void add_results(report::Page& page, const nn::AnyLayer& network, const Recipe& recipe,
                 const Problem& problem, const data::DataSet& set);

}  // namespace espalier::cli
