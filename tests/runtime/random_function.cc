#include "tests/runtime/random_function.h"

#include <random>

#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/dropout.h"
#include "ops/layer_norm.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/sum.h"
#include "ops/tanh.h"

namespace espalier::runtime::test {
namespace {

/// The matrices that are there to go on with; the first is the state.
class Pool {
 public:
  Pool(uint64_t seed, const Tensor& input, const Tensor& state) : from_(seed), matrices_{state, input} {}

  void grow() {
    switch (below(18)) {
      case 0:
        return keep(any() + any());
      case 1:
        return keep(any() * any());
      case 2:
        return keep(tanh(matmul(any(), any())));
      case 3:
        return keep(relu(any()));
      case 4:
        return keep(softmax(any(), 1));
      case 5:
        return keep(permute(any(), {1, 0}));
      case 6: {  // the halves exchanged
        const Tensor x = any();
        const int64_t half = x.size(0) / 2;
        return keep(concat({slice(x, 0, {half, kEnd}), slice(x, 0, {0, half})}, 0));
      }
      case 7:
        return keep(copy(any()));
      case 8: {  // a matrix of its own, changed in place
        const Tensor x = copy(any());
        keep(x);
        accumulate_(x, relu(any()));  // not of x itself: what that gives is anybody's guess
        return;
      }
      case 9: {  // ... in a part, of which other views are there
        const Tensor x = copy(any());
        const Tensor rows = slice(x, 0, {1, 3});
        keep(x);
        copy_(slice(x, 1, {0, 2}), tanh(slice(any(), 1, {1, 3})));
        keep(concat({rows, slice(any(), 0, {2, kEnd})}, 0));
        return;
      }
      case 10:
        accumulate_(matrices_[0], tanh(any()));
        return;
      case 11:
        copy_(slice(matrices_[0], 0, {0, 1}), relu(slice(any(), 0, {1, 2})));
        return;
      case 12:
        return keep(dropout(any(), 0.5));
      case 13: {
        const Tensor x = any();
        return keep(layer_norm(x, {x.size(1)}, reshape(slice(any(), 0, {0, 1}), {x.size(1)})));
      }
      case 14: {
        const Tensor x = any();
        return keep(rms_norm(x, {x.size(1)}));
      }
      case 15:
        return keep(log_softmax(any(), 1));
      case 16: {  // through a narrow type, in which something is done
        const Tensor x = cast(any(), below(2) ? Dtype::bf16 : Dtype::f16);
        return keep(cast(relu(x) * cast(any(), x.dtype()), Dtype::f32));
      }
      default: {  // the same work twice, and some for nobody
        const Tensor x = any();
        tanh(x);
        return keep(sum(x, {1}, true) + sum(x, {1}, true) * x);
      }
    }
  }

  std::vector<Tensor> results() {
    std::vector<Tensor> all;
    for (uint64_t i = below(3) + 1; i > 0; --i) all.push_back(any());
    return all;
  }

  uint64_t below(uint64_t limit) { return from_() % limit; }

 private:
  const Tensor& any() { return matrices_[below(matrices_.size())]; }
  void keep(Tensor matrix) { matrices_.push_back(std::move(matrix)); }

  std::mt19937_64 from_;
  std::vector<Tensor> matrices_;
};

}  // namespace

std::vector<Tensor> random_function(uint64_t seed, const Tensor& input, const Tensor& state) {
  Pool pool(seed, input, state);
  for (uint64_t i = pool.below(20) + 10; i > 0; --i) pool.grow();
  return pool.results();
}

}  // namespace espalier::runtime::test
