// Rows are walked in blocks of fixed size: the blocks' losses are added in order, so the result does not
// depend on the number of threads, and one vectorised logarithm serves the rows of a block.

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "ops/class_indices_internal.h"
#include "ops/cross_entropy.h"
#include "ops/scratch_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cross_entropy_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

#include "core/flush_subnormals_internal.h"
#include "core/parallel.h"
#include "ops/elementwise_internal.h"

#ifndef ESPALIER_CROSS_ENTROPY_CPU_CC_
#define ESPALIER_CROSS_ENTROPY_CPU_CC_
namespace espalier {

/// Rows of a block: their maxima and sums, 512 bytes in f32, stay in registers' reach.
inline constexpr int64_t kBlockRows = 64;

/// Simple operations an element: a comparison, an exponential (about eight) and an addition.
inline constexpr int64_t kElementWork = 10;

/// What a block of rows adds up to.
struct BlockSums {
  double loss = 0, weight = 0;
};

/// Targets are one class for each row, or a probability for each of its classes.
inline int64_t count_rows(const Tensor& targets) {
  if (!is_floating(targets.dtype())) return targets.numel();
  int64_t rows = 1;
  for (int axis = 0; axis + 1 < targets.rank(); ++axis) rows *= targets.shape()[axis];
  return rows;
}
inline int64_t count_blocks(int64_t rows) {
  return (rows + kBlockRows - 1) / kBlockRows;
}

/// What the kernels need for themselves.
struct LossMemory {
  BlockSums* sums;  ///< of each block; forward's
  void* weights;    ///< of the classes, in the type of the computation; null where there are none

  LossMemory(int64_t blocks, Inputs given, Workspace& work)
      : sums(work.take<BlockSums>(blocks)),
        weights(given.empty() || !given[0].defined() ? nullptr : work.take<double>(given[0].numel())) {}
};

/// The gradient of the rows' terms: of each row, in the type of the logits, or, where that is null, one for
/// all.
struct TermGradient {
  const char* each;
  double all;
};

/// The logits as rows, and what they are compared with.
struct Rows {
  const Tensor& logits;
  const CrossEntropyRule& rule;
  std::optional<ClassIndices> indices;
  const char* probabilities = nullptr;  ///< where there are no indices
  Tensor weight;                        ///< may be undefined
  int64_t classes;
  int64_t rows;
  int64_t bytes;  ///< of one element
  LossMemory memory;

  Rows(std::string_view name, const CrossEntropyRule& rule_, const Tensor& logits_, const Tensor& targets,
       Inputs weights, const LossMemory& memory_)
      : logits(logits_),
        rule(rule_),
        weight(weights.empty() ? Tensor() : weights[0]),
        classes(logits_.shape().back()),
        rows(count_rows(targets)),
        bytes(static_cast<int64_t>(size_of(logits_.dtype()))),
        memory(memory_) {
    if (is_floating(targets.dtype()))
      probabilities = static_cast<const char*>(targets.raw_data());
    else
      indices.emplace(name, targets, classes, rule.ignore_index);
  }
  int64_t start(int64_t row) const { return row * classes * bytes; }
  const char* row(int64_t i) const { return static_cast<const char*>(logits.raw_data()) + start(i); }
  bool ignored(int64_t row) const { return indices && (*indices)[row] == rule.ignore_index; }
  int64_t blocks() const { return count_blocks(rows); }
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

/// out = exp(x - top - log_sum) * scale.
template <class C>
HWY_ATTR void scaled_softmax(const C* x, int64_t n, C top, C log_sum, C scale, C* out) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto tops = hn::Set(d, top), log_sums = hn::Set(d, log_sum), scales = hn::Set(d, scale);
  const auto value = [&](auto v) HWY_ATTR {
    return hn::Mul(vector_exp(d, hn::Sub(hn::Sub(v, tops), log_sums)), scales);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(value(hn::LoadU(d, x + i)), d, out + i);
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    hn::BlendedStore(value(load_first(rest, d, x + i)), rest, d, out + i);
  }
}

/// What the classes are compared with, q: targets (null: 1) times `kept` plus `share`, times weights (null:
/// 1).
template <class C>
struct Mixture {
  const C* targets;
  const C* weights;
  C kept, share;

  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, int64_t i) const {
    const auto q = targets ? hn::MulAdd(hn::LoadU(d, targets + i), hn::Set(d, kept), hn::Set(d, share))
                           : hn::Set(d, C{1});
    return weights ? hn::Mul(q, hn::LoadU(d, weights + i)) : q;
  }
  template <class M, class D>
  HWY_INLINE hn::Vec<D> load_first_of(M rest, D d, int64_t i) const {
    const auto q = targets ? hn::MulAdd(load_first(rest, d, targets + i), hn::Set(d, kept), hn::Set(d, share))
                           : hn::Set(d, C{1});
    return weights ? hn::Mul(q, load_first(rest, d, weights + i)) : q;
  }
};

