#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/recipe.h"
#include "core/dims.h"
#include "data/data_set.h"
#include "data/transforms.h"
#include "io/vocabulary.h"
#include "nn/sequential.h"

namespace espalier::cli {

/// What a model must know of its data; it goes with the model into files.
struct Problem {
  enum class Kind : uint8_t {
    classes,  ///< inputs to one of some classes
    values,   ///< inputs to numbers
    text,     ///< tokens to the next one
  };

  Kind kind = Kind::classes;
  Shape input = {};                       ///< of one example
  std::vector<std::string> classes = {};  ///< their names
  int64_t outputs = 0;                    ///< classes, numbers or tokens
  std::optional<io::Vocabulary> vocabulary = {};
};

/// A problem with the examples to learn from and to be tested on.
struct Task {
  Problem problem;
  data::DataSet train, test;
};

/// Opens the data that the recipe names, and writes the mean and deviation of its inputs into the recipe
/// where it gives none. Throws ValueError for a recipe that does not fit the data, and what the readers of
/// files throw.
Task open_task(Recipe& recipe);

/// Mean and deviation of each channel, or of all; images count from 0 to 1.
struct Normalisation {
  std::vector<double> mean, deviation;
};
/// Absent where inputs stay as they are.
std::optional<Normalisation> normalisation(const Recipe& recipe, const Problem& problem);

/// Inputs as the model wants them: normalised, f32. Nothing for texts.
std::vector<data::Transform> preparation(const Recipe& recipe, const Problem& problem);
/// ... after the changes by chance that training makes.
std::vector<data::Transform> augmentation(const Recipe& recipe, const Problem& problem);
/// `batch`, prepared.
data::Examples prepare(const Recipe& recipe, const Problem& problem, const data::Examples& batch);

/// The network that the recipe names, with weights drawn from the default generator. Throws ValueError for a
/// name that is unknown and what does not fit the problem.
nn::AnyLayer make_network(const Recipe& recipe, const Problem& problem);

/// Recipe and problem as text, for a file; and back, where `where` begins the errors (FormatError).
std::map<std::string, std::string> notes(const Recipe& recipe, const Problem& problem);
/// The same of a model that no recipe made.
std::map<std::string, std::string> notes(const Problem& problem);
/// Whether these notes say what a problem is, so that read_notes() reads them.
bool has_problem(const std::map<std::string, std::string>& notes);
void read_notes(const std::map<std::string, std::string>& notes, const std::string& where, Recipe& recipe,
                Problem& problem);

}  // namespace espalier::cli
