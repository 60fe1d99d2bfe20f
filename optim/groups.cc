#include <set>
#include <string>

#include "core/error.h"
#include "optim/groups_internal.h"

namespace espalier::optim {

// On a mismatch the last star takes one character more: no need to try earlier ones again.
bool name_matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<size_t> assign_groups(std::string_view where, const nn::NamedTensors& parameters,
                                  std::span<const std::span<const std::string>> patterns) {
  std::vector<size_t> result(parameters.size(), 0);
  std::string unmatched, doubled, names;
  const auto append = [](std::string& list, const std::string& item) {
    list += (list.empty() ? "" : ", ") + item;
  };
  for (const auto& [name, parameter] : parameters) append(names, name);
  for (size_t g = 1; g < patterns.size(); ++g) {
    if (patterns[g].empty())
      throw ValueError(where, "group " + std::to_string(g) + " has no patterns; there are: " + names);
    for (const std::string& pattern : patterns[g]) {
      bool used = false;
      for (size_t i = 0; i < parameters.size(); ++i) {
        const std::string& name = parameters[i].first;
        if (!name_matches(pattern, name)) continue;
        used = true;
        if (result[i] != 0 && result[i] != g)
          append(doubled, name + " (groups " + std::to_string(result[i]) + " and " + std::to_string(g) + ")");
        else
          result[i] = g;
      }
      if (!used) append(unmatched, "\"" + pattern + "\" (group " + std::to_string(g) + ")");
    }
  }
  if (!unmatched.empty())
    throw ValueError(where, "no parameter matches " + unmatched + "; there are: " + names);
  if (!doubled.empty()) throw ValueError(where, "parameters in two groups: " + doubled);
  return result;
}

void check_parameters(std::string_view where, const nn::NamedTensors& parameters) {
  if (parameters.empty())
    throw ValueError(where, "there are no parameters to update: does the model's visit() name any?");
  std::set<std::string> names;
  std::set<const TensorBody*> bodies;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.defined()) throw ValueError(where, "parameter " + name + " is undefined");
    if (!names.insert(name).second) throw ValueError(where, "parameter " + name + " was given twice");
    if (!bodies.insert(&parameter.body()).second) {
      throw ValueError(where, "parameter " + name + ", " + describe(parameter) +
                                  ", was given under another name, too: each would be updated twice");
    }
    parameter.grad();  // refuses what is not a leaf
  }
}

}  // namespace espalier::optim
