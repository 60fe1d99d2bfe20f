// In f32 the loops are those of batch normalisation, image by image: runs of a channel in row-major memory,
// rows of all channels in channels-last memory. Sums are taken over blocks of fixed size and added in f64. In
// f64 the loops are plain.

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "ops/batch_norm_internal.h"
#include "ops/group_norm.h"
#include "ops/layout_internal.h"
#include "ops/narrow_types_internal.h"
#include "ops/parts_internal.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

/// Neighbours of one group that are summed in f32.
constexpr int64_t kRun = 4096;
/// From so many images on, each is one thread's from beginning to end, while it is in cache; fewer are
/// shared.
constexpr int64_t kImages = 8;
/// Simple operations an element.
constexpr int64_t kWork = 6;

/// Where the elements are: that of image n, channel c and position s at n * image + c * channel + s *
/// position.
struct Geometry {
  bool rows;  ///< channels innermost
  int64_t batch, channels, groups, size;
  int64_t members;        ///< channels of a group
  int64_t block, blocks;  ///< rows of a block, and their number

  Geometry(const Tensor& x, int64_t groups_)
      : batch(x.shape()[0]),
        channels(x.shape()[1]),
        groups(groups_),
        size(x.numel() / std::max<int64_t>(batch * channels, 1)),
        members(channels / groups) {
    rows = size == 1 || !x.is_contiguous();
    // As for batch norm: some 32 Ki floats are summed in f32 while they are in a second-level cache.
    block = std::clamp<int64_t>(32768 / std::max<int64_t>(channels, 1), 32, 512);
    blocks = (size + block - 1) / block;
  }
  int64_t image() const { return channels * size; }
  int64_t channel() const { return rows ? 1 : size; }
  int64_t position() const { return rows ? channels : 1; }
  int64_t rows_in(int64_t b) const { return std::min(block, size - b * block); }

  /// In each of which parallel_for has the threads only where images are few.
  Parts images() const {
    const int64_t work = std::max<int64_t>(1, kWork * image());
    return {batch, batch < kImages ? batch : kSerialWork / work};
  }
  /// What an image needs for itself: coefficients, and sums of each block.
  int64_t memory() const { return Parts::apart<float>((4 + 2 * (rows ? blocks : 1)) * channels); }
  /// Calls `body(n, memory)` for each image; `memory` is a piece of `all` of that size.
  template <class Body>
  void for_each_image(float* all, const Body& body) const {
    images().run([&](int64_t part, int64_t first, int64_t last) {
      for (int64_t n = first; n < last; ++n) body(n, all + part * memory());
    });
  }
  template <class Body>
  void for_each_group(const Body& body) const {
    parallel_for(0, groups, std::max<int64_t>(1, kSerialWork / (kWork * members * size)),
                 [&](int64_t first, int64_t last) {
                   for (int64_t g = first; g < last; ++g) body(g);
                 });
  }
  template <class Body>
  void for_each_block(const Body& body) const {
    parallel_for(0, blocks, std::max<int64_t>(1, kSerialWork / (kWork * block * channels)),
                 [&](int64_t first, int64_t last) {
                   for (int64_t b = first; b < last; ++b) body(b);
                 });
  }
};

template <class T>
T* values(const Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.raw_data()) : nullptr;
}

/// What NormCoefficients point to, for the channels of one image.
class Coefficients {
 public:
  /// `memory` has 4 floats for each channel.
  Coefficients(float* memory, int64_t channels) : first_(memory), channels_(channels) {}
  float& mean(int64_t c) const { return first_[c]; }
  float& scale(int64_t c) const { return first_[channels_ + c]; }
  float& slope(int64_t c) const { return first_[2 * channels_ + c]; }
  float& shift(int64_t c) const { return first_[3 * channels_ + c]; }
  NormCoefficients from(int64_t c) const { return {&mean(c), &scale(c), &slope(c), &shift(c)}; }
  /// What lies behind them.
  float* rest() const { return first_ + 4 * channels_; }

 private:
  float* first_;
  int64_t channels_;
};

struct Forward {
  const Geometry g;
  const float *x, *weight, *bias;
  float *y, *means, *scales;
  double epsilon;

  void set(int64_t n, int64_t group, const Moments& moments, const Coefficients& k) const {
    const double scale = 1 / std::sqrt(moments.squares / moments.count + epsilon);
    means[n * g.groups + group] = static_cast<float>(moments.mean);
    scales[n * g.groups + group] = static_cast<float>(scale);
    for (int64_t c = group * g.members; c < (group + 1) * g.members; ++c) {
      k.mean(c) = static_cast<float>(moments.mean);
      k.scale(c) = static_cast<float>(weight ? scale * weight[c] : scale);
      k.shift(c) = bias ? bias[c] : 0;
    }
  }

