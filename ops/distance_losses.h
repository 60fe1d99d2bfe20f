#pragma once

#include "core/tensor.h"
#include "ops/hinge_embedding_loss.h"

namespace espalier {

// Similarities and distances between vectors, and the losses that are made of them: compositions of other
// operations, with gradients of all their inputs. f16 and bf16 are computed in f32 and rounded at the end.

struct CosineSimilarityOptions {
  int64_t axis = 1;   ///< along which the vectors lie; negative ones count from the end
  double eps = 1e-8;  ///< norms are at least this, so that a vector of zeros gives 0
};

/// a . b / (max(|a|, eps) max(|b|, eps)) along an axis, which goes. The shapes broadcast. As in PyTorch, a
/// vector whose squares overflow its type has an infinite norm and the similarity 0. Throws ShapeError where
/// the shapes do not agree or there is no such axis, TypeError unless the types are one and floating.
ESPALIER_API Tensor cosine_similarity(const Tensor& a, const Tensor& b,
                                      const CosineSimilarityOptions& options = {});

/// With the cosine c of two vectors [..., size]: 1 - c where the target is 1, max(0, c - margin) where it is
/// -1; targets [...], of the vectors' type. Squared norms get 1e-12 added, as in PyTorch. Throws as
/// hinge_embedding_loss does, and ShapeError where the vectors' shapes differ.
ESPALIER_API Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& targets,
                                          const MarginLossOptions& options = {});

/// max(0, margin - t (a - b)) for scores of which a should be the larger (target 1) or the smaller (-1); any
/// number as a target goes into the formula. One shape and floating type.
ESPALIER_API Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& targets,
                                        const MarginLossOptions& options = {});

struct TripletMarginOptions {
  double margin = 1;
  double p = 2;       ///< of the norm: above 0, infinity included
  double eps = 1e-6;  ///< added to each difference, as in PyTorch
  /// Take the negative's distance from the positive where that is smaller. (Balntas et al., "Learning local
  /// feature descriptors with triplets and shallow convolutional neural networks", BMVC 2016.)
  bool swap = false;
  LossReduction reduction = LossReduction::mean;
};

/// max(0, margin + d(anchor, positive) - d(anchor, negative)) with the distance d(x, y) = |x - y + eps|_p
/// over the last axis of [..., size]. (Schroff et al., "FaceNet", CVPR 2015.) One shape and floating type;
/// throws ShapeError, TypeError, and ValueError for an option out of range.
ESPALIER_API Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                                        const TripletMarginOptions& options = {});

}  // namespace espalier
