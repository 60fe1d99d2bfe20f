#include "ops/fused_linear.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::none:
      break;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::gelu_erf:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
  }
  return x;
}

OpSample fused_linear_sample(std::string label, const Shape& x, int64_t out, bool bias, bool residual,
                             Activation activation) {
  Shape y = x;
  y[y.rank() - 1] = out;
  const int64_t in_features = x.back();
  return {std::move(label),
          {{x}, {{out, in_features}}, {.shape = {out}, .absent = !bias}, {.shape = y, .absent = !residual}},
          [=](Inputs in) {
            // An own copy: it is overwritten.
            const Tensor sum = in[3].defined() ? apply_one(Copy(Copy::Layout::contiguous), in[3]) : Tensor();
            return Tensors{fused_linear(in[0], in[1], in[2], sum, activation)};
          },
          [=](const Arrays& in) {
            Array result(y);
            for (int64_t row = 0; out > 0 && row < count(y) / out; ++row) {
              for (int64_t j = 0; j < out; ++j) {
                double sum = (bias ? in[2][j] : 0) + (residual ? in[3][row * out + j] : 0);
                for (int64_t i = 0; i < in_features; ++i)
                  sum += in[0][row * in_features + i] * in[1][j * in_features + i];
                result[row * out + j] = activated(sum, activation);
              }
            }
            return Arrays{result};
          }};
}

}  // namespace

OpTest fused_linear_test() {
  const Tensor x = zeros({2, 3, 4}), weight = zeros({5, 4});
  return {
      .name = "fused_linear",
      .samples =
          {
              fused_linear_sample("bias", {3, 4}, 5, true, false, Activation::none),
              fused_linear_sample("ReLU", {2, 3, 4}, 5, true, false, Activation::relu),
              fused_linear_sample("GELU by tanh", {2, 3, 4}, 5, true, false, Activation::gelu_tanh),
              fused_linear_sample("GELU by erf", {3, 4}, 5, false, false, Activation::gelu_erf),
              fused_linear_sample("residual", {2, 3, 4}, 5, true, true, Activation::none),
              fused_linear_sample("residual and ReLU", {20, 33}, 18, true, true, Activation::relu),
              fused_linear_sample("one row", {17}, 6, true, true, Activation::relu),
              fused_linear_sample("no rows", {0, 4}, 5, true, false, Activation::relu),
              fused_linear_sample("a sum of nothing", {3, 0}, 5, true, true, Activation::relu),
          },
      .errors =
          {
              {"sizes",
               [x] { fused_linear(x, zeros({5, 3})); },
               "ShapeError",
               {"linear", "[2, 3, 4]", "[5, 3]"}},
              {"residual of another shape",
               [x, weight] { fused_linear(x, weight, {}, zeros({3, 5})); },
               "ShapeError",
               {"fused_linear", "[3, 5]", "[2, 3, 5]"}},
              {"residual of another type",
               [x, weight] { fused_linear(x, weight, {}, zeros({2, 3, 5}, Dtype::f64)); },
               "TypeError",
               {"fused_linear", "f64[2, 3, 5]", "f32"}},
          },
      // Sums of up to 35 products of size 4 grow to some 30; each addition rounds once. The taken-apart form
      // rounds them to the narrow types before the activation.
      .tolerance = 64,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {fused_linear_sample("128x512 to 2048, GELU", {128, 512}, 2048, true, false,
                                         Activation::gelu_tanh)},
  };
}

}  // namespace espalier::test
