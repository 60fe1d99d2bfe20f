#include <algorithm>

#include "core/parallel.h"
#include "ops/column_sums_internal.h"
#include "ops/layer_norm.h"
#include "ops/layer_norm_rows_internal.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

// Simple operations an element, three and two passes together (kSerialWork counts in them).
constexpr int64_t kForwardWork = 4;
constexpr int64_t kBackwardWork = 6;

template <class T>
T* layer_norm_elements(const Tensor& tensor) {
  return static_cast<T*>(tensor.raw_data());
}

template <class T>
class LayerNormWork {
 public:
  LayerNormWork(const LayerNorm& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : count_(outputs[1].numel()),
        rows_{.size = count_ == 0 ? 0 : inputs[0].numel() / count_,
              .epsilon = static_cast<T>(op.epsilon()),
              .x = row_major_as<T>(inputs[0], work),
              .weight = row_major_as<T>(inputs[1], work),
              .bias = row_major_as<T>(inputs[2], work),
              .y = layer_norm_elements<T>(outputs[0]),
              .mean = layer_norm_elements<T>(outputs[1]),
              .scale = layer_norm_elements<T>(outputs[2])} {}

  void run() const {
    if (rows_.size == 0) {  // rows without elements have no mean
      for (T* const statistic : {rows_.mean, rows_.scale}) std::fill_n(statistic, count_, T{0});
      return;
    }
    parallel_for(0, count_, kSerialWork / kForwardWork / rows_.size,
                 [&](int64_t first, int64_t last) { layer_norm_rows(rows_, first, last); });
  }

 private:
  int64_t count_;
  LayerNormRows<T> rows_;
};

// The parameters' gradients are summed by this many blocks of rows at most, and the blocks' sums then added:
// the same sums for any number of threads.
constexpr int64_t kBlocks = 32;

template <class T>
class LayerNormBackwardWork {
 public:
  LayerNormBackwardWork(const LayerNormBackward& op, Inputs inputs, std::span<const Tensor> outputs,
                        Workspace& work)
      : count_(inputs[3].numel()),
        step_(std::max<int64_t>(1, (count_ + kBlocks - 1) / kBlocks)),
        blocks_((count_ + step_ - 1) / step_) {
    const Tensor& x = inputs[1];
    int64_t size = 1;
    for (int i = 1; i <= op.axes(); ++i) size *= x.shape()[x.rank() - i];
    size_t next = 0;
    const auto wanted = [&](int i) {
      return op.wants(i) ? layer_norm_elements<T>(outputs[next++]) : nullptr;
    };
    rows_ = {.size = size,
             .dy = row_major_as<T>(inputs[0], work),
             .x = row_major_as<T>(x, work),
             .weight = row_major_as<T>(inputs[2], work),
             .mean = row_major_as<T>(inputs[3], work),
             .scale = row_major_as<T>(inputs[4], work),
             .dx = wanted(0)};
    dweight_ = wanted(1);
    dbias_ = wanted(2);
    if (op.wants(1) || op.wants(2)) sums_ = work.take<T>(std::max<int64_t>(blocks_, 1) * 2 * size);
  }

  void run() const {
    const int64_t size = rows_.size;
    if (size == 0) return;
    parallel_for(0, blocks_, kSerialWork / kBackwardWork / (step_ * size), [&](int64_t first, int64_t last) {
      for (int64_t block = first; block < last; ++block) {
        T* const own = sums_ ? sums_ + block * 2 * size : nullptr;
        if (own) std::fill_n(own, 2 * size, T{0});
        layer_norm_gradients(rows_, block * step_, std::min(count_, (block + 1) * step_), own,
                             own ? own + size : nullptr);
      }
    });
    if (dweight_) column_sums(sums_, blocks_, size, 2 * size, dweight_);
    if (dbias_) column_sums(sums_ + size, blocks_, size, 2 * size, dbias_);
  }

 private:
  int64_t count_, step_, blocks_;
  LayerNormGradients<T> rows_;
  T *dweight_, *dbias_;
  T* sums_ = nullptr;  ///< of each block, of dweight and of dbias
};

}  // namespace

const char* layer_norm_declines(const LayerNorm&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

size_t layer_norm_scratch(const LayerNorm& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<LayerNormWork>::scratch(op, inputs, outputs);
}
void layer_norm_cpu(const LayerNorm& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<LayerNormWork>::run(op, inputs, outputs, scratch);
}

const char* layer_norm_backward_declines(const LayerNormBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
size_t layer_norm_backward_scratch(const LayerNormBackward& op, Inputs inputs,
                                   std::span<const Tensor> outputs) {
  return FloatKernel<LayerNormBackwardWork>::scratch(op, inputs, outputs);
}
void layer_norm_backward_cpu(const LayerNormBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<LayerNormBackwardWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
