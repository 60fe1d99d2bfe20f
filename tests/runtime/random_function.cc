#include "tests/runtime/random_function.h"

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
#include "tests/runtime/random_pool.h"

namespace espalier::test {
namespace {

/// Goes on with the matrices of the pool.
void grow_matrices(RandomPool& pool) {
  switch (pool.below(18)) {
    case 0:
      return pool.keep(pool.any() + pool.any());
    case 1:
      return pool.keep(pool.any() * pool.any());
    case 2:
      return pool.keep(tanh(matmul(pool.any(), pool.any())));
    case 3:
      return pool.keep(relu(pool.any()));
    case 4:
      return pool.keep(softmax(pool.any(), 1));
    case 5:
      return pool.keep(permute(pool.any(), {1, 0}));
    case 6: {  // the halves exchanged
      const Tensor x = pool.any();
      const int64_t half = x.size(0) / 2;
      return pool.keep(concat({slice(x, 0, {half, kEnd}), slice(x, 0, {0, half})}, 0));
    }
    case 7:
      return pool.keep(copy(pool.any()));
    case 8: {  // a matrix of its own, changed in place
      const Tensor x = copy(pool.any());
      pool.keep(x);
      accumulate_(x, relu(pool.any()));  // not of x itself: what that gives is anybody's guess
      return;
    }
    case 9: {  // ... in a part, of which other views are there
      const Tensor x = copy(pool.any());
      const Tensor rows = slice(x, 0, {1, 3});
      pool.keep(x);
      copy_(slice(x, 1, {0, 2}), tanh(slice(pool.any(), 1, {1, 3})));
      pool.keep(concat({rows, slice(pool.any(), 0, {2, kEnd})}, 0));
      return;
    }
    case 10:
      accumulate_(pool.state(), tanh(pool.any()));
      return;
    case 11:
      copy_(slice(pool.state(), 0, {0, 1}), relu(slice(pool.any(), 0, {1, 2})));
      return;
    case 12:
      return pool.keep(dropout(pool.any(), 0.5));
    case 13: {
      const Tensor x = pool.any();
      return pool.keep(layer_norm(x, {x.size(1)}, reshape(slice(pool.any(), 0, {0, 1}), {x.size(1)})));
    }
    case 14: {
      const Tensor x = pool.any();
      return pool.keep(rms_norm(x, {x.size(1)}));
    }
    case 15:
      return pool.keep(log_softmax(pool.any(), 1));
    case 16: {  // through a narrow type, in which something is done
      const Tensor x = cast(pool.any(), pool.below(2) ? Dtype::bf16 : Dtype::f16);
      return pool.keep(cast(relu(x) * cast(pool.any(), x.dtype()), Dtype::f32));
    }
    default: {  // the same work twice, and some for nobody
      const Tensor x = pool.any();
      tanh(x);
      return pool.keep(sum(x, {1}, true) + sum(x, {1}, true) * x);
    }
  }
}

}  // namespace

std::vector<Tensor> random_function(uint64_t seed, const Tensor& input, const Tensor& state) {
  RandomPool pool(seed, input, state);
  for (uint64_t i = pool.below(20) + 10; i > 0; --i) grow_matrices(pool);
  return pool.results();
}

}  // namespace espalier::test
