#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/state.h"

namespace espalier::optim {

/// Whether `name` matches `pattern`, in which `*` stands for any characters and `?` for one.
bool name_matches(std::string_view pattern, std::string_view name);

/// Throws ValueError, on behalf of `where`, for no parameters, undefined ones, and names or tensors that come
/// twice; GradientError for a tensor that is not a leaf.
void check_parameters(std::string_view where, const nn::NamedTensors& parameters);

/// The group of each parameter: that of the pattern which its name matches, or 0. `patterns` has those of
/// each group; the first group's are not read. Throws ValueError, on behalf of `where`, with the names, for a
/// pattern that matches nothing, a group without patterns and parameters in two groups.
std::vector<size_t> assign_groups(std::string_view where, const nn::NamedTensors& parameters,
                                  std::span<const std::span<const std::string>> patterns);

/// Plans for the base class: `plan(options)` of the first options, and of each group with its patterns.
template <class Plan, class Options, class Groups, class Make>
std::vector<Plan> plans_of(const Options& options, const Groups& groups, Make&& make) {
  std::vector<Plan> plans = {make(options)};
  for (const auto& group : groups) {
    plans.push_back(make(group.options));
    plans.back().patterns = group.patterns;
  }
  return plans;
}

/// Rules for the operations: `make(options)` of the first options and of each group's.
template <class Rule, class Options, class Groups, class Make>
std::vector<Rule> rules_of(const Options& options, const Groups& groups, Make&& make) {
  std::vector<Rule> rules = {make(options)};
  for (const auto& group : groups) rules.push_back(make(group.options));
  return rules;
}

}  // namespace espalier::optim
