#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "ops/batch_norm.h"
#include "ops/batch_norm_internal.h"
#include "ops/layout_internal.h"

namespace espalier {
namespace {

/// Rows of a block in channels-last memory. A function of the sizes alone, so that sums do not depend on the
/// thread count; some 32 Ki floats are summed in f32 and looked at twice while they are in a second-level
/// cache, and merging the blocks in f64 costs at most a thirty-second of reading them.
int64_t rows_of_block(int64_t channels) {
  return std::clamp<int64_t>(32768 / std::max<int64_t>(channels, 1), 32, 512);
}

/// Neighbours of one channel that are summed in f32, in row-major memory.
constexpr int64_t kRun = 4096;

/// An image tensor as the f32 loops see it.
struct Geometry {
  bool rows;  ///< channels innermost
  int64_t channels;
  int64_t batch;  ///< N
  int64_t inner;  ///< elements of one channel of one image
  int64_t block;  ///< rows of a block
  int64_t blocks;

  explicit Geometry(const Tensor& x)
      : rows(x.strides()[1] == 1 && !x.is_contiguous()),
        channels(x.shape()[1]),
        batch(x.shape()[0]),
        inner(x.numel() / std::max<int64_t>(channels * batch, 1)) {
    rows = rows || inner == 1;
    block = rows_of_block(channels);
    blocks = (count() + block - 1) / block;
  }
  int64_t count() const noexcept { return batch * inner; }
  int64_t rows_in(int64_t b) const noexcept { return std::min(block, count() - b * block); }
  int64_t block_grain(int64_t work) const noexcept {
    return std::max<int64_t>(1, kSerialWork / (work * block * std::max<int64_t>(channels, 1)));
  }
  int64_t merge_grain() const noexcept {
    return std::max<int64_t>(1, kSerialWork / (8 * std::max<int64_t>(blocks, 1)));
  }
  int64_t channel_grain(int64_t work) const noexcept {
    return std::max<int64_t>(1, kSerialWork / (work * std::max<int64_t>(count(), 1)));
  }
};

float* floats(const Tensor& tensor) {
  return static_cast<float*>(tensor.raw_data());
}

/// What forward makes of a channel's moments: the statistics, and the running ones moved.
class Forward {
 public:
  Forward(const BatchNorm& op, Inputs inputs, Outputs outputs)
      : options_(op.options()),
        weight_(inputs[1]),
        bias_(inputs[2]),
        mean_(inputs[3].defined() ? floats(inputs[3]) : nullptr),
        variance_(inputs[4].defined() ? floats(inputs[4]) : nullptr),
        channels_(inputs[0].shape()[1]),
        statistics_(floats(outputs[1])),
        coefficients_(empty({2, channels_})) {}

  /// The channel's statistics are the batch's.
  void from_batch(int64_t c, const Moments& moments) {
    const double n = std::max(moments.count, 1.0);
    set(c, moments.mean, moments.squares / n);
    if (mean_ && moments.count > 0) {
      const double m = options_.momentum;
      mean_[c] = static_cast<float>((1 - m) * mean_[c] + m * moments.mean);
      variance_[c] = static_cast<float>((1 - m) * variance_[c] + m * moments.squares / std::max(n - 1, 1.0));
    }
  }
  void from_running(int64_t c) { set(c, mean_[c], variance_[c]); }

  NormCoefficients coefficients(int64_t c) const {
    return {statistics_ + c, floats(coefficients_) + c, nullptr, floats(coefficients_) + channels_ + c};
  }

 private:
  void set(int64_t c, double mean, double variance) {
    const double deviation = 1 / std::sqrt(variance + options_.eps);
    statistics_[c] = static_cast<float>(mean);
    statistics_[channels_ + c] = static_cast<float>(deviation);
    floats(coefficients_)[c] =
        static_cast<float>(weight_.defined() ? deviation * floats(weight_)[c] : deviation);
    floats(coefficients_)[channels_ + c] = bias_.defined() ? floats(bias_)[c] : 0.0f;
  }

