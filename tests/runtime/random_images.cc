#include "tests/runtime/random_images.h"

#include "core/door.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/avg_pool2d.h"
#include "ops/batch_norm.h"
#include "ops/concat.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/max_pool2d.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/tanh.h"
#include "tests/runtime/random_pool.h"

namespace espalier::test {
namespace {

const Conv2dOptions kSameSize = {.padding = 1};

/// Goes on with the images of the pool.
void grow_images(RandomPool& pool, const Tensor& weight) {
  switch (pool.below(17)) {
    case 0:
    case 1:
      return pool.keep(conv2d(pool.any(), weight, {}, kSameSize));
    case 2:
      return pool.keep(relu(pool.any()));
    case 3:
      return pool.keep(pool.any() + pool.any());
    case 4:
      return pool.keep(tanh(pool.any() * pool.any()));
    case 5:
      return pool.keep(contiguous(pool.any()));
    case 6:
      return pool.keep(channels_last(pool.any()));
    case 7: {  // pooled, and spread again
      const Tensor pooled = avg_pool2d(pool.any(), 2);
      return pool.keep(apply_one(AvgPool2dBackward({8, 8}, AvgPool2d(2)), pooled));
    }
    case 8:
      return pool.keep(max_pool2d(pool.any(), 3, {.stride = 1, .padding = 1}));
    case 9:  // a large eps, so that channels of zeros make no noise of rounding
      return pool.keep(batch_norm(pool.any(), {}, {}, {}, {}, {.training = true, .eps = 0.1}));
    case 10:
      return pool.keep(reshape(tanh(reshape(pool.any(), {2, 1024})), {2, 16, 8, 8}));
    case 11:
      return pool.keep(concat({slice(pool.any(), 1, {8, kEnd}), slice(pool.any(), 1, {0, 8})}, 1));
    case 12: {  // an image of its own, changed in place, then in a part
      const Tensor x = copy(pool.any());
      pool.keep(x);
      accumulate_(x, relu(pool.any()));
      copy_(slice(x, 2, {0, 4}), slice(pool.any(), 2, {4, kEnd}));
      return;
    }
    case 13:
      accumulate_(pool.state(), tanh(pool.any()));
      return;
    case 14:
      return pool.keep(apply_one(Conv2dBackwardData(kSameSize, {8, 8}), pool.any(), weight));
    case 15: {
      const Tensor filters =
          apply_one(Conv2dBackwardWeights(kSameSize, {3, 3}, false), pool.any(), pool.any());
      return pool.keep(conv2d(pool.any(), 0.01 * filters, {}, kSameSize));
    }
    default:
      return pool.keep(permute(pool.any(), {0, 1, 3, 2}) * mean(pool.any(), {2, 3}, true));
  }
}

}  // namespace

std::vector<Tensor> random_image_function(uint64_t seed, const Tensor& input, const Tensor& weight,
                                          const Tensor& state) {
  RandomPool pool(seed, input, state);
  for (uint64_t i = pool.below(20) + 5; i > 0; --i) grow_images(pool, weight);
  return pool.results();
}

}  // namespace espalier::test
