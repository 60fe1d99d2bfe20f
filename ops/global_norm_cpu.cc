#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/global_norm.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/global_norm_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/update-inl.h"
// clang-format on

#ifndef ESPALIER_GLOBAL_NORM_CPU_CC_
#define ESPALIER_GLOBAL_NORM_CPU_CC_
namespace espalier {

/// Up to kNormBlock neighbouring elements of one type, whose squares are added by one thread.
struct NormBlock {
  const char* data;
  int64_t size;
  Dtype dtype;
  double sum;
};

// A block takes about 1 us: enough to be worth a thread's while, and small tensors are one block each.
constexpr int64_t kNormBlock = 32 * kTile;

}  // namespace espalier
#endif

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// Each value's square in f64, added lane by lane into two sums; floats are widened first.
HWY_ATTR double sum_of_squares(const double* x, int64_t n) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum1 = hn::Zero(d), sum2 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a = hn::LoadU(d, x + i), b = hn::LoadU(d, x + i + lanes);
    sum1 = hn::MulAdd(a, a, sum1);
    sum2 = hn::MulAdd(b, b, sum2);
  }
  for (; i < n; i += lanes) {
    const auto count = static_cast<size_t>(std::min(lanes, n - i));
    const auto a = load_first(hn::FirstN(d, count), d, x + i);
    sum1 = hn::MulAdd(a, a, sum1);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum1, sum2)));
}
HWY_ATTR double sum_of_squares(const float* x, int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum1 = hn::Zero(d), sum2 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a = hn::PromoteTo(d, hn::LoadU(narrow, x + i));
    const auto b = hn::PromoteTo(d, hn::LoadU(narrow, x + i + lanes));
    sum1 = hn::MulAdd(a, a, sum1);
    sum2 = hn::MulAdd(b, b, sum2);
  }
  for (; i < n; i += lanes) {
    const auto count = static_cast<size_t>(std::min(lanes, n - i));
    const auto a = hn::PromoteTo(d, load_first(hn::FirstN(narrow, count), narrow, x + i));
    sum1 = hn::MulAdd(a, a, sum1);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum1, sum2)));
}

void norm_kernel(std::vector<NormBlock>& blocks) {
  // An element costs about as much as an addition of arrays, the unit of work.
  parallel_for(0, static_cast<int64_t>(blocks.size()), kSerialWork / kNormBlock,
               [&](int64_t first, int64_t last) {
                 for (int64_t b = first; b < last; ++b) {
                   NormBlock& block = blocks[static_cast<size_t>(b)];
                   if (block.dtype == Dtype::f64) {
                     block.sum = sum_of_squares(reinterpret_cast<const double*>(block.data), block.size);
                   } else if (block.dtype == Dtype::f32) {
                     block.sum = sum_of_squares(reinterpret_cast<const float*>(block.data), block.size);
                   } else {
                     alignas(64) float tile[kTile];
                     const auto bytes = static_cast<int64_t>(size_of(block.dtype));
                     for (int64_t begin = 0; begin < block.size; begin += kTile) {
                       const int64_t n = std::min(kTile, block.size - begin);
                       load_tile(tile, block.dtype, block.data + begin * bytes, 1, n);
                       block.sum += sum_of_squares(tile, n);
                     }
                   }
                 }
               });
}

template <class C>
struct ScaledElements {
  C factor;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& result, V value, V&, V&, V&) const {
    result = hn::Mul(value, hn::Set(d, factor));
  }
};

void scale_kernel(double factor, const Tensor& tensor) {
  const Tensor operands[] = {tensor, tensor};  // both sides of the assignment
  if (tensor.dtype() == Dtype::f64) return run_update<double, 2>(ScaledElements<double>{factor}, operands, 1);
  run_update<float, 2>(ScaledElements<float>{static_cast<float>(factor)}, operands, 1);
}

template <class C>
struct LimitedElements {
  C limit;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& result, V value, V&, V&, V&) const {
    const V bound = hn::Set(d, limit);
    // Compared so that a NaN, which is not beyond the limit, stays.
    result = hn::IfThenElse(hn::Gt(hn::Abs(value), bound), hn::CopySign(bound, value), value);
  }
};

void limit_kernel(double limit, const Tensor& tensor) {
  const Tensor operands[] = {tensor, tensor};
  if (tensor.dtype() == Dtype::f64) return run_update<double, 2>(LimitedElements<double>{limit}, operands, 1);
  run_update<float, 2>(LimitedElements<float>{static_cast<float>(limit)}, operands, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(norm_kernel);
HWY_EXPORT(scale_kernel);
HWY_EXPORT(limit_kernel);

void global_norm_cpu(const GlobalNorm&, Inputs inputs, Outputs outputs) {
  std::vector<NormBlock> blocks;
  Tensors copies(inputs.size());  // of what has gaps
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool dense = is_dense(inputs[i].shape(), inputs[i].strides());
    const Tensor& x = dense ? inputs[i] : copies[i] = row_major(inputs[i]);
    const auto bytes = static_cast<int64_t>(size_of(x.dtype()));
    for (int64_t begin = 0; begin < x.numel(); begin += kNormBlock) {
      blocks.push_back({static_cast<const char*>(x.raw_data()) + begin * bytes,
                        std::min(kNormBlock, x.numel() - begin), x.dtype(), 0});
    }
  }
  ESPALIER_DISPATCH(norm_kernel)(blocks);
  double sum = 0;
  for (const NormBlock& block : blocks) sum += block.sum;
  *static_cast<double*>(outputs[0].raw_data()) = std::sqrt(sum);
}

void clip_by_norm_cpu(const ClipByNorm& op, Inputs inputs, Outputs) {
  const double factor = op.max_norm() / (inputs[1].item() + 1e-6);
  if (!(factor >= 1)) ESPALIER_DISPATCH(scale_kernel)(factor, inputs[0]);
}

void clip_by_value_cpu(const ClipByValue& op, Inputs inputs, Outputs) {
  ESPALIER_DISPATCH(limit_kernel)(op.limit(), inputs[0]);
}

}  // namespace espalier
#endif
