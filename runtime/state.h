#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/state.h"

namespace espalier::runtime {

/// What a function reads and may change besides its inputs: the tensors of models and optimisers by their
/// dotted names, and single tensors. Tensors are shared, not copied; the models must outlive this object.
///
///   runtime::State state(model, adam);
///   state.add("generator", generator.state());
class ESPALIER_API State {
 public:
  State() = default;
  /// Of everything that has a `visit`: models, optimisers, averages.
  template <nn::Visitable... M>
  explicit State(M&... models) {
    (add(models), ...);
  }

  /// Adds the tensors that `model` visits, under `prefix` and their names; those that are there already,
  /// under whatever name, stay as they are. Throws ValueError for a name that is taken.
  template <nn::Visitable M>
  State& add(M& model, std::string_view prefix = {}) {
    return add_visited(nn::detail::visiting(model), prefix);
  }
  /// Adds one tensor. Throws ValueError for a name that is taken, or an undefined tensor.
  State& add(const std::string& name, const Tensor& tensor);

  /// Throws ValueError where there is no such name.
  const Tensor& at(std::string_view name) const;
  const nn::NamedTensors& tensors() const noexcept { return tensors_; }
  /// Whether each layer with two modes is in training, in the order of `visit`: what was captured in one mode
  /// does not fit the other.
  std::vector<bool> modes() const;
  /// Whether modes() is this.
  bool has_modes(const std::vector<bool>& modes) const;

 private:
  State& add_visited(const nn::detail::VisitFunction& visit, std::string_view prefix);
  bool has(const Tensor& tensor) const;

  nn::NamedTensors tensors_;
  std::vector<const bool*> modes_;
};

}  // namespace espalier::runtime