  const BatchNormOptions& options_;
  const Tensor &weight_, &bias_;
  float *mean_, *variance_;
  int64_t channels_;
  float* statistics_;
  Tensor coefficients_;  // [scale, shift]
};

/// The moments of a channel from those of its blocks; a division for each, as in Moments::merge, would take
/// longer than reading the block.
Moments merged_blocks(const float* sums, const Geometry& g) {
  const int64_t step = 2 * g.channels;
  Moments total{static_cast<double>(g.count()), 0, 0};
  for (int64_t b = 0; b < g.blocks; ++b) total.mean += static_cast<double>(g.rows_in(b)) * sums[b * step];
  total.mean /= total.count;
  for (int64_t b = 0; b < g.blocks; ++b) {
    const double distance = sums[b * step] - total.mean;
    total.squares += sums[b * step + g.channels] + static_cast<double>(g.rows_in(b)) * distance * distance;
  }
  return total;
}

void normalize_rows(const float* x, const Geometry& g, bool training, Forward& forward, float* y) {
  if (training) {
    const Tensor partial = empty({g.blocks, 2, g.channels});
    float* sums = floats(partial);
    parallel_for(0, g.blocks, g.block_grain(2), [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; ++b) {
        float* own = sums + b * 2 * g.channels;
        row_moments(x + b * g.block * g.channels, g.rows_in(b), g.channels, own, own + g.channels);
      }
    });
    parallel_for(0, g.channels, g.merge_grain(), [&](int64_t first, int64_t last) {
      for (int64_t c = first; c < last; ++c) forward.from_batch(c, merged_blocks(sums + c, g));
    });
  } else {
    for (int64_t c = 0; c < g.channels; ++c) forward.from_running(c);
  }
  const NormCoefficients k = forward.coefficients(0);
  parallel_for(0, g.blocks, g.block_grain(2), [&](int64_t first, int64_t last) {
    // Backwards: what the sums read last is still in cache.
    for (int64_t b = last - 1; b >= first; --b) {
      const int64_t at = b * g.block * g.channels;
      row_normalize(x + at, k, g.rows_in(b), g.channels, y + at);
    }
  });
}

/// Calls `f(offset, n)` for the runs of channel c.
template <class F>
void for_each_run(const Geometry& g, int64_t c, const F& f) {
  for (int64_t image = 0; image < g.batch; ++image) {
    const int64_t start = (image * g.channels + c) * g.inner;
    for (int64_t i = 0; i < g.inner; i += kRun) f(start + i, std::min(kRun, g.inner - i));
  }
}

void normalize_planes(const float* x, const Geometry& g, bool training, Forward& forward, float* y) {
  parallel_for(0, g.channels, g.channel_grain(4), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      if (training) {
        Moments moments;
        for_each_run(g, c, [&](int64_t at, int64_t n) {
          float mean, squares;
          run_moments(x + at, n, &mean, &squares);
          moments.merge(static_cast<double>(n), mean, squares);
        });
        forward.from_batch(c, moments);
      } else {
        forward.from_running(c);
      }
      const NormCoefficients k = forward.coefficients(c);
      for_each_run(g, c, [&](int64_t at, int64_t n) { run_normalize(x + at, k, {1, 0, n}, y + at); });
    }
  });
}

/// What backward makes of a channel's two sums.
class Backward {
 public:
  Backward(const BatchNormBackward& op, Inputs inputs, Outputs outputs, double count)
      : batch_statistics_(op.batch_statistics()),
        count_(std::max(count, 1.0)),
        channels_(inputs[1].shape()[1]),
        weight_(inputs[2].defined() ? floats(inputs[2]) : nullptr),
        statistics_(floats(inputs[3])),
        dweight_(floats(outputs[0])),
        dbias_(floats(outputs[1])),
        coefficients_(empty({3, channels_})) {}

  const float* mean(int64_t c) const { return statistics_ + c; }

  void from_sums(int64_t c, double sum, double product) {
    const double deviation = statistics_[channels_ + c];
    dweight_[c] = static_cast<float>(product * deviation);
    dbias_[c] = static_cast<float>(sum);
    const double scale = weight_ ? weight_[c] * deviation : deviation;
    const double share = batch_statistics_ ? scale / count_ : 0;
    float* k = floats(coefficients_) + c;
    k[0] = static_cast<float>(scale);
    k[channels_] = static_cast<float>(share * deviation * deviation * product);
    k[2 * channels_] = static_cast<float>(share * sum);
  }

  NormCoefficients coefficients(int64_t c) const {
    const float* k = floats(coefficients_) + c;
    return {statistics_ + c, k, k + channels_, k + 2 * channels_};
  }

 private:
  bool batch_statistics_;
  double count_;
  int64_t channels_;
  const float *weight_, *statistics_;
  float *dweight_, *dbias_;
  Tensor coefficients_;  // [scale, slope, shift]
};

