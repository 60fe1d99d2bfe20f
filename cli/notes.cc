#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "cli/problem.h"
#include "core/error.h"

namespace espalier::cli {
namespace {

constexpr const char* kProblem = "problem";  // the note beside the recipe's keys
constexpr std::array<const char*, 3> kKinds = {"classes", "values", "text"};

nlohmann::json json_of(const Problem& problem) {
  nlohmann::json json = {{"kind", kKinds[static_cast<size_t>(problem.kind)]},
                         {"input", std::vector<int64_t>(problem.input.begin(), problem.input.end())},
                         {"outputs", problem.outputs}};
  if (!problem.classes.empty()) json["classes"] = problem.classes;
  if (problem.vocabulary) json["vocabulary"] = problem.vocabulary->json();
  return json;
}

/// Throws nlohmann's exceptions for members that are missing or of other types.
Problem problem_of(const nlohmann::json& json, const std::string& where) {
  Problem problem;
  const auto kind = std::find(kKinds.begin(), kKinds.end(), json.at("kind").get<std::string>());
  if (kind == kKinds.end())
    throw FormatError(where, "holds a model for a kind of problem that this program does not know");
  problem.kind = static_cast<Problem::Kind>(kind - kKinds.begin());
  const auto sizes = json.at("input").get<std::vector<int64_t>>();
  constexpr int64_t kMost = int64_t{1} << 31;  // elements of an example
  int64_t elements = 1;
  for (const int64_t size : sizes) {
    if (size < 1 || size > kMost / elements)
      throw FormatError(where, "holds a model for inputs that cannot be");
    elements *= size;
  }
  problem.input = Shape(sizes);
  problem.outputs = json.at("outputs").get<int64_t>();
  if (problem.outputs < 1 || problem.outputs > kMost)
    throw FormatError(where, "holds a model for outputs that cannot be");
  if (json.contains("classes")) problem.classes = json.at("classes").get<std::vector<std::string>>();
  if (json.contains("vocabulary"))
    problem.vocabulary = io::parse_vocabulary(json.at("vocabulary").get<std::string>(), where);
  const auto names = static_cast<int64_t>(problem.classes.size());
  if (problem.kind == Problem::Kind::classes ? names != problem.outputs
      : problem.kind == Problem::Kind::text
          ? !problem.vocabulary || problem.vocabulary->size() != problem.outputs
          : names != 0)
    throw FormatError(where, "holds a model whose outputs have no names");
  return problem;
}

}  // namespace

std::map<std::string, std::string> notes(const Recipe& recipe, const Problem& problem) {
  std::map<std::string, std::string> result = notes(recipe);
  result.merge(notes(problem));
  return result;
}

std::map<std::string, std::string> notes(const Problem& problem) {
  return {{kProblem, json_of(problem).dump()}};
}

bool has_problem(const std::map<std::string, std::string>& notes) {
  return notes.contains(kProblem);
}

void read_notes(const std::map<std::string, std::string>& notes, const std::string& where, Recipe& recipe,
                Problem& problem) {
  const auto found = notes.find(kProblem);
  if (found == notes.end())
    throw FormatError(where,
                      "does not say what its model is; expected one that 'espalier train' wrote, or what was "
                      "compiled of one");
  try {
    problem = problem_of(nlohmann::json::parse(found->second), where);
    for (const auto& [name, text] : notes) {
      if (name != kProblem) set(recipe, name, text, where);
    }
  } catch (const nlohmann::json::exception&) {
    throw FormatError(where, "holds a description of its problem that is damaged");
  } catch (const ValueError& error) {
    throw FormatError(where, "holds a recipe of another version of this program: " + error.message());
  }
}

}  // namespace espalier::cli