template <class C>
struct MixtureSums {
  C distance = 0;  ///< of q (top - x)
  C mass = 0;      ///< of q
};

template <class C>
HWY_ATTR MixtureSums<C> mixture_sums(const Mixture<C>& q, const C* x, int64_t n, C top) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto tops = hn::Set(d, top);
  auto distance = hn::Zero(d), mass = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = q.load(d, i);
    distance = hn::MulAdd(v, hn::Sub(tops, hn::LoadU(d, x + i)), distance);
    mass = hn::Add(mass, v);
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto v = q.load_first_of(rest, d, i);
    const auto last = hn::Mul(v, hn::Sub(tops, load_first(rest, d, x + i)));
    distance = hn::Add(distance, hn::IfThenElseZero(rest, last));
    mass = hn::Add(mass, hn::IfThenElseZero(rest, v));
  }
  return {hn::GetLane(hn::SumOfLanes(d, distance)), hn::GetLane(hn::SumOfLanes(d, mass))};
}

/// out -= q * scale.
template <class C>
HWY_ATTR void subtract_mixture(const Mixture<C>& q, int64_t n, C scale, C* out) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scales = hn::Set(d, scale);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::NegMulAdd(q.load(d, i), scales, hn::LoadU(d, out + i)), d, out + i);
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto last = hn::NegMulAdd(q.load_first_of(rest, d, i), scales, load_first(rest, d, out + i));
    hn::BlendedStore(last, rest, d, out + i);
  }
}

/// logs = log(sums).
template <class C>
HWY_ATTR void logarithms(const C* sums, int64_t n, C* logs) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(std::min(lanes, n - i)));
    hn::BlendedStore(vector_log(d, load_first(rest, d, sums + i)), rest, d, logs + i);
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

/// Rows with the classes' weights in C.
template <class C>
struct WeightedRows {
  const Rows& rows;
  C* weights = nullptr;  ///< null: all 1
  C weight_sum;
  C kept, share;  ///< of a target, and what each class gets of the rest

  explicit WeightedRows(const Rows& rows_)
      : rows(rows_),
        weight_sum(static_cast<C>(rows_.classes)),
        kept(static_cast<C>(1 - rows_.rule.label_smoothing)),
        share(static_cast<C>(rows_.rule.label_smoothing / static_cast<double>(rows_.classes))) {
    if (!rows.weight.defined()) return;
    weights = static_cast<C*>(rows.memory.weights);
    load_tile(weights, rows.weight.dtype(), static_cast<const char*>(rows.weight.raw_data()), 1,
              rows.classes);
    double sum = 0;
    for (int64_t i = 0; i < rows.classes; ++i) sum += static_cast<double>(weights[i]);
    weight_sum = static_cast<C>(sum);
  }
  C weight(int64_t label) const { return weights ? weights[label] : C{1}; }
  /// Whether more classes than the target's count.
  bool mixes() const { return !rows.indices || share > 0; }
  /// What `n` classes from `first` on are compared with, without the target of an index; converted targets
  /// go to `tile`.
  Mixture<C> mixture(int64_t row, int64_t first, int64_t n, C* tile) const {
    const C* const own = weights ? weights + first : nullptr;
    if (rows.indices) return {nullptr, own, kept, share};
    const char* place = rows.probabilities + rows.start(row) + first * rows.bytes;
    if (rows.logits.dtype() == dtype_of<C>()) return {reinterpret_cast<const C*>(place), own, kept, share};
    load_tile(tile, rows.logits.dtype(), place, 1, n);
    return {tile, own, kept, share};
  }
  MixtureSums<C> sums(int64_t row, C top) const {
    alignas(64) C tile[kTile];
    MixtureSums<C> total;
    for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t first, int64_t n) {
      const MixtureSums<C> part = mixture_sums(mixture(row, first, n, tile), x, n, top);
      total.distance += part.distance;
      total.mass += part.mass;
    });
    return total;
  }
};

