#pragma once

#include <array>
#include <string>
#include <vector>

#include "optim/adam.h"

namespace espalier::optim {

/// What the step of a matrix of m rows and n columns is multiplied with, beside the learning rate.
enum class MuonScale {
  original,         ///< sqrt(max(1, m / n)): Jordan (2024)
  match_rms_adamw,  ///< 0.2 * sqrt(max(m, n)): steps as large as AdamW's, so that its learning rate and decay
                    ///< fit; Liu et al., "Muon is scalable for LLM training" (2025)
  spectral,         ///< sqrt(m / n): Bernstein, "Deriving Muon" (2025)
};

struct MuonOptions {
  double learning_rate = 1e-3;
  double momentum = 0.95;     ///< how much of the gradient's mean is kept
  bool nesterov = true;       ///< look ahead along it
  double weight_decay = 0.1;  ///< times the learning rate and the parameter, taken off the parameter
  MuonScale scale = MuonScale::original;
  int iterations = 5;                                             ///< of Newton and Schulz
  std::array<double, 3> coefficients = {3.4445, -4.775, 2.0315};  ///< a, b, c of their polynomial; Jordan's
  double epsilon = 1e-7;                                          ///< the least norm that is divided by
  /// Names, with wildcards as in Group, of matrices that AdamW updates: embeddings and the last layer.
  std::vector<std::string> adamw_patterns = {};
  AdamWOptions adamw = {};  ///< for those and for all parameters that are not matrices
};

/// Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon): a matrix is moved along the nearest
/// orthogonal matrix to its momentum, with the formulas of torch.optim.Muon:
///
///     mean += (1 - momentum) * (gradient - mean)
///     X = mean, or, looking ahead, gradient + momentum * (mean - gradient), divided by its Frobenius norm
///     iterations times: A = X X^T, X = a X + (b A + c A A) X
///     parameter -= learning_rate * (scale * X + weight_decay * parameter)
///
/// PyTorch iterates in bf16, this in f32 or, for f64, in f64. Parameters that have not two axes, and matrices
/// named by `adamw_patterns`, are updated by AdamW, in the same object: they are group 1, with a learning
/// rate of their own. The order of the options is that of group 0, then 1.
///
///   optim::Muon muon(model, {.learning_rate = 0.02, .adamw_patterns = {"embedding.*", "head.*"},
///                            .adamw = {.learning_rate = 3e-4}});
class ESPALIER_API Muon final : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws; ValueError for a momentum outside [0, 1), options that are
  /// negative or not finite, iterations outside 1 to 99, and where no matrix is left for Muon.
  explicit Muon(const nn::NamedTensors& parameters, const MuonOptions& options = {});
  template <nn::Visitable M>
  explicit Muon(M& model, const MuonOptions& options = {}) : Muon(nn::named_parameters(model), options) {}

 private:
  void update(const Update& update) const override;
  Tensor orthogonalised(const Tensor& matrix) const;

  MuonOptions options_;
  AdamRule adamw_;
};

}  // namespace espalier::optim
