#include "nn/state.h"

#include <set>
#include <unordered_map>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/copy.h"

namespace espalier::nn {
namespace {

class Collector final : public Visitor {
 public:
  std::vector<StateEntry> entries;

 protected:
  void on_tensor(const std::string& name, Tensor& tensor, Kind kind) override {
    const auto [first, inserted] = first_names_.emplace(&tensor.body(), name);
    entries.push_back({name, tensor, kind, inserted ? "" : first->second});
  }

 private:
  std::unordered_map<const TensorBody*, std::string> first_names_;
};

class UnusedNames final : public Visitor {
 public:
  std::set<std::string> names;

 protected:
  void on_tensor(const std::string&, Tensor&, Kind) override {}
  void on_unused(const std::string& name) override { names.insert(name); }
};

class Copier final : public Visitor {
 protected:
  void on_tensor(const std::string&, Tensor& tensor, Kind) override {
    const auto [place, inserted] = copies_.try_emplace(&tensor.body());
    if (inserted) {
      const NoGrad no_grad;
      originals_.push_back(tensor);  // kept, so that no copy takes its address
      place->second = copy_parameter(tensor);
    }
    tensor = place->second;
  }

 private:
  std::unordered_map<const TensorBody*, Tensor> copies_;
  std::vector<Tensor> originals_;
};

class ModeSetter final : public Visitor {
 public:
  explicit ModeSetter(bool training) : training_(training) {}

 protected:
  void on_tensor(const std::string&, Tensor&, Kind) override {}
  void on_mode(bool& flag) override { flag = training_; }

 private:
  bool training_;
};

}  // namespace

namespace detail {

std::vector<StateEntry> entries(const VisitFunction& visit) {
  Collector collector;
  visit(collector);
  return std::move(collector.entries);
}

void load_state(const VisitFunction& visit, const StateMap& state) {
  std::vector<std::pair<Tensor, Tensor>> assignments;
  std::map<std::string, bool> found;  // by first name: whether any of a tensor's names is in `state`
  std::map<std::string, bool> known;
  std::string problems;
  const auto complain = [&](const std::string& problem) {
    problems += (problems.empty() ? "" : "; ") + problem;
  };
  for (const StateEntry& entry : entries(visit)) {
    known[entry.name] = true;
    bool& here = found[entry.tied_to.empty() ? entry.name : entry.tied_to];
    const auto given = state.find(entry.name);
    if (given == state.end()) continue;
    here = true;
    if (!given->second.defined() || given->second.shape() != entry.tensor.shape()) {
      complain(entry.name + " is " + describe(given->second) + ", the model has " + describe(entry.tensor));
    } else {
      assignments.emplace_back(entry.tensor, given->second);
    }
  }
  for (const auto& [name, here] : found) {
    if (!here) complain(name + " is missing");
  }
  UnusedNames unused;
  visit(unused);
  for (const auto& [name, tensor] : state) {
    if (!known.contains(name) && !unused.names.contains(name)) complain(name + " is not in the model");
  }
  if (!problems.empty()) throw ValueError("load_state", problems);
  const NoGrad no_grad;
  for (const auto& [target, source] : assignments) copy_(target.detach(), source.detach());
}

void replace_by_copies(const VisitFunction& visit) {
  Copier copier;
  visit(copier);
}

void set_training(const VisitFunction& visit, bool training) {
  ModeSetter setter(training);
  visit(setter);
}

}  // namespace detail

}  // namespace espalier::nn
