#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "ops/batch_norm.h"
#include "ops/elementwise_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

// The plain reference, for any type and layout: channel by channel, in f64.

/// Channel c of `x`, without axis 1.
LocalTensor channel(const Tensor& x, int64_t c) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  const int64_t start = c * strides[1] * static_cast<int64_t>(size_of(x.dtype()));
  shape.erase(1);
  strides.erase(1);
  return LocalTensor(static_cast<char*>(x.raw_data()) + start, x.dtype(), shape, strides);
}

double number(const Tensor& parameter, int64_t i) {
  double value;
  const int64_t place = i * parameter.strides().back() * static_cast<int64_t>(size_of(parameter.dtype()));
  load_tile(&value, parameter.dtype(), static_cast<const char*>(parameter.raw_data()) + place, 1, 1);
  return value;
}

void set_number(const Tensor& parameter, int64_t i, double value) {
  const int64_t place = i * parameter.strides().back() * static_cast<int64_t>(size_of(parameter.dtype()));
  store_tile(&value, parameter.dtype(), static_cast<char*>(parameter.raw_data()) + place, 1, 1);
}

using Tiles = double[kMaxOperands][kTile];

/// Calls `f(tiles, n)` for tiles of tensors of one shape; the first one is read, or written afterwards.
template <bool writes, class F>
void for_each_tile(const Tensor& first, std::initializer_list<Tensor> others, const F& f) {
  if (first.numel() == 0) return;
  const ElementwiseLoop loop(first, Inputs(others.begin(), others.size()));
  Tiles tiles;
  for_each_row(loop, 0, loop.elements, [&](const ElementwiseRow& row) {
    for (int64_t begin = 0; begin < row.size; begin += kTile) {
      const int64_t n = std::min(kTile, row.size - begin);
      const auto at = [&](size_t o) {
        return row.data[o] + begin * loop.inner().strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
      };
      for (size_t o = writes ? 1 : 0; o <= others.size(); ++o)
        load_tile(tiles[o], loop.dtypes[o], at(o), loop.inner().strides[o], n);
      f(tiles, n);
      if (writes) store_tile(tiles[0], loop.dtypes[0], at(0), loop.inner().strides[0], n);
    }
  });
}

/// The sum of `term(a, b)` over the elements of two tensors.
template <class Term>
double sum_over(const Tensor& first, const Tensor& second, const Term& term) {
  double total = 0;
  for_each_tile<false>(first, {second}, [&](const Tiles& tiles, int64_t n) {
    for (int64_t i = 0; i < n; ++i) total += term(tiles[0][i], tiles[1][i]);
  });
  return total;
}

int64_t grain_of(const Tensor& x) {
  const int64_t elements = x.numel() / std::max<int64_t>(x.shape()[1], 1);
  return std::max<int64_t>(1, kSerialWork / (8 * std::max<int64_t>(elements, 1)));
}

}  // namespace

void batch_norm_reference(const BatchNorm& op, Inputs inputs, Outputs outputs) {
  const Tensor &x = inputs[0], &weight = inputs[1], &bias = inputs[2];
  const Tensor &running_mean = inputs[3], &running_var = inputs[4], &statistics = outputs[1];
  const BatchNormOptions& options = op.options();
  const int64_t channels = x.shape()[1];
  parallel_for(0, channels, grain_of(x), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const LocalTensor from = channel(x, c);
      const auto n = static_cast<double>(std::max<int64_t>(from->numel(), 1));
      double mean, variance;
      if (options.training) {
        mean = sum_over(from, from, [](double a, double) { return a; }) / n;
        variance = sum_over(from, from, [&](double a, double) { return (a - mean) * (a - mean); }) / n;
        if (running_mean.defined() && from->numel() > 0) {
          const double m = options.momentum, unbiased = variance * n / std::max(n - 1, 1.0);
          set_number(running_mean, c, (1 - m) * number(running_mean, c) + m * mean);
          set_number(running_var, c, (1 - m) * number(running_var, c) + m * unbiased);
        }
      } else {
        mean = number(running_mean, c);
        variance = number(running_var, c);
      }
      const double deviation = 1 / std::sqrt(variance + options.eps);
      const double scale = weight.defined() ? deviation * number(weight, c) : deviation;
      const double shift = bias.defined() ? number(bias, c) : 0;
      set_number(statistics, c, mean);
      set_number(statistics, channels + c, deviation);
      for_each_tile<true>(channel(outputs[0], c), {from}, [&](Tiles& tiles, int64_t count) {
        for (int64_t i = 0; i < count; ++i) tiles[0][i] = (tiles[1][i] - mean) * scale + shift;
      });
    }
  });
}

void batch_norm_backward_reference(const BatchNormBackward& op, Inputs inputs, Outputs outputs) {
  const Tensor &gradient = inputs[0], &x = inputs[1], &weight = inputs[2], &statistics = inputs[3];
  const int64_t channels = x.shape()[1];
  parallel_for(0, channels, grain_of(x), [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const LocalTensor g = channel(gradient, c), from = channel(x, c);
      const double mean = number(statistics, c), deviation = number(statistics, channels + c);
      const double sum = sum_over(g, g, [](double a, double) { return a; });
      const double product = sum_over(g, from, [&](double a, double b) { return a * (b - mean); });
      set_number(outputs[0], c, product * deviation);
      set_number(outputs[1], c, sum);
      if (outputs.size() < 3) continue;
      const double scale = weight.defined() ? deviation * number(weight, c) : deviation;
      const double share =
          op.batch_statistics() ? scale / static_cast<double>(std::max<int64_t>(from->numel(), 1)) : 0;
      const double slope = share * deviation * deviation * product, shift = share * sum;
      for_each_tile<true>(channel(outputs[2], c), {g, from}, [&](Tiles& tiles, int64_t n) {
        for (int64_t i = 0; i < n; ++i)
          tiles[0][i] = tiles[1][i] * scale - (tiles[2][i] - mean) * slope - shift;
      });
    }
  });
}

}  // namespace espalier
