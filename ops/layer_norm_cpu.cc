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
const T* values(const Tensor& tensor) {
  return tensor.defined() ? static_cast<const T*>(tensor.raw_data()) : nullptr;
}

Tensor row_major_or_absent(const Tensor& tensor) {
  return tensor.defined() ? row_major(tensor) : Tensor();
}

template <class T>
void forward(const LayerNorm& op, Inputs inputs, Outputs outputs) {
  const Tensor x = row_major(inputs[0]), weight = row_major_or_absent(inputs[1]),
               bias = row_major_or_absent(inputs[2]);
  const int64_t count = outputs[1].numel();
  if (x.numel() == 0) {  // rows without elements have no mean
    for (const size_t statistic : {1, 2})
      std::fill_n(static_cast<T*>(outputs[statistic].raw_data()), count, T{0});
    return;
  }
  const LayerNormRows<T> rows{.size = x.numel() / count,
                              .epsilon = static_cast<T>(op.epsilon()),
                              .x = values<T>(x),
                              .weight = values<T>(weight),
                              .bias = values<T>(bias),
                              .y = static_cast<T*>(outputs[0].raw_data()),
                              .mean = static_cast<T*>(outputs[1].raw_data()),
                              .scale = static_cast<T*>(outputs[2].raw_data())};
  parallel_for(0, count, kSerialWork / kForwardWork / rows.size,
               [&](int64_t first, int64_t last) { layer_norm_rows(rows, first, last); });
}

// The parameters' gradients are summed by this many blocks of rows at most, and the blocks' sums then added:
// the same sums for any number of threads.
constexpr int64_t kBlocks = 32;

template <class T>
void backward(const LayerNormBackward& op, Inputs inputs, Outputs outputs) {
  const Tensor dy = row_major(inputs[0]), x = row_major(inputs[1]), weight = row_major_or_absent(inputs[2]);
  const Tensor mean = row_major(inputs[3]), scale = row_major(inputs[4]);
  size_t next = 0;
  T* const dx = op.wants(0) ? static_cast<T*>(outputs[next++].raw_data()) : nullptr;
  T* const dweight = op.wants(1) ? static_cast<T*>(outputs[next++].raw_data()) : nullptr;
  T* const dbias = op.wants(2) ? static_cast<T*>(outputs[next++].raw_data()) : nullptr;
  const bool parameters = op.wants(1) || op.wants(2);
  const int64_t count = mean.numel();
  int64_t size = 1;
  for (int i = 1; i <= op.axes(); ++i) size *= x.shape()[x.rank() - i];
  if (size == 0) return;

  const LayerNormGradients<T> rows{.size = size,
                                   .dy = values<T>(dy),
                                   .x = values<T>(x),
                                   .weight = values<T>(weight),
                                   .mean = values<T>(mean),
                                   .scale = values<T>(scale),
                                   .dx = dx};
  const int64_t step = std::max<int64_t>(1, (count + kBlocks - 1) / kBlocks);
  const int64_t blocks = (count + step - 1) / step;
  const Tensor partial = empty({parameters ? blocks : 0, 2, size}, dtype_of<T>());
  T* const sums = static_cast<T*>(partial.raw_data());
  parallel_for(0, blocks, kSerialWork / kBackwardWork / (step * size), [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      T* const own = parameters ? sums + block * 2 * size : nullptr;
      if (own) std::fill_n(own, 2 * size, T{0});
      layer_norm_gradients(rows, block * step, std::min(count, (block + 1) * step), own,
                           own ? own + size : nullptr);
    }
  });
  if (dweight) column_sums(sums, blocks, size, 2 * size, dweight);
  if (dbias) column_sums(sums + size, blocks, size, 2 * size, dbias);
}

}  // namespace

const char* layer_norm_declines(const LayerNorm&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

void layer_norm_cpu(const LayerNorm& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return forward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { forward<float>(op, in, out); });
}

const char* layer_norm_backward_declines(const LayerNormBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

void layer_norm_backward_cpu(const LayerNormBackward& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return backward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { backward<float>(op, in, out); });
}

}  // namespace espalier