/// Writes the statistics and, where `terms` is not null, the loss of each row.
template <class C>
HWY_ATTR BlockSums block_loss(const WeightedRows<C>& weighted, int64_t first, int64_t last, C* maxima,
                              C* logs, char* terms) {
  const Rows& rows = weighted.rows;
  C tops[kBlockRows] = {};
  C sums[kBlockRows] = {};
  MixtureSums<C> mixed[kBlockRows];
  for (int64_t row = first; row < last; ++row) {
    sums[row - first] = 1;
    if (rows.ignored(row)) continue;
    C top = -std::numeric_limits<C>::infinity();
    C sum = 0;
    for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t, int64_t n) { top = max_of(x, n, top); });
    for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t, int64_t n) { sum += exp_sum(x, n, top); });
    if (weighted.mixes()) mixed[row - first] = weighted.sums(row, top);
    tops[row - first] = top;
    sums[row - first] = sum;
  }
  std::copy(tops, tops + (last - first), maxima + first);
  logarithms(sums, last - first, logs + first);
  BlockSums total;
  for (int64_t row = first; row < last; ++row) {
    const int64_t i = row - first;
    C loss = 0, weight = 1;
    if (rows.ignored(row)) {
      weight = 0;
    } else if (!rows.indices) {
      loss = mixed[i].distance + logs[row] * mixed[i].mass;
    } else {
      const int64_t target = (*rows.indices)[row];
      C chosen;
      load_tile(&chosen, rows.logits.dtype(), rows.row(row) + target * rows.bytes, 1, 1);
      weight = weighted.weight(target);
      loss = weight * (tops[i] - chosen + logs[row]);
      if (weighted.mixes())
        loss = weighted.kept * loss + weighted.share * (mixed[i].distance + logs[row] * mixed[i].mass);
    }
    if (terms) store_tile(&loss, rows.logits.dtype(), terms + row * rows.bytes, 1, 1);
    total.loss += static_cast<double>(loss);
    total.weight += static_cast<double>(weight);
  }
  return total;
}

// Probabilities of a net that is sure of its answers are subnormal, and so would be the gradients made of
// them, in all layers: the step of a small MLP that knows its examples by heart takes 2.3 times as long with
// them (Xeon, Emerald Rapids).

template <class C>
void forward(const Rows& rows, Outputs outputs) {
  const WeightedRows<C> weighted(rows);
  auto* const maxima = static_cast<C*>(outputs[1].raw_data());
  auto* const loss = static_cast<char*>(outputs[0].raw_data());
  const bool each = rows.rule.reduction == LossReduction::none;
  parallel_for(0, rows.blocks(), rows.grain(), [&](int64_t begin, int64_t end) {
    const FlushSubnormals flush;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kBlockRows;
      rows.memory.sums[block] = block_loss(weighted, first, std::min(first + kBlockRows, rows.rows), maxima,
                                           maxima + rows.rows, each ? loss : nullptr);
    }
  });
  BlockSums total;
  for (int64_t block = 0; block < rows.blocks(); ++block) {
    total.loss += rows.memory.sums[block].loss;
    total.weight += rows.memory.sums[block].weight;
  }
  *static_cast<double*>(outputs[2].raw_data()) = total.weight;
  if (each) return;
  const double result = rows.rule.reduction == LossReduction::mean ? total.loss / total.weight : total.loss;
  store_tile(&result, outputs[0].dtype(), loss, 1, 1);
}

/// The gradient of a row's logits, `scale` being that of its term.
template <class C>
HWY_ATTR void row_gradient(const WeightedRows<C>& weighted, int64_t row, C scale, C top, C log_sum,
                           const Tensor& output) {
  const Rows& rows = weighted.rows;
  alignas(64) C tile[kTile];
  alignas(64) C targets[kTile];
  char* const out = static_cast<char*>(output.raw_data()) + rows.start(row);
  if (rows.ignored(row)) {
    std::memset(out, 0, static_cast<size_t>(rows.classes * rows.bytes));
    return;
  }
  const int64_t target = rows.indices ? (*rows.indices)[row] : -1;
  const C chosen = rows.indices ? weighted.kept * weighted.weight(target) : C{0};
  const C spread = rows.indices ? weighted.share : C{1};
  const C mass = rows.indices ? chosen + weighted.share * weighted.weight_sum : weighted.sums(row, top).mass;
  const bool direct = output.dtype() == dtype_of<C>();
  for_each_tile<C>(rows, rows.row(row), [&](const C* x, int64_t first, int64_t n) {
    char* place = out + first * rows.bytes;
    C* to = direct ? reinterpret_cast<C*>(place) : tile;
    scaled_softmax(x, n, top, log_sum, scale * mass, to);
    if (weighted.mixes()) subtract_mixture(weighted.mixture(row, first, n, targets), n, scale * spread, to);
    if (target >= first && target < first + n) to[target - first] -= scale * chosen;
    if (!direct) store_tile(tile, output.dtype(), place, 1, n);
  });
}

