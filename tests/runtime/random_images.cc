#include "tests/runtime/random_images.h"

#include <random>

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

namespace espalier::test {
namespace {

const Conv2dOptions kSameSize = {.padding = 1};

/// The images that are there to go on with; the first is the state.
class Album {
 public:
  Album(uint64_t seed, const Tensor& input, const Tensor& weight, const Tensor& state)
      : from_(seed), weight_(weight), images_{state, input} {}

  void grow() {
    switch (below(17)) {
      case 0:
      case 1:
        return keep(conv2d(any(), weight_, {}, kSameSize));
      case 2:
        return keep(relu(any()));
      case 3:
        return keep(any() + any());
      case 4:
        return keep(tanh(any() * any()));
      case 5:
        return keep(contiguous(any()));
      case 6:
        return keep(channels_last(any()));
      case 7: {  // pooled, and spread again
        const Tensor pooled = avg_pool2d(any(), 2);
        return keep(apply_one(AvgPool2dBackward({8, 8}, AvgPool2d(2)), pooled));
      }
      case 8:
        return keep(max_pool2d(any(), 3, {.stride = 1, .padding = 1}));
      case 9:  // a large eps, so that channels of zeros make no noise of rounding
        return keep(batch_norm(any(), {}, {}, {}, {}, {.training = true, .eps = 0.1}));
      case 10:
        return keep(reshape(tanh(reshape(any(), {2, 1024})), {2, 16, 8, 8}));
      case 11:
        return keep(concat({slice(any(), 1, {8, kEnd}), slice(any(), 1, {0, 8})}, 1));
      case 12: {  // an image of its own, changed in place, then in a part
        const Tensor x = copy(any());
        keep(x);
        accumulate_(x, relu(any()));
        copy_(slice(x, 2, {0, 4}), slice(any(), 2, {4, kEnd}));
        return;
      }
      case 13:
        accumulate_(images_[0], tanh(any()));
        return;
      case 14:
        return keep(apply_one(Conv2dBackwardData(kSameSize, {8, 8}), any(), weight_));
      case 15: {
        const Tensor filters = apply_one(Conv2dBackwardWeights(kSameSize, {3, 3}, false), any(), any());
        return keep(conv2d(any(), 0.01 * filters, {}, kSameSize));
      }
      default:
        return keep(permute(any(), {0, 1, 3, 2}) * mean(any(), {2, 3}, true));
    }
  }

  std::vector<Tensor> results() {
    std::vector<Tensor> all;
    for (uint64_t i = below(3) + 1; i > 0; --i) all.push_back(any());
    return all;
  }

  uint64_t below(uint64_t limit) { return from_() % limit; }

 private:
  const Tensor& any() { return images_[below(images_.size())]; }
  void keep(Tensor image) { images_.push_back(std::move(image)); }

  std::mt19937_64 from_;
  Tensor weight_;
  std::vector<Tensor> images_;
};

}  // namespace

std::vector<Tensor> random_image_function(uint64_t seed, const Tensor& input, const Tensor& weight,
                                          const Tensor& state) {
  Album album(seed, input, weight, state);
  for (uint64_t i = album.below(20) + 5; i > 0; --i) album.grow();
  return album.results();
}

}  // namespace espalier::test