  void planes(int64_t n, const Coefficients& k) const {
    const float* const from = x + n * g.image();
    g.for_each_group([&](int64_t group) {
      const int64_t first = group * g.members * g.size, last = first + g.members * g.size;
      Moments moments;
      for (int64_t i = first; i < last; i += kRun) {
        const int64_t run = std::min(kRun, last - i);
        float mean, squares;
        run_moments(from + i, run, &mean, &squares);
        moments.merge(static_cast<double>(run), mean, squares);
      }
      set(n, group, moments, k);
      run_normalize(from + first, k.from(group * g.members), {g.members, g.size, g.size},
                    y + n * g.image() + first);
    });
  }

  void rows(int64_t n, const Coefficients& k) const {
    const float* const from = x + n * g.image();
    float* const sums = k.rest();
    g.for_each_block([&](int64_t b) {
      float* const own = sums + b * 2 * g.channels;
      row_moments(from + b * g.block * g.channels, g.rows_in(b), g.channels, own, own + g.channels);
    });
    for (int64_t group = 0; group < g.groups; ++group) set(n, group, merged(sums, group), k);
    g.for_each_block([&](int64_t b) {
      const int64_t at = b * g.block * g.channels;
      row_normalize(from + at, k.from(0), g.rows_in(b), g.channels, y + n * g.image() + at);
    });
  }

 private:
  /// The moments of a group from those of its channels in all blocks, without a division for each.
  Moments merged(const float* sums, int64_t group) const {
    Moments total{static_cast<double>(g.members * g.size), 0, 0};
    const auto for_each_part = [&](const auto& add) {
      for (int64_t b = 0; b < g.blocks; ++b) {
        const float* const means_of_block = sums + b * 2 * g.channels;
        for (int64_t c = group * g.members; c < (group + 1) * g.members; ++c)
          add(static_cast<double>(g.rows_in(b)), means_of_block[c], means_of_block[g.channels + c]);
      }
    };
    for_each_part([&](double count, double mean, double) { total.mean += count * mean; });
    total.mean /= total.count;
    for_each_part([&](double count, double mean, double squares) {
      total.squares += squares + count * (mean - total.mean) * (mean - total.mean);
    });
    return total;
  }
};

struct Backward {
  const Geometry g;
  const float *dy, *x, *weight, *means, *scales;
  float* dx;                // may be null
  double *sums, *products;  // [N, C]: of dy, and of dy (x - mean)

  /// dx = scale weight dy - shift - slope (x - mean): the gradients of the deviation and of the mean.
  void set(int64_t n, int64_t group, const Coefficients& k) const {
    const double scale = scales[n * g.groups + group],
                 share = scale / static_cast<double>(g.members * g.size);
    double sum = 0, product = 0;
    for (int64_t c = group * g.members; c < (group + 1) * g.members; ++c) {
      const double factor = weight ? weight[c] : 1;
      sum += factor * sums[n * g.channels + c];
      product += factor * products[n * g.channels + c];
    }
    for (int64_t c = group * g.members; c < (group + 1) * g.members; ++c) {
      k.scale(c) = static_cast<float>(weight ? scale * weight[c] : scale);
      k.slope(c) = static_cast<float>(share * scale * scale * product);
      k.shift(c) = static_cast<float>(share * sum);
    }
  }

  void planes(int64_t n, const Coefficients& k) const {
    float *const run_sums = k.rest(), *const run_sums_of_products = run_sums + g.channels;
    g.for_each_group([&](int64_t group) {
      const int64_t first = group * g.members, last = first + g.members;
      const int64_t start = n * g.image() + first * g.size;
      for (int64_t c = first; c < last; ++c) k.mean(c) = means[n * g.groups + group];
      for (int64_t i = 0; i < g.size; i += kRun) {
        const Runs runs{g.members, g.size, std::min(kRun, g.size - i)};
        run_products(dy + start + i, x + start + i, &k.mean(first), runs, run_sums + first,
                     run_sums_of_products + first);
        for (int64_t c = first; c < last; ++c) {
          sums[n * g.channels + c] += run_sums[c];
          products[n * g.channels + c] += run_sums_of_products[c];
        }
      }
      if (!dx) return;
      set(n, group, k);
      run_gradient(dy + start, x + start, k.from(first), {g.members, g.size, g.size}, dx + start);
    });
  }