template <class C>
void backward(const Rows& rows, const TermGradient& gradient, const Tensor& statistics,
              const Tensor& output) {
  const WeightedRows<C> weighted(rows);
  const auto* const maxima = static_cast<const C*>(statistics.raw_data());
  parallel_for(0, rows.rows, rows.grain() * kBlockRows, [&](int64_t begin, int64_t end) {
    const FlushSubnormals flush;
    for (int64_t row = begin; row < end; ++row) {
      C own = static_cast<C>(gradient.all);
      if (gradient.each) load_tile(&own, rows.logits.dtype(), gradient.each + row * rows.bytes, 1, 1);
      row_gradient(weighted, row, own, maxima[row], maxima[rows.rows + row], output);
    }
  });
}

void forward_kernel(const Rows& rows, Outputs outputs) {
  if (outputs[1].dtype() == Dtype::f64) return forward<double>(rows, outputs);
  forward<float>(rows, outputs);
}

void backward_kernel(const Rows& rows, const TermGradient& gradient, const Tensor& statistics,
                     const Tensor& output) {
  if (output.dtype() == Dtype::f64) return backward<double>(rows, gradient, statistics, output);
  backward<float>(rows, gradient, statistics, output);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(forward_kernel);
HWY_EXPORT(backward_kernel);

namespace {

const char* declines(Inputs inputs) {
  for (const Tensor& input : inputs) {
    if (!input.is_contiguous()) return "wants row-major inputs";
  }
  return nullptr;
}

}  // namespace

const char* cross_entropy_declines(const CrossEntropy&, Inputs inputs, std::span<const Tensor>) {
  return declines(inputs);
}

size_t cross_entropy_scratch(const CrossEntropy&, Inputs inputs, std::span<const Tensor>) {
  Workspace work;
  const LossMemory memory(count_blocks(count_rows(inputs[1])), inputs.subspan(2), work);
  return work.bytes();
}
void cross_entropy_cpu(const CrossEntropy& loss, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace work(scratch);
  const Inputs weights = inputs.subspan(2);
  const LossMemory memory(count_blocks(count_rows(inputs[1])), weights, work);
  const Rows rows(CrossEntropy::kName, loss.rule(), inputs[0], inputs[1], weights, memory);
  ESPALIER_DISPATCH(forward_kernel)(rows, outputs);
}

const char* cross_entropy_backward_declines(const CrossEntropyBackward&, Inputs inputs,
                                            std::span<const Tensor>) {
  return declines(inputs.subspan(1));
}

size_t cross_entropy_backward_scratch(const CrossEntropyBackward&, Inputs inputs, std::span<const Tensor>) {
  Workspace work;
  const LossMemory memory(0, inputs.subspan(5), work);
  row_major(inputs[0], work);
  return work.bytes();
}
void cross_entropy_backward_cpu(const CrossEntropyBackward& loss, Inputs inputs, Outputs outputs,
                                void* scratch) {
  Workspace work(scratch);
  const Inputs weights = inputs.subspan(5);
  const LossMemory memory(0, weights, work);
  const Rows rows(CrossEntropyBackward::kName, loss.rule(), inputs[1], inputs[2], weights, memory);
  if (rows.rows == 0) return;
  const Tensor& gradient = inputs[0];
  const LossReduction reduction = loss.rule().reduction;
  TermGradient of_terms{nullptr, 0};
  if (reduction == LossReduction::none)
    of_terms.each = static_cast<const char*>(row_major(gradient, work));
  else
    of_terms.all = gradient.item() / (reduction == LossReduction::mean ? inputs[4].item() : 1);
  ESPALIER_DISPATCH(backward_kernel)(rows, of_terms, inputs[3], outputs[0]);
}

}  // namespace espalier
#endif
