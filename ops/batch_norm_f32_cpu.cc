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

/// How the loops walk over x: where its elements are, or row-major where they are not dense.
Strides walk_over(const Tensor& x) {
  return is_dense(x.shape(), x.strides()) ? x.strides() : contiguous_strides(x.shape());
}

/// An image tensor as the f32 loops see it.
struct Geometry {
  bool rows;  ///< channels innermost
  int64_t channels;
  int64_t batch;  ///< N
  int64_t inner;  ///< elements of one channel of one image
  int64_t block;  ///< rows of a block
  int64_t blocks;

  Geometry(const Tensor& x, const Strides& walk)
      : rows(walk[1] == 1 && !is_contiguous(x.shape(), walk)),
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

const float* laid_out_floats(const Tensor& tensor, const Strides& strides, Workspace& work) {
  return static_cast<const float*>(laid_out(tensor, strides, work));
}

/// What forward makes of a channel's moments: the statistics, and the running ones moved.
class Forward {
 public:
  Forward(const BatchNorm& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : walk_(walk_over(inputs[0])),
        geometry_(inputs[0], walk_),
        x_(laid_out_floats(inputs[0], walk_, work)),
        y_(floats(outputs[0])),
        options_(op.options()),
        weight_(inputs[1]),
        bias_(inputs[2]),
        mean_(inputs[3].defined() ? floats(inputs[3]) : nullptr),
        variance_(inputs[4].defined() ? floats(inputs[4]) : nullptr),
        channels_(inputs[0].shape()[1]),
        statistics_(floats(outputs[1])),
        coefficients_(work.take<float>(2 * channels_)),
        partial_(
            work.take<float>(geometry_.rows && options_.training ? 2 * geometry_.blocks * channels_ : 0)) {}

  void run() {
    if (geometry_.rows)
      normalize_rows();
    else
      normalize_planes();
  }

 private:
  void normalize_rows();
  void normalize_planes();

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
    return {statistics_ + c, coefficients_ + c, nullptr, coefficients_ + channels_ + c};
  }

  void set(int64_t c, double mean, double variance) {
    const double deviation = 1 / std::sqrt(variance + options_.eps);
    statistics_[c] = static_cast<float>(mean);
    statistics_[channels_ + c] = static_cast<float>(deviation);
    coefficients_[c] = static_cast<float>(weight_.defined() ? deviation * floats(weight_)[c] : deviation);
    coefficients_[channels_ + c] = bias_.defined() ? floats(bias_)[c] : 0.0f;
  }

