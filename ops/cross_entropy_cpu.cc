// Rows are walked in blocks of fixed size: the blocks' losses are added in order, so the result does not
// depend on the number of threads, and one vectorised logarithm serves the rows of a block.

#include <algorithm>
#include <limits>

#include "ops/class_indices_internal.h"
#include "ops/cross_entropy.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cross_entropy_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

#include "core/parallel.h"
#include "ops/elementwise_internal.h"

#ifndef ESPALIER_CROSS_ENTROPY_CPU_CC_
#define ESPALIER_CROSS_ENTROPY_CPU_CC_
namespace espalier {

/// Rows of a block: their maxima and sums, 512 bytes in f32, stay in registers' reach.
inline constexpr int64_t kBlockRows = 64;

/// Simple operations an element: a comparison, an exponential (about eight) and an addition.
inline constexpr int64_t kElementWork = 10;

/// The logits as rows, and what they are compared with.
struct Rows {
  const Tensor& logits;
  const ClassIndices targets;
  int64_t classes;
  int64_t rows;
  int64_t bytes;  ///< of one element

  Rows(std::string_view name, const Tensor& logits_, const Tensor& targets_)
      : logits(logits_),
        targets(name, targets_, logits_.shape().back()),
        classes(logits_.shape().back()),
        rows(targets_.numel()),
        bytes(static_cast<int64_t>(size_of(logits_.dtype()))) {}
  const char* row(int64_t i) const {
    return static_cast<const char*>(logits.raw_data()) + i * classes * bytes;
  }
  int64_t blocks() const { return (rows + kBlockRows - 1) / kBlockRows; }
  /// Blocks that a thread should have at least.
  int64_t grain() const { return kSerialWork / (kElementWork * kBlockRows * (classes + 1)) + 1; }
};

}  // namespace espalier
#endif

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The largest of `n` elements and `start`.
template <class C>
HWY_ATTR C max_of(const C* x, int64_t n, C start) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto top = hn::Set(d, start);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) top = hn::Max(top, hn::LoadU(d, x + i));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    top = hn::Max(top, hn::IfThenElse(rest, load_first(rest, d, x + i), top));
  }
  return hn::GetLane(hn::MaxOfLanes(d, top));
}

/// The sum of exp(x - top).
template <class C>
HWY_ATTR C exp_sum(const C* x, int64_t n, C top) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto tops = hn::Set(d, top);
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum = hn::Add(sum, vector_exp(d, hn::Sub(hn::LoadU(d, x + i), tops)));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto last = vector_exp(d, hn::Sub(load_first(rest, d, x + i), tops));
    sum = hn::Add(sum, hn::IfThenElseZero(rest, last));
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// out = exp(x - log_sum) * scale.
template <class C>
HWY_ATTR void scaled_softmax(const C* x, int64_t n, C log_sum, C scale, C* out) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto log_sums = hn::Set(d, log_sum);
  const auto scales = hn::Set(d, scale);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::Mul(vector_exp(d, hn::Sub(hn::LoadU(d, x + i), log_sums)), scales), d, out + i);
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto last = vector_exp(d, hn::Sub(load_first(rest, d, x + i), log_sums));
    hn::BlendedStore(hn::Mul(last, scales), rest, d, out + i);
  }
}

/// log_sums = tops + log(sums).
template <class C>
HWY_ATTR void add_logs(const C* tops, const C* sums, int64_t n, C* log_sums) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - i)));
    const auto logs = vector_log(d, load_first(rest, d, sums + i));
    hn::BlendedStore(hn::Add(load_first(rest, d, tops + i), logs), rest, d, log_sums + i);
  }
}

/// Calls `f(elements, first, n)` on stretches of a row, converted to C where they are of another type.
template <class C, class F>
HWY_ATTR void for_each_tile(const Rows& rows, const char* row, F&& f) {
  if (rows.logits.dtype() == dtype_of<C>())
    return f(reinterpret_cast<const C*>(row), int64_t{0}, rows.classes);
  alignas(64) C tile[kTile];
  for (int64_t first = 0; first < rows.classes; first += kTile) {
    const int64_t n = std::min(kTile, rows.classes - first);
    load_tile(tile, rows.logits.dtype(), row + first * rows.bytes, 1, n);
    f(tile, first, n);
  }
}