/// `dx` is null where it is not wanted.
void gradient_rows(const float* gradient, const float* x, const Geometry& g, Backward& backward, float* dx) {
  const Tensor partial = empty({g.blocks, 2, g.channels});
  float* sums = floats(partial);
  parallel_for(0, g.blocks, g.block_grain(2), [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b) {
      const int64_t at = b * g.block * g.channels;
      float* own = sums + b * 2 * g.channels;
      row_products(gradient + at, x + at, backward.mean(0), g.rows_in(b), g.channels, own, own + g.channels);
    }
  });
  parallel_for(0, g.channels, g.merge_grain(), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      double sum = 0, product = 0;
      for (int64_t b = 0; b < g.blocks; ++b) {
        sum += sums[b * 2 * g.channels + c];
        product += sums[(b * 2 + 1) * g.channels + c];
      }
      backward.from_sums(c, sum, product);
    }
  });
  if (!dx) return;
  const NormCoefficients k = backward.coefficients(0);
  parallel_for(0, g.blocks, g.block_grain(3), [&](int64_t first, int64_t last) {
    for (int64_t b = last - 1; b >= first; --b) {
      const int64_t at = b * g.block * g.channels;
      row_gradient(gradient + at, x + at, k, g.rows_in(b), g.channels, dx + at);
    }
  });
}

void gradient_planes(const float* gradient, const float* x, const Geometry& g, Backward& backward,
                     float* dx) {
  parallel_for(0, g.channels, g.channel_grain(5), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      double sum = 0, product = 0;
      for_each_run(g, c, [&](int64_t at, int64_t n) {
        float run_sum, run_product;
        run_products(gradient + at, x + at, backward.mean(c), {1, 0, n}, &run_sum, &run_product);
        sum += run_sum;
        product += run_product;
      });
      backward.from_sums(c, sum, product);
      if (!dx) continue;
      const NormCoefficients k = backward.coefficients(c);
      for_each_run(
          g, c, [&](int64_t at, int64_t n) { run_gradient(gradient + at, x + at, k, {1, 0, n}, dx + at); });
    }
  });
}

const char* declines(const Tensor& x, Inputs parameters) {
  if (x.dtype() != Dtype::f32) return "not f32";
  if (!x.is_contiguous() && x.strides()[1] != 1 && is_dense(x.shape(), x.strides()))
    return "axes in another order than N, C, H, W and N, H, W, C";
  for (const Tensor& parameter : parameters) {
    if (!parameter.defined()) continue;
    if (parameter.dtype() != Dtype::f32) return "a parameter is not f32";
    if (!parameter.is_contiguous()) return "a parameter has gaps";
  }
  return nullptr;
}

/// How the loops walk over x: where its elements are, or row-major where they are not dense.
Strides walk_over(const Tensor& x) {
  return is_dense(x.shape(), x.strides()) ? x.strides() : contiguous_strides(x.shape());
}

}  // namespace

const char* batch_norm_f32_declines(const BatchNorm&, Inputs inputs, std::span<const Tensor>) {
  return declines(inputs[0], inputs.subspan(1));
}

void batch_norm_f32(const BatchNorm& op, Inputs inputs, Outputs outputs) {
  const Tensor x = laid_out(inputs[0], walk_over(inputs[0]));
  const Geometry geometry(x);
  Forward forward(op, inputs, outputs);
  (geometry.rows ? normalize_rows : normalize_planes)(floats(x), geometry, op.options().training, forward,
                                                      floats(outputs[0]));
}

const char* batch_norm_backward_f32_declines(const BatchNormBackward&, Inputs inputs,
                                             std::span<const Tensor>) {
  return declines(inputs[1], inputs.subspan(2));
}

void batch_norm_backward_f32(const BatchNormBackward& op, Inputs inputs, Outputs outputs) {
  const Strides walk = walk_over(inputs[1]);
  const Tensor gradient = laid_out(inputs[0], walk), x = laid_out(inputs[1], walk);
  const Geometry geometry(x);
  Backward backward(op, inputs, outputs, static_cast<double>(geometry.count()));
  (geometry.rows ? gradient_rows : gradient_planes)(floats(gradient), floats(x), geometry, backward,
                                                    outputs.size() > 2 ? floats(outputs[2]) : nullptr);
}

}  // namespace espalier
