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

#ifndef ESPALIER_RMS_NORM_CPU_CC_
#define ESPALIER_RMS_NORM_CPU_CC_
namespace espalier {

/// `count` rows of `size` elements.
template <class T>
struct RmsRows {
  int64_t count, size;
  T epsilon;
  const T *x, *weight;
  T *y, *scale;
};

/// What is not wanted is null.
template <class T>
struct RmsGradientRows {
  int64_t count, size;
  int64_t step, blocks;  ///< rows of a block, and their number
  const T *dy, *x, *weight, *scale;
  T *dx, *dweight;
  T* sums;  ///< of dweight in each block
};

}  // namespace espalier
#endif

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Simple operations an element (kSerialWork counts in them).
constexpr int64_t kForwardWork = 3;
constexpr int64_t kBackwardWork = 6;
template <class T>
using D = hn::ScalableTag<T>;
template <class T>
using V = hn::Vec<D<T>>;

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
void forward(const RmsRows<T>& r) {
  parallel_for(0, r.count, kSerialWork / kForwardWork / r.size, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row)
      r.scale[row] = normalize_row(r.x + row * r.size, r.weight, r.size, r.epsilon, r.y + row * r.size);
  });
}

template <class T>
void backward(const RmsGradientRows<T>& r) {
  const int64_t size = r.size;
  parallel_for(0, r.blocks, kSerialWork / kBackwardWork / (r.step * size), [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      T* const own = r.dweight ? r.sums + block * size : nullptr;
      if (own) std::fill_n(own, size, T{0});
      for (int64_t row = block * r.step; row < std::min(r.count, (block + 1) * r.step); ++row) {
        differentiate_row(r.dy + row * size, r.x + row * size, r.weight, r.scale[row], size,
                          r.dx ? r.dx + row * size : nullptr, own);
      }
    }
  });
  if (r.dweight) column_sums(r.sums, r.blocks, size, size, r.dweight);
}

}  // namespace

void rms_norm_f32(const RmsRows<float>& rows) {
  forward(rows);
}
void rms_norm_f64(const RmsRows<double>& rows) {
  forward(rows);
}
void rms_norm_backward_f32(const RmsGradientRows<float>& rows) {
  backward(rows);
}
void rms_norm_backward_f64(const RmsGradientRows<double>& rows) {
  backward(rows);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(rms_norm_f32);
HWY_EXPORT(rms_norm_f64);
HWY_EXPORT(rms_norm_backward_f32);
HWY_EXPORT(rms_norm_backward_f64);

namespace {

template <class T>
T* rms_norm_elements(const Tensor& tensor) {
  return static_cast<T*>(tensor.raw_data());
}

template <class T>
class RmsNormWork {
 public:
  RmsNormWork(const RmsNorm& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : rows_{.count = outputs[1].numel(),
              .size = inputs[0].numel() / std::max<int64_t>(outputs[1].numel(), 1),
              .epsilon = static_cast<T>(op.epsilon()),
              .x = row_major_as<T>(inputs[0], work),
              .weight = row_major_as<T>(inputs[1], work),
              .y = rms_norm_elements<T>(outputs[0]),
              .scale = rms_norm_elements<T>(outputs[1])} {}

  void run() const {
    if (rows_.size == 0) {  // rows without elements have no mean
      std::fill_n(rows_.scale, rows_.count, T{0});
    } else if constexpr (std::is_same_v<T, double>) {
      ESPALIER_DISPATCH(rms_norm_f64)(rows_);
    } else {
      ESPALIER_DISPATCH(rms_norm_f32)(rows_);
    }
  }

 private:
  RmsRows<T> rows_;
};

// The weight's gradient is summed by this many blocks of rows at most, and the blocks' sums then added: the
// same sums for any number of threads.
constexpr int64_t kBlocks = 32;

template <class T>
class RmsNormBackwardWork {
 public:
  RmsNormBackwardWork(const RmsNormBackward& op, Inputs inputs, std::span<const Tensor> outputs,
                      Workspace& work) {
    const Tensor& x = inputs[1];
    rows_.count = inputs[3].numel();
    rows_.size = 1;
    for (int i = 1; i <= op.axes(); ++i) rows_.size *= x.shape()[x.rank() - i];
    rows_.step = std::max<int64_t>(1, (rows_.count + kBlocks - 1) / kBlocks);
    rows_.blocks = (rows_.count + rows_.step - 1) / rows_.step;
    rows_.dy = row_major_as<T>(inputs[0], work);
    rows_.x = row_major_as<T>(x, work);
    rows_.weight = row_major_as<T>(inputs[2], work);
    rows_.scale = row_major_as<T>(inputs[3], work);
    rows_.dx = op.wants(0) ? rms_norm_elements<T>(outputs[0]) : nullptr;
    if (!op.wants(1)) return;
    rows_.dweight = rms_norm_elements<T>(outputs[op.wants(0) ? 1 : 0]);
    rows_.sums = work.take<T>(rows_.blocks * rows_.size);
  }

  void run() const {
    if (rows_.size == 0) return;
    if constexpr (std::is_same_v<T, double>)
      ESPALIER_DISPATCH(rms_norm_backward_f64)(rows_);
    else
      ESPALIER_DISPATCH(rms_norm_backward_f32)(rows_);
  }

 private:
  RmsGradientRows<T> rows_{};
};

}  // namespace

size_t rms_norm_scratch(const RmsNorm& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<RmsNormWork>::scratch(op, inputs, outputs);
}
void rms_norm_cpu(const RmsNorm& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<RmsNormWork>::run(op, inputs, outputs, scratch);
}

size_t rms_norm_backward_scratch(const RmsNormBackward& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<RmsNormBackwardWork>::scratch(op, inputs, outputs);
}
void rms_norm_backward_cpu(const RmsNormBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<RmsNormBackwardWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
#endif
