// The vectorised loops of losses that are means over elements, compiled once per instruction set: include it
// inside a file set up as core/highway_internal.h says, after "hwy/highway.h". A loss brings a functor with
// `V loss(D d, V prediction, V target) const` and `V slope(D d, V prediction, V target) const`, its
// derivative.

#if defined(ESPALIER_MEAN_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_MEAN_LOSS_INL_H_
#undef ESPALIER_MEAN_LOSS_INL_H_
#else
#define ESPALIER_MEAN_LOSS_INL_H_
#endif

#include "core/masked-inl.h"
#include "core/parallel.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// The sum of the losses of `n` neighbouring elements.
template <class C, class F>
HWY_ATTR double sum_losses(const F& f, const C* predictions, const C* targets, int64_t n) {
  const hn::ScalableTag<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    sum = hn::Add(sum, f.loss(d, hn::LoadU(d, predictions + i), hn::LoadU(d, targets + i)));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    const auto last = f.loss(d, load_first(rest, d, predictions + i), load_first(rest, d, targets + i));
    sum = hn::Add(sum, hn::IfThenElseZero(rest, last));
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

/// The mean loss. Elements are summed in C by tiles, tiles in double by blocks of fixed size, so the result
/// does not depend on the number of threads. `work` is the cost of one element in simple operations.
template <class C, class F>
double mean_loss_in(const F& f, const Tensor& predictions, const Tensor& targets, int64_t work) {
  constexpr int64_t kBlock = 32 * kTile;
  const int64_t n = predictions.numel();
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  const Tensor partial = empty({blocks}, Dtype::f64);
  auto* sums = static_cast<double*>(partial.raw_data());
  const ElementwiseLoop loop(predictions, Inputs(&targets, 1));
  const std::array<int64_t, kMaxOperands> strides = loop.inner().strides;
  const auto bytes = static_cast<int64_t>(size_of(predictions.dtype()));
  std::array<bool, 2> direct;
  for (size_t o = 0; o < 2; ++o)
    direct[o] = predictions.dtype() == dtype_of<C>() && (strides[o] == 1 || loop.inner().size == 1);

  parallel_for(0, blocks, kSerialWork / (work * kBlock) + 1, [&](int64_t begin, int64_t end) {
    alignas(64) C tiles[2][kTile];
    for (int64_t block = begin; block < end; ++block) {
      double sum = 0;
      for_each_row(loop, block * kBlock, std::min(n, (block + 1) * kBlock), [&](const ElementwiseRow& row) {
        for (int64_t first = 0; first < row.size; first += kTile) {
          const int64_t count = std::min(kTile, row.size - first);
          std::array<const C*, 2> x;
          for (size_t o = 0; o < 2; ++o) {
            const char* place = row.data[o] + first * strides[o] * bytes;
            if (!direct[o]) load_tile(tiles[o], predictions.dtype(), place, strides[o], count);
            x[o] = direct[o] ? reinterpret_cast<const C*>(place) : tiles[o];
          }
          sum += sum_losses(f, x[0], x[1], count);
        }
      });
      sums[block] = sum;
    }
  });
  double total = 0;
  for (int64_t block = 0; block < blocks; ++block) total += sums[block];
  return total / static_cast<double>(n);
}

template <class F>
void mean_loss(const F& f, Inputs inputs, const Tensor& output, int64_t work) {
  const double mean = inputs[0].dtype() == Dtype::f64 ? mean_loss_in<double>(f, inputs[0], inputs[1], work)
                                                      : mean_loss_in<float>(f, inputs[0], inputs[1], work);
  store_tile(&mean, output.dtype(), static_cast<char*>(output.raw_data()), 1, 1);
}

/// The slope times the loss's gradient over the number of elements.
template <class C, class F>
struct ScaledSlope {
  F f;
  C scale;

  template <class D, class V>
  HWY_ATTR V operator()(D d, V prediction, V target) const {
    return hn::Mul(f.slope(d, prediction, target), hn::Set(d, scale));
  }
};

template <class F>
void mean_loss_gradient(const F& f, Inputs inputs, const Tensor& output, int64_t work) {
  const double scale = inputs[0].item() / static_cast<double>(output.numel());
  if (output.dtype() == Dtype::f64) {
    run_elementwise<double, 2>(ScaledSlope<double, F>{f, scale}, output, inputs.subspan(1), work);
  } else {
    run_elementwise<float, 2>(ScaledSlope<float, F>{f, static_cast<float>(scale)}, output, inputs.subspan(1),
                              work);
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