/// Writes the rows' log-sum-exps and returns the sum of their losses.
template <class C>
HWY_ATTR double block_loss(const Rows& rows, int64_t first, int64_t last, C* log_sums) {
  C tops[kBlockRows] = {};
  C sums[kBlockRows] = {};
  for (int64_t row = first; row < last; ++row) {
    C top = -std::numeric_limits<C>::infinity();
    C sum = 0;
    for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t, int64_t n) { top = max_of(x, n, top); });
    for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t, int64_t n) { sum += exp_sum(x, n, top); });
    tops[row - first] = top;
    sums[row - first] = sum;
  }
  add_logs(tops, sums, last - first, log_sums + first);
  double loss = 0;
  for (int64_t row = first; row < last; ++row) {
    C chosen;
    load_tile(&chosen, rows.logits.dtype(), rows.row(row) + rows.targets[row] * rows.bytes, 1, 1);
    loss += static_cast<double>(log_sums[row] - chosen);
  }
  return loss;
}

template <class C>
void forward(const Rows& rows, const Tensor& loss, const Tensor& log_sums) {
  const Tensor partial = empty({rows.blocks()}, Dtype::f64);
  auto* losses = static_cast<double*>(partial.raw_data());
  auto* log_sum = static_cast<C*>(log_sums.raw_data());
  parallel_for(0, rows.blocks(), rows.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kBlockRows;
      losses[block] = block_loss(rows, first, std::min(first + kBlockRows, rows.rows), log_sum);
    }
  });
  double total = 0;
  for (int64_t block = 0; block < rows.blocks(); ++block) total += losses[block];
  const double mean = total / static_cast<double>(rows.rows);
  store_tile(&mean, loss.dtype(), static_cast<char*>(loss.raw_data()), 1, 1);
}

template <class C>
void backward(const Rows& rows, C scale, const Tensor& log_sums, const Tensor& output) {
  const auto* log_sum = static_cast<const C*>(log_sums.raw_data());
  auto* out = static_cast<char*>(output.raw_data());
  const bool direct = output.dtype() == dtype_of<C>();
  parallel_for(0, rows.rows, rows.grain() * kBlockRows, [&](int64_t begin, int64_t end) {
    alignas(64) C tile[kTile];
    for (int64_t row = begin; row < end; ++row) {
      for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t first, int64_t n) {
        char* place = out + (row * rows.classes + first) * rows.bytes;
        C* to = direct ? reinterpret_cast<C*>(place) : tile;
        scaled_softmax(x, n, log_sum[row], scale, to);
        const int64_t target = rows.targets[row] - first;
        if (target >= 0 && target < n) to[target] -= scale;
        if (!direct) store_tile(tile, output.dtype(), place, 1, n);
      });
    }
  });
}

void forward_kernel(const Rows& rows, Outputs outputs) {
  if (outputs[1].dtype() == Dtype::f64) return forward<double>(rows, outputs[0], outputs[1]);
  forward<float>(rows, outputs[0], outputs[1]);
}

void backward_kernel(const Rows& rows, double scale, const Tensor& log_sums, const Tensor& output) {
  if (output.dtype() == Dtype::f64) return backward<double>(rows, scale, log_sums, output);
  backward<float>(rows, static_cast<float>(scale), log_sums, output);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(forward_kernel);
HWY_EXPORT(backward_kernel);

const char* cross_entropy_declines(const CrossEntropy&, Inputs inputs, std::span<const Tensor>) {
  return inputs[0].is_contiguous() && inputs[1].is_contiguous() ? nullptr : "wants row-major inputs";
}

void cross_entropy_cpu(const CrossEntropy&, Inputs inputs, Outputs outputs) {
  ESPALIER_DISPATCH(forward_kernel)(Rows(CrossEntropy::kName, inputs[0], inputs[1]), outputs);
}

const char* cross_entropy_backward_declines(const CrossEntropyBackward&, Inputs inputs,
                                            std::span<const Tensor>) {
  for (const Tensor& input : inputs) {
    if (!input.is_contiguous()) return "wants row-major inputs";
  }
  return nullptr;
}

void cross_entropy_backward_cpu(const CrossEntropyBackward&, Inputs inputs, Outputs outputs) {
  const Rows rows(CrossEntropyBackward::kName, inputs[1], inputs[2]);
  if (rows.rows == 0) return;
  const double scale = inputs[0].item() / static_cast<double>(rows.rows);
  ESPALIER_DISPATCH(backward_kernel)(rows, scale, inputs[3], outputs[0]);
}

}  // namespace espalier
#endif
