#include "train/run_state.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "ops/random.h"

namespace espalier::training {
namespace {

/// The state of a generator, as a model has a buffer.
struct RandomState {
  Tensor state;
  void visit(nn::Visitor& visitor) { visitor.buffer("state", state); }
};

}  // namespace

RunState& RunState::add_part(Part part) {
  const auto same = [&](const Part& other) { return other.name == part.name; };
  if (std::any_of(parts_.begin(), parts_.end(), same))
    throw ValueError("RunState", "there is a part '" + part.name + "' already");
  parts_.push_back(std::move(part));
  return *this;
}

RunState& RunState::add_random() {
  return add_part({"random", [] { return nn::StateMap{{"state", default_generator().state()}}; },
                   [](const nn::StateMap& state) {
                     RandomState random{default_generator().state()};
                     nn::load_state(random, state);
                   }});
}

RunState::Parts RunState::state() const {
  Parts parts;
  for (const Part& part : parts_) parts.emplace(part.name, part.state());
  return parts;
}

void RunState::load_state(const Parts& parts) {
  std::string wrong;
  for (const Part& part : parts_) {
    if (!parts.contains(part.name)) wrong += (wrong.empty() ? "" : ", ") + part.name + " is missing";
  }
  for (const auto& [name, tensors] : parts) {
    const auto known = [&](const Part& part) { return part.name == name; };
    if (std::none_of(parts_.begin(), parts_.end(), known))
      wrong += (wrong.empty() ? "" : ", ") + name + " is not in this run";
  }
  if (!wrong.empty()) throw ValueError("RunState", "parts of the checkpoint and of the run differ: " + wrong);
  for (const Part& part : parts_) {
    try {
      part.load(parts.at(part.name));
    } catch (const Error& error) {
      throw ValueError(part.name, "the checkpoint's state does not fit: " + error.message());
    }
  }
}

}  // namespace espalier::training
