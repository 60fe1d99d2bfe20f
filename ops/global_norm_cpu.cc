#include <algorithm>
#include <cmath>
#include <span>

#include "ops/global_norm.h"
#include "ops/scratch_internal.h"

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
constexpr int64_t kNormTile = 4 * kTile;

}  // namespace espalier
#endif

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// `n` values, fewer than a vector has lanes or all of them, in f64.
template <class D>
HWY_INLINE HWY_ATTR hn::Vec<D> widened(D d, const double* x, int64_t n) {
  if (n >= static_cast<int64_t>(hn::Lanes(d))) return hn::LoadU(d, x);
  return load_first(hn::FirstN(d, static_cast<size_t>(n)), d, x);
}
template <class D>
HWY_INLINE HWY_ATTR hn::Vec<D> widened(D d, const float* x, int64_t n) {
  const hn::Rebind<float, D> narrow;
  if (n >= static_cast<int64_t>(hn::Lanes(d))) return hn::PromoteTo(d, hn::LoadU(narrow, x));
  return hn::PromoteTo(d, load_first(hn::FirstN(narrow, static_cast<size_t>(n)), narrow, x));
}

/// The sum of squares of `n` neighbouring values: four sums hide the latency of an addition, and every
/// kNormTile values they are brought together, so that rounding does not add up along a block.
template <class T>
HWY_ATTR double sum_of_squares(const T* x, int64_t n) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kNormTile) {
    const T* tile = x + begin;
    const int64_t size = std::min(kNormTile, n - begin);
    auto sum1 = hn::Zero(d), sum2 = sum1, sum3 = sum1, sum4 = sum1;
    int64_t i = 0;
    for (; i + 4 * lanes <= size; i += 4 * lanes) {
      const auto a = widened(d, tile + i, lanes), b = widened(d, tile + i + lanes, lanes);
      const auto c = widened(d, tile + i + 2 * lanes, lanes), e = widened(d, tile + i + 3 * lanes, lanes);
      sum1 = hn::MulAdd(a, a, sum1);
      sum2 = hn::MulAdd(b, b, sum2);
      sum3 = hn::MulAdd(c, c, sum3);
      sum4 = hn::MulAdd(e, e, sum4);
    }
    for (; i < size; i += lanes) {
      const auto a = widened(d, tile + i, size - i);
      sum1 = hn::MulAdd(a, a, sum1);
    }
    const auto sum = hn::Add(hn::Add(sum1, sum2), hn::Add(sum3, sum4));
    total += hn::GetLane(hn::SumOfLanes(d, sum));
  }
  return total;
}

double sum_of_squares(const NormBlock& block) {
  if (block.dtype == Dtype::f64)
    return sum_of_squares(reinterpret_cast<const double*>(block.data), block.size);
  if (block.dtype == Dtype::f32)
    return sum_of_squares(reinterpret_cast<const float*>(block.data), block.size);
  const auto bytes = static_cast<int64_t>(size_of(block.dtype));
  double total = 0;
  for (int64_t begin = 0; begin < block.size; begin += kTile) {
    alignas(64) float tile[kTile];
    const int64_t size = std::min(kTile, block.size - begin);
    load_tile(tile, block.dtype, block.data + begin * bytes, 1, size);
    total += sum_of_squares(tile, size);
  }
  return total;
}

void norm_kernel(std::span<NormBlock> blocks) {
  // An element costs about as much as an addition of arrays, the unit of work.
  parallel_for(0, static_cast<int64_t>(blocks.size()), kSerialWork / kNormBlock,
               [&](int64_t first, int64_t last) {
                 for (int64_t b = first; b < last; ++b) {
                   NormBlock& block = blocks[static_cast<size_t>(b)];
                   block.sum = sum_of_squares(block);
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

namespace {

int64_t count_norm_blocks(Inputs tensors) {
  int64_t blocks = 0;
  for (const Tensor& tensor : tensors) blocks += (tensor.numel() + kNormBlock - 1) / kNormBlock;
  return blocks;
}

/// The elements of a tensor in any order, without gaps.
const char* dense_elements(const Tensor& tensor, Workspace& work) {
  const bool dense = is_dense(tensor.shape(), tensor.strides());
  return static_cast<const char*>(dense ? tensor.raw_data() : row_major(tensor, work));
}

}  // namespace

size_t global_norm_scratch(const GlobalNorm&, Inputs inputs, std::span<const Tensor>) {
  Workspace work;
  work.take<NormBlock>(count_norm_blocks(inputs));
  for (const Tensor& input : inputs) dense_elements(input, work);
  return work.bytes();
}

void global_norm_cpu(const GlobalNorm&, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace work(scratch);
  const int64_t count = count_norm_blocks(inputs);
  const std::span<NormBlock> blocks(work.take<NormBlock>(count), static_cast<size_t>(count));
  size_t next = 0;
  for (const Tensor& input : inputs) {
    const char* const data = dense_elements(input, work);
    const auto bytes = static_cast<int64_t>(size_of(input.dtype()));
    for (int64_t begin = 0; begin < input.numel(); begin += kNormBlock) {
      blocks[next++] = {data + begin * bytes, std::min(kNormBlock, input.numel() - begin), input.dtype(), 0};
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
