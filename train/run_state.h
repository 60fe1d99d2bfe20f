#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nn/state.h"

namespace espalier::training {

/// What has a state of its own to save: optimisers, schedulers, averages, loaders.
template <class T>
concept Stateful = requires(T& object, const nn::StateMap& state) {
  { object.state() } -> std::convertible_to<nn::StateMap>;
  object.load_state(state);
};

/// The parts of a training run, by name, whose tensors together are what a checkpoint holds
/// (io/checkpoint.h). It keeps references: what is added must outlive it. One thread at a time may use it.
///
///   training::RunState run;
///   run.add("model", net).add("optimiser", adamw).add("loader", loader).add_random();
///   io::save_checkpoint(path, {.step = step, .parts = run.state()});
class ESPALIER_API RunState {
 public:
  using Parts = std::map<std::string, nn::StateMap>;

  /// Throws ValueError for a name that is there already.
  template <Stateful T>
  RunState& add(const std::string& part, T& object) {
    return add_part({part, [&object] { return object.state(); },
                     [&object](const nn::StateMap& state) { object.load_state(state); }});
  }
  /// A model, or anything else with a `visit`.
  template <nn::Visitable M>
    requires(!Stateful<M>)
  RunState& add(const std::string& part, M& model) {
    return add_part({part, [&model] { return nn::state(model); },
                     [&model](const nn::StateMap& state) { nn::load_state(model, state); }});
  }
  /// The part "random": seed and position of the generator that operations use where none is given.
  RunState& add_random();

  /// The tensors of all parts; most share their elements with the objects.
  Parts state() const;
  /// Gives each part its tensors. Throws ValueError that lists the parts which are missing or which nobody
  /// knows, before anything is changed; and that of a part which refuses its tensors, with the part's name:
  /// parts added before it have been changed then.
  void load_state(const Parts& parts);

 private:
  struct Part {
    std::string name;
    std::function<nn::StateMap()> state;
    std::function<void(const nn::StateMap&)> load;
  };

  RunState& add_part(Part part);

  std::vector<Part> parts_;
};

}  // namespace espalier::training