  Strides walk_;
  Geometry geometry_;
  const float* x_;
  float* y_;
  const BatchNormOptions& options_;
  const Tensor &weight_, &bias_;
  float *mean_, *variance_;
  int64_t channels_;
  float* statistics_;
  float* coefficients_;  ///< [scale, shift]
  float* partial_;       ///< of each block, where channels are innermost: [mean, squares]
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

void Forward::normalize_rows() {
  const Geometry& g = geometry_;
  if (options_.training) {
    float* const sums = partial_;
    parallel_for(0, g.blocks, g.block_grain(2), [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; ++b) {
        float* own = sums + b * 2 * g.channels;
        row_moments(x_ + b * g.block * g.channels, g.rows_in(b), g.channels, own, own + g.channels);
      }
    });
    parallel_for(0, g.channels, g.merge_grain(), [&](int64_t first, int64_t last) {
      for (int64_t c = first; c < last; ++c) from_batch(c, merged_blocks(sums + c, g));
    });
  } else {
    for (int64_t c = 0; c < g.channels; ++c) from_running(c);
  }
  const NormCoefficients k = coefficients(0);
  parallel_for(0, g.blocks, g.block_grain(2), [&](int64_t first, int64_t last) {
    // Backwards: what the sums read last is still in cache.
    for (int64_t b = last - 1; b >= first; --b) {
      const int64_t at = b * g.block * g.channels;
      row_normalize(x_ + at, k, g.rows_in(b), g.channels, y_ + at);
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

void Forward::normalize_planes() {
  const Geometry& g = geometry_;
  parallel_for(0, g.channels, g.channel_grain(4), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      if (options_.training) {
        Moments moments;
        for_each_run(g, c, [&](int64_t at, int64_t n) {
          float mean, squares;
          run_moments(x_ + at, n, &mean, &squares);
          moments.merge(static_cast<double>(n), mean, squares);
        });
        from_batch(c, moments);
      } else {
        from_running(c);
      }
      const NormCoefficients k = coefficients(c);
      for_each_run(g, c, [&](int64_t at, int64_t n) { run_normalize(x_ + at, k, {1, 0, n}, y_ + at); });
    }
  });
}

/// What backward makes of a channel's two sums.
class Backward {
 public:
  Backward(const BatchNormBackward& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : walk_(walk_over(inputs[1])),
        geometry_(inputs[1], walk_),
        gradient_(laid_out_floats(inputs[0], walk_, work)),
        x_(laid_out_floats(inputs[1], walk_, work)),
        dx_(outputs.size() > 2 ? floats(outputs[2]) : nullptr),
        batch_statistics_(op.batch_statistics()),
        channels_(inputs[1].shape()[1]),
        weight_(inputs[2].defined() ? floats(inputs[2]) : nullptr),
        statistics_(floats(inputs[3])),
        dweight_(floats(outputs[0])),
        dbias_(floats(outputs[1])),
        coefficients_(work.take<float>(3 * channels_)),
        partial_(work.take<float>(geometry_.rows ? 2 * geometry_.blocks * channels_ : 0)) {}

  void run() {
    if (geometry_.rows)
      gradient_rows();
    else
      gradient_planes();
  }

 private:
  void gradient_rows();
  void gradient_planes();

  const float* mean(int64_t c) const { return statistics_ + c; }

  void from_sums(int64_t c, double sum, double product) {
    const double deviation = statistics_[channels_ + c];
    dweight_[c] = static_cast<float>(product * deviation);
    dbias_[c] = static_cast<float>(sum);
    const double scale = weight_ ? weight_[c] * deviation : deviation;
    const double share =
        batch_statistics_ ? scale / static_cast<double>(std::max<int64_t>(geometry_.count(), 1)) : 0;
    float* k = coefficients_ + c;
    k[0] = static_cast<float>(scale);
    k[channels_] = static_cast<float>(share * deviation * deviation * product);
    k[2 * channels_] = static_cast<float>(share * sum);
  }

  NormCoefficients coefficients(int64_t c) const {
    const float* k = coefficients_ + c;
    return {statistics_ + c, k, k + channels_, k + 2 * channels_};
  }

  Strides walk_;
  Geometry geometry_;
  const float *gradient_, *x_;
  float* dx_;  ///< null where it is not wanted
  bool batch_statistics_;
  int64_t channels_;
  const float *weight_, *statistics_;
  float *dweight_, *dbias_;
  float* coefficients_;  ///< [scale, slope, shift]
  float* partial_;       ///< of each block, where channels are innermost: [sum, product]
};

void Backward::gradient_rows() {
  const Geometry& g = geometry_;
  float* const sums = partial_;
  parallel_for(0, g.blocks, g.block_grain(2), [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b) {
      const int64_t at = b * g.block * g.channels;
      float* own = sums + b * 2 * g.channels;
      row_products(gradient_ + at, x_ + at, mean(0), g.rows_in(b), g.channels, own, own + g.channels);
    }
  });
  parallel_for(0, g.channels, g.merge_grain(), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      double sum = 0, product = 0;
      for (int64_t b = 0; b < g.blocks; ++b) {
        sum += sums[b * 2 * g.channels + c];
        product += sums[(b * 2 + 1) * g.channels + c];
      }
      from_sums(c, sum, product);
    }
  });
  if (!dx_) return;
  const NormCoefficients k = coefficients(0);
  parallel_for(0, g.blocks, g.block_grain(3), [&](int64_t first, int64_t last) {
    for (int64_t b = last - 1; b >= first; --b) {
      const int64_t at = b * g.block * g.channels;
      row_gradient(gradient_ + at, x_ + at, k, g.rows_in(b), g.channels, dx_ + at);
    }
  });
}

void Backward::gradient_planes() {
  const Geometry& g = geometry_;
  parallel_for(0, g.channels, g.channel_grain(5), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      double sum = 0, product = 0;
      for_each_run(g, c, [&](int64_t at, int64_t n) {
        float run_sum, run_product;
        run_products(gradient_ + at, x_ + at, mean(c), {1, 0, n}, &run_sum, &run_product);
        sum += run_sum;
        product += run_product;
      });
      from_sums(c, sum, product);
      if (!dx_) continue;
      const NormCoefficients k = coefficients(c);
      for_each_run(g, c, [&](int64_t at, int64_t n) {
        run_gradient(gradient_ + at, x_ + at, k, {1, 0, n}, dx_ + at);
      });
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

}  // namespace

const char* batch_norm_f32_declines(const BatchNorm&, Inputs inputs, std::span<const Tensor>) {
  return declines(inputs[0], inputs.subspan(1));
}

size_t batch_norm_f32_scratch(const BatchNorm& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<Forward>(op, inputs, outputs);
}
void batch_norm_f32(const BatchNorm& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<Forward>(scratch, op, inputs, outputs);
}

const char* batch_norm_backward_f32_declines(const BatchNormBackward&, Inputs inputs,
                                             std::span<const Tensor>) {
  return declines(inputs[1], inputs.subspan(2));
}

size_t batch_norm_backward_f32_scratch(const BatchNormBackward& op, Inputs inputs,
                                       std::span<const Tensor> outputs) {
  return scratch_of<Backward>(op, inputs, outputs);
}
void batch_norm_backward_f32(const BatchNormBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<Backward>(scratch, op, inputs, outputs);
}

}  // namespace espalier
