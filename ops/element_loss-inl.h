// The vectorised loops of losses that go element by element, compiled once per instruction set: include it
// inside a file set up as core/highway_internal.h says, after "hwy/highway.h". A loss brings a functor with
// `V loss(D d, V prediction, V target[, V weight]) const` and `V slope(...) const` of the same arguments, its
// derivative with respect to the prediction.

#if defined(ESPALIER_ELEMENT_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_ELEMENT_LOSS_INL_H_
#undef ESPALIER_ELEMENT_LOSS_INL_H_
#else
#define ESPALIER_ELEMENT_LOSS_INL_H_
#endif

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/element_loss_internal.h"
#include "ops/elementwise-inl.h"
#include "ops/loss.h"
#include "ops/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// The sum of the losses of `n` neighbouring elements.
template <class C, class F, size_t... I>
HWY_ATTR double sum_losses(const F& f, const std::array<const C*, sizeof...(I)>& in, int64_t n,
                           std::index_sequence<I...>) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum = hn::Add(sum, f.loss(d, hn::LoadU(d, in[I] + i)...));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    sum = hn::Add(sum, hn::IfThenElseZero(rest, f.loss(d, load_first(rest, d, in[I] + i)...)));
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

/// The sum of all losses. Elements are summed in C by tiles, tiles in double by blocks of fixed size, so the
/// result does not depend on the number of threads. `work` is the cost of one element in simple operations;
/// `sums` has room for one of each block.
template <class C, size_t N, class F>
double total_loss(const F& f, Inputs inputs, int64_t work, double* sums) {
  const int64_t n = inputs[0].numel();
  const int64_t blocks = count_loss_blocks(n);
  const ElementwiseLoop loop(inputs[0], inputs.subspan(1));
  const std::array<int64_t, kMaxOperands> strides = loop.inner().strides;
  const Dtype dtype = inputs[0].dtype();
  const auto bytes = static_cast<int64_t>(size_of(dtype));
  std::array<bool, N> direct;
  for (size_t o = 0; o < N; ++o)
    direct[o] = dtype == dtype_of<C>() && (strides[o] == 1 || loop.inner().size == 1);

  parallel_for(0, blocks, kSerialWork / (work * kLossBlock) + 1, [&](int64_t begin, int64_t end) {
    alignas(64) C tiles[N][kTile];
    for (int64_t block = begin; block < end; ++block) {
      double sum = 0;
      for_each_row(loop, block * kLossBlock, std::min(n, (block + 1) * kLossBlock),
                   [&](const ElementwiseRow& row) {
                     for (int64_t first = 0; first < row.size; first += kTile) {
                       const int64_t count = std::min(kTile, row.size - first);
                       std::array<const C*, N> x;
                       for (size_t o = 0; o < N; ++o) {
                         const char* place = row.data[o] + first * strides[o] * bytes;
                         if (!direct[o]) load_tile(tiles[o], dtype, place, strides[o], count);
                         x[o] = direct[o] ? reinterpret_cast<const C*>(place) : tiles[o];
                       }
                       sum += sum_losses(f, x, count, std::make_index_sequence<N>());
                     }
                   });
      sums[block] = sum;
    }
  });
  double total = 0;
  for (int64_t block = 0; block < blocks; ++block) total += sums[block];
  return total;
}

/// The losses one by one, as an elementwise functor.
template <class F>
struct EachLoss {
  F f;

  template <class D, class... V>
  HWY_ATTR auto operator()(D d, V... in) const {
    return f.loss(d, in...);
  }
};

/// The loss of N inputs: predictions, targets and perhaps weights. `scratch` has scratch_of_loss().
template <size_t N, class F>
void element_loss(const F& f, LossReduction reduction, const Tensor& output, Inputs inputs, int64_t work,
                  void* scratch) {
  if (reduction == LossReduction::none)
    return run_elementwise_floating<N>(EachLoss<F>{f}, output, inputs, work);
  auto* const sums = static_cast<double*>(scratch);
  double loss = inputs[0].dtype() == Dtype::f64 ? total_loss<double, N>(f, inputs, work, sums)
                                                : total_loss<float, N>(f, inputs, work, sums);
  if (reduction == LossReduction::mean) loss /= static_cast<double>(inputs[0].numel());
  store_tile(&loss, output.dtype(), static_cast<char*>(output.raw_data()), 1, 1);
}

/// The slope times the gradient of all terms.
template <class C, class F>
struct ScaledSlope {
  F f;
  C scale;

  template <class D, class... V>
  HWY_ATTR auto operator()(D d, V... in) const {
    return hn::Mul(f.slope(d, in...), hn::Set(d, scale));
  }
};

/// The slope times the gradient of each term.
template <class F>
struct WeightedSlope {
  F f;

  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V prediction, V target) const {
    return hn::Mul(f.slope(d, prediction, target), gradient);
  }
};

/// The gradient with respect to the predictions. Inputs: the loss's gradient, then the loss's N inputs.
template <size_t N, class F>
void element_loss_gradient(const F& f, LossReduction reduction, const Tensor& output, Inputs inputs,
                           int64_t work) {
  if constexpr (N == 2) {
    if (reduction == LossReduction::none)
      return run_elementwise_floating<3>(WeightedSlope<F>{f}, output, inputs, work);
  }
  double scale = inputs[0].item();
  if (reduction == LossReduction::mean) scale /= static_cast<double>(output.numel());
  if (output.dtype() == Dtype::f64) {
    run_elementwise<double, N>(ScaledSlope<double, F>{f, scale}, output, inputs.subspan(1), work);
  } else {
    run_elementwise<float, N>(ScaledSlope<float, F>{f, static_cast<float>(scale)}, output, inputs.subspan(1),
                              work);
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

// The kernel that a list names, of a function `void stem_kernel(const Op&, const Tensor& output, Inputs,
// void* scratch)`.
#undef ESPALIER_ELEMENT_LOSS_KERNEL
#if HWY_ONCE
#define ESPALIER_ELEMENT_LOSS_KERNEL(Op, stem)                                     \
  namespace espalier {                                                             \
  HWY_EXPORT(stem##_kernel);                                                       \
  void stem##_cpu(const Op& loss, Inputs inputs, Outputs outputs, void* scratch) { \
    ESPALIER_DISPATCH(stem##_kernel)(loss, outputs[0], inputs, scratch);           \
  }                                                                                \
  }
#else
#define ESPALIER_ELEMENT_LOSS_KERNEL(Op, stem)
#endif

#endif
