#pragma once

#include "core/workspace.h"
#include "ops/sample_token.h"

namespace espalier {

/// Draws tokens by rows of logits, for one thread: what sample_token and sample() are made of. T is float or
/// double; probabilities are computed in f64.
template <class T>
class TokenSampler {
 public:
  /// For rows of `size` logits.
  TokenSampler(const SamplingOptions& options, int64_t size, Workspace& work);

  /// The token that `uniform` stands for. Throws NumericError, on behalf of row `row`, where a logit is NaN
  /// or infinite, or all are -inf.
  int64_t draw(const T* logits, int64_t row, double uniform) const;

 private:
  double leave_out(const T* logits, T top, double sum) const;
  int64_t fewest(const T* logits, T top, double wanted) const;
  void take_best(const T* logits, int64_t count) const;

  SamplingOptions options_;
  int64_t size_;
  int64_t most_;               ///< tokens that top_k lets be drawn
  double* weights_ = nullptr;  ///< of each token, proportional to its probability; 0: it cannot be drawn
  T* best_ = nullptr;          ///< room for as many logits
};

extern template class TokenSampler<float>;
extern template class TokenSampler<double>;

}  // namespace espalier
