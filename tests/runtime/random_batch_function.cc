#include "tests/runtime/random_batch_function.h"

#include <random>

#include "core/create.h"
#include "ops/add.h"
#include "ops/argmax.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/cumsum.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/layer_norm.h"
#include "ops/matmul.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/sort.h"
#include "ops/subtract.h"
#include "ops/tanh.h"

namespace espalier::test {
namespace {

constexpr int64_t kWidth = 6;

class BatchPool {
 public:
  BatchPool(uint64_t seed, const Tensor& examples, const Tensor& weights)
      : from_(seed), weights_(weights), count_(examples.size(0)), pool_{examples} {}

  void grow() {
    constexpr uint64_t kMixed = 8;  // of a hundred
    keep(below(100) < kMixed ? mixed() : by_examples());
  }

  std::vector<Tensor> results() {
    std::vector<Tensor> all = {pool_.back()};
    for (uint64_t i = below(2); i > 0; --i) all.push_back(any());
    return all;
  }

  uint64_t below(uint64_t limit) { return from_() % limit; }

 private:
  Tensor by_examples() {
    const Tensor x = any();
    switch (below(18)) {
      case 0:
        return x + any();
      case 1:
        return x * any();
      case 2:
        return tanh(matmul(x, weights_));
      case 3:
        return relu(x);
      case 4:
        return softmax(x, 1);
      case 5:
        return cumsum(x, 1);
      case 6:
        return flip(x, {1});
      case 7:
        return layer_norm(x, {kWidth});
      case 8:  // two rows an example
        return reshape(softmax(reshape(x, {2 * count_, 3}), 1), {count_, kWidth});
      case 9:
        return reshape(cumsum(reshape(x, {count_, 2, 3}), 1), {-1, kWidth});
      case 10:
        return permute(softmax(permute(x, {1, 0}), 0), {1, 0});
      case 11:
        return sort(x, 1).values;
      case 12:
        return concat({slice(x, 1, {2, kEnd}), slice(x, 1, {0, 2})}, 1);
      case 13:
        return x * expand(slice(weights_, 0, {1, 2}), {count_, kWidth});
      case 14:
        return concat({slice(x, 1, {0, 3}), zeros({count_, 3})}, 1);
      case 15:
        return x + cast(argmax(any(), 1, true), Dtype::f32);
      case 16: {  // a product for each example, between axes of its own
        const Tensor pieces = reshape(x, {count_, 2, 3});
        return reshape(matmul(matmul(pieces, permute(pieces, {0, 2, 1})), pieces), {count_, kWidth});
      }
      default: {
        const Tensor texts = reshape(x, {count_, 1, 3, 2});
        return reshape(attention(texts, texts, texts, {.causal = Causal::upper_left}), {count_, kWidth});
      }
    }
  }

  /// What no part of a batch can do.
  Tensor mixed() {
    const Tensor x = any();
    switch (below(13)) {
      case 0:
        return softmax(x, 0);
      case 1:
        return cumsum(x, 0);
      case 2:
        return flip(x, {0});
      case 3:
        return roll(x, 1, 0);
      case 4:
        return x - mean(x, {0}, true);
      case 5:
        return matmul(x, tanh(matmul(permute(x, {1, 0}), x)));
      case 6:
        return sort(x, 0).values;
      case 7:
        return x + slice(x, 0, {0, 1});
      case 8:
        return x * reshape(cast(arange(count_), Dtype::f32), {count_, 1});
      case 9:
        return x + cast(argmax(x, 0, true), Dtype::f32);
      case 10:  // the same numbers where there are six examples
        return reshape(permute(reshape(x, {kWidth, count_}), {1, 0}), {count_, kWidth});
      case 11:
        return reshape(softmax(reshape(x, {2 * count_, 3}), 0), {count_, kWidth});
      default: {
        const Tensor text = reshape(x, {1, 1, count_, kWidth});
        return reshape(attention(text, text, text), {count_, kWidth});
      }
    }
  }

  const Tensor& any() { return pool_[below(pool_.size())]; }
  void keep(Tensor made) { pool_.push_back(std::move(made)); }

  std::mt19937_64 from_;
  Tensor weights_;
  int64_t count_;
  std::vector<Tensor> pool_;
};

}  // namespace

std::vector<Tensor> random_batch_function(uint64_t seed, const Tensor& examples, const Tensor& weights) {
  BatchPool pool(seed, examples, weights);
  for (uint64_t i = pool.below(8) + 4; i > 0; --i) pool.grow();
  return pool.results();
}

}  // namespace espalier::test
