#pragma once

#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/problem.h"
#include "core/tensor.h"
#include "report/table.h"

namespace espalier::cli {

/// The examples of a file, [N, ...]: an image, brought to the channels and size that the model takes, or
/// an array (.npy) of one or several examples; u8, or f32 where the model's data is. Throws what the readers
/// throw, ValueError and ShapeError for what the model cannot take.
Tensor read_inputs(const Recipe& recipe, const Problem& problem, const std::string& file);

/// What a model answers, as a table or as JSON.
class Answers {
 public:
  /// Of classes, the `top` most probable are named.
  Answers(const Problem& problem, int64_t top);
  /// The outputs [N, outputs] for the examples of a file.
  void add(const std::string& file, const Tensor& outputs);
  void print(bool json) const;

 private:
  void add_classes(const std::string& name, std::span<const double> scores, nlohmann::json& result);
  void add_values(const std::string& name, std::span<const double> values, nlohmann::json& result);

  Problem problem_;
  int64_t top_;
  report::Table table_;
  nlohmann::json results_;
};

}  // namespace espalier::cli