  void rows(int64_t n, const Coefficients& k) const {
    for (int64_t c = 0; c < g.channels; ++c) k.mean(c) = means[n * g.groups + c / g.members];
    float* const parts = k.rest();
    g.for_each_block([&](int64_t b) {
      const int64_t at = n * g.image() + b * g.block * g.channels;
      float* const own = parts + b * 2 * g.channels;
      row_products(dy + at, x + at, &k.mean(0), g.rows_in(b), g.channels, own, own + g.channels);
    });
    for (int64_t c = 0; c < g.channels; ++c) {
      double &sum = sums[n * g.channels + c], &product = products[n * g.channels + c];
      for (int64_t b = 0; b < g.blocks; ++b) {
        sum += parts[b * 2 * g.channels + c];
        product += parts[(b * 2 + 1) * g.channels + c];
      }
    }
    if (!dx) return;
    for (int64_t group = 0; group < g.groups; ++group) set(n, group, k);
    g.for_each_block([&](int64_t b) {
      const int64_t at = n * g.image() + b * g.block * g.channels;
      row_gradient(dy + at, x + at, k.from(0), g.rows_in(b), g.channels, dx + at);
    });
  }
};

void forward_f64(const Geometry& g, double epsilon, const double* x, const double* weight, const double* bias,
                 double* y, double* means, double* scales) {
  parallel_for(0, g.batch * g.groups, std::max<int64_t>(1, kSerialWork / (kWork * g.members * g.size)),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) {
                   const int64_t n = i / g.groups, begin = i % g.groups * g.members, end = begin + g.members;
                   const auto for_each = [&](const auto& f) {
                     for (int64_t c = begin; c < end; ++c) {
                       for (int64_t s = 0; s < g.size; ++s)
                         f(n * g.image() + c * g.channel() + s * g.position(), c);
                     }
                   };
                   const auto count = static_cast<double>(g.members * g.size);
                   double mean = 0, squares = 0;
                   for_each([&](int64_t at, int64_t) { mean += x[at]; });
                   mean /= count;
                   for_each([&](int64_t at, int64_t) { squares += (x[at] - mean) * (x[at] - mean); });
                   const double scale = 1 / std::sqrt(squares / count + epsilon);
                   means[i] = mean;
                   scales[i] = scale;
                   for_each([&](int64_t at, int64_t c) {
                     y[at] = (x[at] - mean) * scale * (weight ? weight[c] : 1) + (bias ? bias[c] : 0);
                   });
                 }
               });
}

void backward_f64(const Geometry& g, const double* dy, const double* x, const double* weight,
                  const double* means, const double* scales, double* dx, double* sums, double* products) {
  parallel_for(0, g.batch * g.groups, std::max<int64_t>(1, kSerialWork / (kWork * g.members * g.size)),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) {
                   const int64_t n = i / g.groups, begin = i % g.groups * g.members, end = begin + g.members;
                   const double mean = means[i], scale = scales[i];
                   const double share = scale / static_cast<double>(g.members * g.size);
                   double sum = 0, product = 0;
                   for (int64_t c = begin; c < end; ++c) {
                     double own_sum = 0, own_product = 0;
                     for (int64_t s = 0; s < g.size; ++s) {
                       const int64_t at = n * g.image() + c * g.channel() + s * g.position();
                       own_sum += dy[at];
                       own_product += dy[at] * (x[at] - mean);
                     }
                     sums[n * g.channels + c] = own_sum;
                     products[n * g.channels + c] = own_product;
                     sum += own_sum * (weight ? weight[c] : 1);
                     product += own_product * (weight ? weight[c] : 1);
                   }
                   for (int64_t c = begin; dx && c < end; ++c) {
                     for (int64_t s = 0; s < g.size; ++s) {
                       const int64_t at = n * g.image() + c * g.channel() + s * g.position();
                       dx[at] = dy[at] * scale * (weight ? weight[c] : 1) - share * sum -
                                share * scale * scale * product * (x[at] - mean);
                     }
                   }
                 }
               });
}

/// The parameters' gradients: sums over the images, in order.
template <class T>
void sum_images(const Geometry& g, const double* sums, const double* products, const T* scales, T* dweight,
                T* dbias) {
  for (int64_t c = 0; c < g.channels; ++c) {
    double weight = 0, bias = 0;
    for (int64_t n = 0; n < g.batch; ++n) {
      weight += products[n * g.channels + c] * static_cast<double>(scales[n * g.groups + c / g.members]);
      bias += sums[n * g.channels + c];
    }
    if (dweight) dweight[c] = static_cast<T>(weight);
    if (dbias) dbias[c] = static_cast<T>(bias);
  }
}

