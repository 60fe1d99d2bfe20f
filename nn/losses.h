#pragma once

#include "ops/binary_cross_entropy.h"
#include "ops/binary_cross_entropy_with_logits.h"
#include "ops/cross_entropy.h"
#include "ops/distance_losses.h"
#include "ops/hinge_embedding_loss.h"
#include "ops/kl_div.h"
#include "ops/l1_loss.h"
#include "ops/likelihood_losses.h"
#include "ops/mse_loss.h"
#include "ops/nll_loss.h"

namespace espalier::nn {

// Losses as objects, for code that takes "some loss", under PyTorch's names and with its defaults. Each is
// the options of a function, which says what it takes and refuses, and calls it:
//
//   const nn::CrossEntropyLoss loss{{.label_smoothing = 0.1}};
//   backward(loss(model(x), y));
//
// One default is Espalier's own: classes stand on the last axis unless class_axis says otherwise.

/// Classification from logits: cross_entropy.
struct CrossEntropyLoss : CrossEntropyOptions {
  Tensor operator()(const Tensor& logits, const Tensor& targets) const {
    return cross_entropy(logits, targets, *this);
  }
};

/// Classification from log-probabilities: nll_loss.
struct NLLLoss : NllLossOptions {
  Tensor operator()(const Tensor& log_probabilities, const Tensor& targets) const {
    return nll_loss(log_probabilities, targets, *this);
  }
};

/// Yes or no, from probabilities: binary_cross_entropy.
struct BCELoss : BinaryCrossEntropyOptions {
  Tensor operator()(const Tensor& probabilities, const Tensor& targets) const {
    return binary_cross_entropy(probabilities, targets, *this);
  }
};

/// Yes or no, from logits, accurate for any of them: binary_cross_entropy_with_logits.
struct BCEWithLogitsLoss : BinaryCrossEntropyWithLogitsOptions {
  Tensor operator()(const Tensor& logits, const Tensor& targets) const {
    return binary_cross_entropy_with_logits(logits, targets, *this);
  }
};

/// Regression, squared error: mse_loss.
struct MSELoss {
  LossReduction reduction = LossReduction::mean;

  Tensor operator()(const Tensor& predictions, const Tensor& targets) const {
    return mse_loss(predictions, targets, reduction);
  }
};

/// Regression, absolute error: l1_loss.
struct L1Loss {
  LossReduction reduction = LossReduction::mean;

  Tensor operator()(const Tensor& predictions, const Tensor& targets) const {
    return l1_loss(predictions, targets, reduction);
  }
};

/// Regression, squared where small and absolute where large: huber_loss.
struct HuberLoss : HuberLossOptions {
  Tensor operator()(const Tensor& predictions, const Tensor& targets) const {
    return huber_loss(predictions, targets, *this);
  }
};

/// The same divided by where it passes over: smooth_l1_loss.
struct SmoothL1Loss : SmoothL1LossOptions {
  Tensor operator()(const Tensor& predictions, const Tensor& targets) const {
    return smooth_l1_loss(predictions, targets, *this);
  }
};

/// The divergence of log-probabilities from probabilities: kl_div.
struct KLDivLoss : KlDivOptions {
  Tensor operator()(const Tensor& log_probabilities, const Tensor& targets) const {
    return kl_div(log_probabilities, targets, *this);
  }
};

/// Counts under predicted rates: poisson_nll_loss.
struct PoissonNLLLoss : PoissonNllOptions {
  Tensor operator()(const Tensor& predictions, const Tensor& targets) const {
    return poisson_nll_loss(predictions, targets, *this);
  }
};

/// Numbers under predicted means and variances: gaussian_nll_loss.
struct GaussianNLLLoss : GaussianNllOptions {
  Tensor operator()(const Tensor& predictions, const Tensor& targets, const Tensor& variances) const {
    return gaussian_nll_loss(predictions, targets, variances, *this);
  }
};

/// The cosine of the angle between vectors: cosine_similarity.
struct CosineSimilarity : CosineSimilarityOptions {
  Tensor operator()(const Tensor& a, const Tensor& b) const { return cosine_similarity(a, b, *this); }
};

/// Vectors that should point the same way, or not: cosine_embedding_loss.
struct CosineEmbeddingLoss : MarginLossOptions {
  Tensor operator()(const Tensor& a, const Tensor& b, const Tensor& targets) const {
    return cosine_embedding_loss(a, b, targets, *this);
  }
};

/// Distances that should be small, or not: hinge_embedding_loss.
struct HingeEmbeddingLoss {
  double margin = 1;
  LossReduction reduction = LossReduction::mean;

  Tensor operator()(const Tensor& distances, const Tensor& targets) const {
    return hinge_embedding_loss(distances, targets, {.margin = margin, .reduction = reduction});
  }
};

/// Scores of which one should be the larger: margin_ranking_loss.
struct MarginRankingLoss : MarginLossOptions {
  Tensor operator()(const Tensor& a, const Tensor& b, const Tensor& targets) const {
    return margin_ranking_loss(a, b, targets, *this);
  }
};

/// An anchor that should be nearer to one vector than to another: triplet_margin_loss.
struct TripletMarginLoss : TripletMarginOptions {
  Tensor operator()(const Tensor& anchor, const Tensor& positive, const Tensor& negative) const {
    return triplet_margin_loss(anchor, positive, negative, *this);
  }
};

}  // namespace espalier::nn
