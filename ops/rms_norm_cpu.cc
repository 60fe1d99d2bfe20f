#include <algorithm>
#include <cmath>

#include "ops/rms_norm.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/rms_norm_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
// clang-format on

#include "core/parallel.h"
#include "ops/column_sums_internal.h"
#include "ops/narrow_types_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Simple operations an element (kSerialWork counts in them).
constexpr int64_t kForwardWork = 3;
constexpr int64_t kBackwardWork = 6;
/// The weight's gradient is summed by this many blocks of rows at most, and the blocks' sums then added: the
/// same sums for any number of threads.
constexpr int64_t kBlocks = 32;

template <class T>
using D = hn::ScalableTag<T>;
template <class T>
using V = hn::Vec<D<T>>;

template <class T>
T* values(const Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.raw_data()) : nullptr;
}

/// Calls `f(load, store, k)` for the vectors that cover [0, n), k going round from 0 to 3, so that four sums
/// hide the latency of the additions; lanes past the end read as 0 and are not written.
template <class T, class F>
HWY_INLINE void for_each_vector(int64_t n, const F& f) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  const auto load = [&](const T* p) HWY_ATTR { return hn::LoadU(d, p + i); };
  const auto store = [&](V<T> v, T* p) HWY_ATTR { hn::StoreU(v, d, p + i); };
  while (i + 4 * lanes <= n) {
    for (int k = 0; k < 4; ++k, i += lanes) f(load, store, k);
  }
  for (; i + lanes <= n; i += lanes) f(load, store, 0);
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    f([&](const T* p) HWY_ATTR { return load_first(rest, d, p + i); },
      [&](V<T> v, T* p) HWY_ATTR { hn::BlendedStore(v, rest, d, p + i); }, 1);
  }
}

template <class T>
HWY_INLINE T total(const V<T> (&sums)[4]) {
  return hn::GetLane(hn::SumOfLanes(D<T>(), hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
}

template <class T>
HWY_ATTR T normalize_row(const T* x, const T* weight, int64_t n, T epsilon, T* y) {
  const D<T> d;
  V<T> sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  for_each_vector<T>(n, [&](const auto& load, const auto&, int k) HWY_ATTR {
    const auto value = load(x);
    sums[k] = hn::MulAdd(value, value, sums[k]);
  });
  const T scale = 1 / std::sqrt(total<T>(sums) / static_cast<T>(n) + epsilon);
  const auto factor = hn::Set(d, scale);
  for_each_vector<T>(n, [&](const auto& load, const auto& store, int) HWY_ATTR {
    const auto value = hn::Mul(load(x), factor);
    store(weight ? hn::Mul(value, load(weight)) : value, y);
  });
  return scale;
}

/// Writes `dx` and adds to `dweight`, unless they are null.
template <class T>
HWY_ATTR void differentiate_row(const T* dy, const T* x, const T* weight, T scale, int64_t n, T* dx,
                                T* dweight) {
  const D<T> d;
  const auto factor = hn::Set(d, scale);
  V<T> sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  for_each_vector<T>(n, [&](const auto& load, const auto& store, int k) HWY_ATTR {
    const auto h = hn::Mul(load(x), factor);
    const auto product = hn::Mul(load(dy), h);
    if (dweight) store(hn::Add(product, load(dweight)), dweight);
    sums[k] = weight ? hn::MulAdd(product, load(weight), sums[k]) : hn::Add(product, sums[k]);
  });
  if (!dx) return;
  const auto slope = hn::Set(d, scale * total<T>(sums) / static_cast<T>(n));
  for_each_vector<T>(n, [&](const auto& load, const auto& store, int) HWY_ATTR {
    const auto g = weight ? hn::Mul(load(dy), load(weight)) : load(dy);
    store(hn::Mul(factor, hn::NegMulAdd(load(x), slope, g)), dx);
  });
}

template <class T>
void forward(const RmsNorm& op, Inputs inputs, Outputs outputs) {
  const Tensor x = row_major(inputs[0]), weight = inputs[1].defined() ? row_major(inputs[1]) : Tensor();
  const int64_t count = outputs[1].numel();
  if (x.numel() == 0) {  // rows without elements have no mean
    std::fill_n(values<T>(outputs[1]), count, T{0});
    return;
  }
  const int64_t size = x.numel() / count;
  const T *const from = values<T>(x), *const factors = values<T>(weight);
  T *const to = values<T>(outputs[0]), *const scale = values<T>(outputs[1]);
  const T epsilon = static_cast<T>(op.epsilon());
  parallel_for(0, count, kSerialWork / kForwardWork / size, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row)
      scale[row] = normalize_row(from + row * size, factors, size, epsilon, to + row * size);
  });
}

template <class T>
void backward(const RmsNormBackward& op, Inputs inputs, Outputs outputs) {
  const Tensor dy = row_major(inputs[0]), x = row_major(inputs[1]), scale = row_major(inputs[3]);
  const Tensor weight = inputs[2].defined() ? row_major(inputs[2]) : Tensor();
  T* const dx = op.wants(0) ? values<T>(outputs[0]) : nullptr;
  T* const dweight = op.wants(1) ? values<T>(outputs[op.wants(0) ? 1 : 0]) : nullptr;
  const int64_t count = scale.numel();
  int64_t size = 1;
  for (int i = 1; i <= op.axes(); ++i) size *= x.shape()[x.rank() - i];
  if (size == 0) return;

  const int64_t step = std::max<int64_t>(1, (count + kBlocks - 1) / kBlocks);
  const int64_t blocks = (count + step - 1) / step;
  const Tensor partial = empty({dweight ? blocks : 0, size}, dtype_of<T>());
  T* const sums = values<T>(partial);
  parallel_for(0, blocks, kSerialWork / kBackwardWork / (step * size), [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      T* const own = dweight ? sums + block * size : nullptr;
      if (own) std::fill_n(own, size, T{0});
      for (int64_t row = block * step; row < std::min(count, (block + 1) * step); ++row) {
        differentiate_row(values<const T>(dy) + row * size, values<const T>(x) + row * size,
                          values<const T>(weight), values<const T>(scale)[row], size,
                          dx ? dx + row * size : nullptr, own);
      }
    }
  });
  if (dweight) column_sums(sums, blocks, size, size, dweight);
}

}  // namespace

void rms_norm_kernel(const RmsNorm& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return forward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { forward<float>(op, in, out); });
}

void rms_norm_backward_kernel(const RmsNormBackward& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return backward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { backward<float>(op, in, out); });
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(rms_norm_kernel);
HWY_EXPORT(rms_norm_backward_kernel);

void rms_norm_cpu(const RmsNorm& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(rms_norm_kernel)(op, inputs, outputs);
}

void rms_norm_backward_cpu(const RmsNormBackward& op, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(rms_norm_backward_kernel)(op, inputs, outputs);
}

}  // namespace espalier
#endif
