#pragma once

#include <string>
#include <vector>

#include "nn/state.h"

namespace espalier::optim {

struct AverageOptions {
  double decay = 0.999;  ///< how much of the average an update keeps
  /// Keep less in the first updates, (1 + n) / (10 + n) after n of them, so that the average leaves the
  /// initial weights behind sooner; TensorFlow's rule.
  bool warm_up = false;
  /// Average floating buffers (running statistics) as well; otherwise they are the model's last ones.
  bool average_buffers = false;
};

/// An exponential moving average of a model's weights: average = decay * average + (1 - decay) * weight,
/// with the formula of torch.optim.swa_utils.get_ema_avg_fn. It begins with the weights of the moment. With
/// gradients that are accumulated over several batches, update it once a step of the optimiser.
///
///   optim::WeightAverage average(model, {.decay = 0.999});
///   ... sgd.step(); average.update(); ...
///   average.swap();  // the model computes with the average ...
///   evaluate(model);
///   average.swap();  // ... and goes on training from its own weights
///
/// It keeps handles on the model's tensors: layers that replace a tensor need a new average. One thread at a
/// time may use it.
class ESPALIER_API WeightAverage {
 public:
  /// Throws ValueError for a decay outside [0, 1] and a model without tensors.
  template <nn::Visitable M>
  explicit WeightAverage(M& model, const AverageOptions& options = {})
      : WeightAverage(nn::entries(model), options) {}
  explicit WeightAverage(const std::vector<nn::StateEntry>& model, const AverageOptions& options = {});

  /// Takes the model's present weights into the average. Throws ValueError while they are exchanged.
  void update();
  /// Exchanges the values of the model and the average.
  void swap();
  /// Whether the model holds the average.
  bool swapped() const noexcept { return swapped_; }
  /// Overwrites the model's values with the average's. Throws ValueError while they are exchanged.
  void copy_to_model();

  /// The averages under the model's names and, as `updates`, how many updates there were. The tensors are
  /// this object's own. Throws ValueError while they are exchanged, as load_state() does.
  nn::StateMap state();
  /// Copies the values of `state` into the averages. Throws ValueError as nn::load_state() does.
  void load_state(const nn::StateMap& state);
  void visit(nn::Visitor& visitor);

 private:
  struct Pair {
    std::string name;
    Tensor model;
    Tensor average;
    bool averaged;  ///< otherwise copied
  };

  void refuse_while_swapped() const;

  AverageOptions options_;
  std::vector<Pair> pairs_;
  Tensor rate_;     ///< 1 - decay of the next update
  Tensor updates_;  ///< i64
  bool swapped_ = false;
};

}  // namespace espalier::optim
