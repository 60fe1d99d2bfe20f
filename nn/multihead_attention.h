#pragma once

#include "nn/linear.h"
#include "ops/attention.h"

namespace espalier::nn {

/// Keys and values of earlier steps, so that a step of generation computes only its own: [N, G, capacity, D]
/// each, of which the first `length` steps are filled. Holds values, no gradients; one thread at a time.
class ESPALIER_API KeyValueCache {
 public:
  /// Throws ShapeError for a negative size.
  KeyValueCache(int64_t batch, int64_t heads, int64_t capacity, int64_t width, Dtype dtype = Dtype::f32);

  struct Filled {
    Tensor keys, values;  ///< [N, G, length, D]: views
  };
  /// Appends the keys and values of new steps, [N, G, T, D], and gives all there are. Throws ShapeError where
  /// they do not fit, ValueError where the capacity is exceeded; then the cache is as it was.
  Filled append(const Tensor& keys, const Tensor& values);

  int64_t length() const noexcept { return length_; }
  int64_t capacity() const { return keys_.size(2); }
  /// Forgets the steps from `length` on. Throws ValueError for more than there are.
  void truncate(int64_t length);

 private:
  Tensor keys_, values_;
  int64_t length_ = 0;
};

/// Multi-head attention of queries [N, T, E] to keys and values [N, S, E]: Vaswani et al., "Attention is all
/// you need" (2017), section 3.2.2. Parameters as PyTorch's nn.MultiheadAttention (batch first) names and
/// initialises them: `in_proj_weight` [3E, E] (Xavier uniform), `in_proj_bias` [3E], and `out_proj`.
struct ESPALIER_API MultiheadAttention {
  /// Throws ValueError where `heads` does not divide `width`.
  MultiheadAttention(int64_t width, int64_t heads_, bool with_bias = true, const Generator& from = {});

  /// A mask broadcasts to [N, heads, T, S]; true, in one of bools, lets a query see a key (PyTorch's layer
  /// has it the other way round, its function does not). Throws ShapeError where the operands do not fit.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                    const AttentionOptions& options = {}) const;
  /// Of a sequence to itself.
  Tensor operator()(const Tensor& x, const AttentionOptions& options = {}) const {
    return (*this)(x, x, x, options);
  }
  /// Of the next steps of a sequence to all so far, which `cache` holds; each step sees those up to itself.
  Tensor operator()(const Tensor& x, KeyValueCache& cache) const;
  void visit(Visitor& visitor) {
    visitor("in_proj_weight", in_proj_weight);
    visitor("in_proj_bias", in_proj_bias);
    visitor("out_proj", out_proj);
  }

  Tensor in_proj_weight;
  Tensor in_proj_bias;  ///< undefined without bias
  Linear out_proj;
  int64_t heads;
};

}  // namespace espalier::nn
