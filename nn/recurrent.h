#pragma once

#include <string>
#include <vector>

#include "nn/visit.h"
#include "ops/random.h"

namespace espalier::nn {

struct RecurrentOptions {
  int64_t layers = 1;
  bool bias = true;
  bool bidirectional = false;  ///< a second set of weights reads each sequence from its end
  double dropout = 0;          ///< between layers, in training
};

/// The weights of a recurrent network, named and initialised as PyTorch has them: for layer l
/// `weight_ih_l<l>` [gates * H, in], `weight_hh_l<l>` [gates * H, H], `bias_ih_l<l>` and `bias_hh_l<l>`
/// [gates * H], with the suffix `_reverse` for the way back; uniform within 1/sqrt(H) at first.
class ESPALIER_API RecurrentWeights {
 public:
  struct Direction {
    Tensor weight_ih, weight_hh;
    Tensor bias_ih, bias_hh;  ///< undefined without bias
  };

  /// `layer` is the name in errors. Throws ValueError for sizes or a number of layers under 1 and a dropout
  /// outside [0, 1].
  RecurrentWeights(const char* layer, int64_t gates, int64_t in, int64_t width,
                   const RecurrentOptions& options, const Generator& from);

  void visit(Visitor& visitor);

  int64_t directions() const noexcept { return options_.bidirectional ? 2 : 1; }
  int64_t layers() const noexcept { return options_.layers; }
  int64_t in() const { return all_[0].weight_ih.size(1); }
  int64_t width() const { return all_[0].weight_hh.size(1); }
  double dropout() const noexcept { return options_.dropout; }
  const Direction& of(int64_t layer, int64_t direction) const {
    return all_[static_cast<size_t>(layer * directions() + direction)];
  }

 private:
  RecurrentOptions options_;
  std::vector<Direction> all_;  ///< layer by layer, the way back after the way there
};

struct LstmOutput {
  Tensor output;        ///< [N, T, directions * H]: the last layer's hidden states
  Tensor hidden, cell;  ///< [layers * directions, N, H]: the states after the last step
};

/// A long short-term memory: lstm_cell. Sequences x [N, T, in], batch first. Dropout draws from the default
/// generator.
struct ESPALIER_API LSTM {
  LSTM(int64_t in, int64_t width, const RecurrentOptions& options = {}, const Generator& from = {});

  /// From states of zeros, or from those given. Throws ShapeError where x or the states do not fit, or T is
  /// 0.
  LstmOutput operator()(const Tensor& x) const;
  LstmOutput operator()(const Tensor& x, const Tensor& hidden, const Tensor& cell) const;
  void visit(Visitor& visitor) {
    weights.visit(visitor);
    visitor.training(training);
  }

  RecurrentWeights weights;
  bool training = true;
};

struct GruOutput {
  Tensor output;  ///< [N, T, directions * H]: the last layer's hidden states
  Tensor hidden;  ///< [layers * directions, N, H]: the states after the last step
};

/// A gated recurrent unit: gru_cell. Sequences x [N, T, in], batch first. Dropout draws from the default
/// generator.
struct ESPALIER_API GRU {
  GRU(int64_t in, int64_t width, const RecurrentOptions& options = {}, const Generator& from = {});

  /// From a state of zeros, or from the one given. Throws ShapeError where x or the state do not fit, or T is
  /// 0.
  GruOutput operator()(const Tensor& x) const;
  GruOutput operator()(const Tensor& x, const Tensor& hidden) const;
  void visit(Visitor& visitor) {
    weights.visit(visitor);
    visitor.training(training);
  }

  RecurrentWeights weights;
  bool training = true;
};

}  // namespace espalier::nn