/// Floats that the images need for themselves.
template <class T>
int64_t memory_of(const Geometry& g) {
  return std::is_same_v<T, double> ? 0 : g.images().count() * g.memory();
}

template <class T>
class GroupNormWork {
 public:
  GroupNormWork(const GroupNorm& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : y_(outputs[0]),
        means_(outputs[1]),
        scales_(outputs[2]),
        geometry_(y_, means_.shape()[1]),
        x_(in_layout(inputs[0], y_.strides(), work)),
        weight_(row_major_as<T>(inputs[1], work)),
        bias_(row_major_as<T>(inputs[2], work)),
        memory_(work.take<float>(memory_of<T>(geometry_))),
        epsilon_(op.epsilon()) {}

  void run() const {
    const Geometry& g = geometry_;
    T *const means = values<T>(means_), *const scales = values<T>(scales_);
    if (y_.numel() == 0) {  // groups without elements have no mean
      for (T* const statistic : {means, scales}) std::fill_n(statistic, means_.numel(), T{0});
    } else if constexpr (std::is_same_v<T, double>) {
      forward_f64(g, epsilon_, values<T>(x_), weight_, bias_, values<T>(y_), means, scales);
    } else {
      const Forward run{g, values<T>(x_), weight_, bias_, values<T>(y_), means, scales, epsilon_};
      g.for_each_image(memory_, [&](int64_t n, float* memory) {
        const Coefficients k(memory, g.channels);
        g.rows ? run.rows(n, k) : run.planes(n, k);
      });
    }
  }

 private:
  const Tensor &y_, &means_, &scales_;
  Geometry geometry_;
  LocalTensor x_;
  const T *weight_, *bias_;
  float* memory_;
  double epsilon_;
};

/// The layout of dx.
Strides gradient_strides(const Tensor& x) {
  return x.rank() == 4 ? image_strides(x, x.shape()) : contiguous_strides(x.shape());
}

template <class T>
class GroupNormBackwardWork {
 public:
  GroupNormBackwardWork(const GroupNormBackward& op, Inputs inputs, std::span<const Tensor> outputs,
                        Workspace& work)
      : dy_(in_layout(inputs[0], gradient_strides(inputs[1]), work)),
        x_(in_layout(inputs[1], gradient_strides(inputs[1]), work)),
        geometry_(x_, inputs[3].shape()[1]),
        weight_(row_major_as<T>(inputs[2], work)),
        means_(row_major_as<T>(inputs[3], work)),
        scales_(row_major_as<T>(inputs[4], work)),
        sums_(work.take<double>(2 * geometry_.batch * geometry_.channels)),
        memory_(work.take<float>(memory_of<T>(geometry_))) {
    size_t next = 0;
    const auto wanted = [&](int i) { return op.wants(i) ? values<T>(outputs[next++]) : nullptr; };
    dx_ = wanted(0);
    dweight_ = wanted(1);
    dbias_ = wanted(2);
  }

  void run() const {
    const Geometry& g = geometry_;
    double* const products = sums_ + g.batch * g.channels;
    std::fill_n(sums_, 2 * g.batch * g.channels, 0.0);
    if (x_->numel() > 0) {
      if constexpr (std::is_same_v<T, double>) {
        backward_f64(g, values<T>(dy_), values<T>(x_), weight_, means_, scales_, dx_, sums_, products);
      } else {
        const Backward run{g, values<T>(dy_), values<T>(x_), weight_, means_, scales_, dx_, sums_, products};
        g.for_each_image(memory_, [&](int64_t n, float* memory) {
          const Coefficients k(memory, g.channels);
          g.rows ? run.rows(n, k) : run.planes(n, k);
        });
      }
    }
    if (dweight_ || dbias_) sum_images(g, sums_, products, scales_, dweight_, dbias_);
  }

 private:
  LocalTensor dy_, x_;
  Geometry geometry_;
  const T *weight_, *means_, *scales_;
  double* sums_;  ///< those of dy, then those of products
  float* memory_;
  T *dx_, *dweight_, *dbias_;
};

}  // namespace

size_t group_norm_scratch(const GroupNorm& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<GroupNormWork>::scratch(op, inputs, outputs);
}
void group_norm_cpu(const GroupNorm& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<GroupNormWork>::run(op, inputs, outputs, scratch);
}

size_t group_norm_backward_scratch(const GroupNormBackward& op, Inputs inputs,
                                   std::span<const Tensor> outputs) {
  return FloatKernel<GroupNormBackwardWork>::scratch(op, inputs, outputs);
}
void group_norm_backward_cpu(const GroupNormBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<GroupNormBackwardWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
