#include "runtime/state.h"

#include <algorithm>

#include "core/error.h"

namespace espalier::runtime {
namespace {

class Collector final : public nn::Visitor {
 public:
  nn::NamedTensors tensors;
  std::vector<const bool*> modes;

 private:
  void on_tensor(const std::string& name, Tensor& tensor, Kind) override {
    tensors.emplace_back(name, tensor);
  }
  void on_mode(bool& flag) override { modes.push_back(&flag); }
};

}  // namespace

bool State::has(const Tensor& tensor) const {
  return std::any_of(tensors_.begin(), tensors_.end(),
                     [&](const auto& entry) { return entry.second.is(tensor); });
}

State& State::add(const std::string& name, const Tensor& tensor) {
  if (!tensor.defined()) throw ValueError("state", "the tensor called " + name + " is undefined");
  const bool taken =
      std::any_of(tensors_.begin(), tensors_.end(), [&](const auto& entry) { return entry.first == name; });
  if (taken)
    throw ValueError("state", "there are two tensors called " + name + "; add one of them under a prefix");
  tensors_.emplace_back(name, tensor);
  return *this;
}

State& State::add_visited(const nn::detail::VisitFunction& visit, std::string_view prefix) {
  Collector collector;
  visit(collector);
  for (const auto& [name, tensor] : collector.tensors) {
    if (!has(tensor)) add(std::string(prefix) + name, tensor);
  }
  modes_.insert(modes_.end(), collector.modes.begin(), collector.modes.end());
  return *this;
}

const Tensor& State::at(std::string_view name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == tensors_.end()) throw ValueError("state", "there is no tensor called " + std::string(name));
  return found->second;
}

std::vector<bool> State::modes() const {
  std::vector<bool> values;
  for (const bool* mode : modes_) values.push_back(*mode);
  return values;
}

bool State::has_modes(const std::vector<bool>& modes) const {
  return std::equal(modes_.begin(), modes_.end(), modes.begin(), modes.end(),
                    [](const bool* mode, bool expected) { return *mode == expected; });
}

}  // namespace espalier::runtime
