#pragma once

#include <optional>

#include "core/door.h"

namespace espalier {

/// Mixed precision: while it lives, products, convolutions and attention of the calling thread compute in a
/// 16-bit type, whatever f32 tensors they are given; sums, exponentials, norms and losses compute in f32,
/// whatever 16-bit tensors they are given; other operations take what comes (Micikevicius et al., "Mixed
/// Precision Training", ICLR 2018; the lists are close to torch.autocast's). Weights stay f32, and so do
/// their gradients. Put it around the forward pass and the loss, not around backward, which follows the types
/// that it finds, nor the optimiser's step:
///
///   Tensor loss;
///   {
///     const Autocast autocast(Dtype::bf16);
///     loss = cross_entropy(net(x), labels);
///   }
///   backward(loss);
///
/// With f16, small gradients need a loss that is scaled up: optim/loss_scaler.h. Each operation says itself
/// what it wants (Operation::autocast_rule); f64 and integers are never converted. Scopes nest, and one
/// without a type switches autocasting off for its part.
class ESPALIER_API Autocast {
 public:
  /// Throws TypeError for a type other than bf16 and f16.
  explicit Autocast(std::optional<Dtype> dtype = Dtype::bf16);

 private:
  AutocastScope scope_;
};

}  // namespace espalier
