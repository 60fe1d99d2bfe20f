// ONNX's operators on elements, each by itself.

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/clamp.h"
#include "ops/compare.h"
#include "ops/divide.h"
#include "ops/elu.h"
#include "ops/erf.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/gelu.h"
#include "ops/hardtanh.h"
#include "ops/isfinite.h"
#include "ops/log.h"
#include "ops/logical.h"
#include "ops/maximum.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/power.h"
#include "ops/reciprocal.h"
#include "ops/relu.h"
#include "ops/round.h"
#include "ops/sigmoid.h"
#include "ops/softplus.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/tanh.h"
#include "ops/trigonometry.h"
#include "ops/where.h"
#include "runtime/onnx_format_internal.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {
namespace {

template <Tensor (*f)(const Tensor&)>
Tensors read_unary(OnnxReading& r) {
  return {f(r.input(0))};
}

template <Tensor (*f)(const Tensor&, const Tensor&)>
Tensors read_binary(OnnxReading& r) {
  return {f(r.input(0), r.input(1))};
}

/// An operator of one input or more.
template <Tensor (*f)(const Tensor&, const Tensor&)>
Tensors read_folded(OnnxReading& r) {
  Tensor result = r.input(0);
  for (size_t i = 1; i < r.input_count(); ++i) result = f(result, r.input(i));
  return {result};
}

/// `f` of whole numbers that are known: of sizes, when shapes are computed.
template <class F>
Tensor of_whole_numbers(OnnxReading& r, F f) {
  const Tensor a = r.known(0), b = r.known(1);
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), r.node().type);
  r.budget().take(shape, Dtype::i64);
  std::vector<int64_t> left = cast(expand(a, shape), Dtype::i64).to_vector<int64_t>();
  const std::vector<int64_t> right = cast(expand(b, shape), Dtype::i64).to_vector<int64_t>();
  for (size_t i = 0; i < left.size(); ++i) {
    if (right[i] == 0) r.refuse("divides by zero");
    // The one quotient that 64 bits do not hold; hardware and ONNX Runtime differ in what becomes of it.
    if (right[i] == -1 && left[i] == std::numeric_limits<int64_t>::min()) r.refuse("divides out of range");
    left[i] = f(left[i], right[i]);
  }
  return cast(from_values(left, shape), a.dtype());
}

Tensors read_div(OnnxReading& r) {
  if (is_floating(r.input(0).dtype())) return {divide(r.input(0), r.input(1))};
  return {of_whole_numbers(r, [](int64_t a, int64_t b) { return a / b; })};
}

/// The remainder with the sign of the divisor.
Tensors read_mod(OnnxReading& r) {
  r.expect("fmod", 0);
  if (is_floating(r.input(0).dtype())) r.refuse("is read for whole numbers only");
  return {of_whole_numbers(r, [](int64_t a, int64_t b) {
    const int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  })};
}

/// In the type of the base.
Tensors read_pow(OnnxReading& r) {
  return {cast(power(r.input(0), r.input(1)), r.input(0).dtype())};
}

Tensors read_where(OnnxReading& r) {
  return {where(r.input(0), r.input(1), r.input(2))};
}

Tensors read_cast(OnnxReading& r) {
  r.ignore("saturate");  // of 8-bit floats
  return {cast(r.input(0), dtype_of_onnx(r.integer("to", 0)))};
}

Tensors read_cast_like(OnnxReading& r) {
  r.ignore("saturate");
  return {cast(r.input(0), r.input(1).dtype())};
}

Tensors read_clip(OnnxReading& r) {
  const Tensor& x = r.input(0);
  if (!r.has(1) && !r.has(2)) return {x};
  const auto fixed = [&](size_t i) { return !r.has(i) || r.is_known(i); };
  if (!fixed(1) || !fixed(2)) return {clamp(x, r.optional_input(1), r.optional_input(2))};
  const auto bound = [&](size_t i) { return r.has(i) ? std::optional(r.scalar(i)) : std::nullopt; };
  return {clamp(x, bound(1), bound(2))};
}

Tensors read_leaky_relu(OnnxReading& r) {
  return {leaky_relu(r.input(0), r.number("alpha", 0.01))};
}

Tensors read_prelu(OnnxReading& r) {
  const Tensor& x = r.input(0);
  return {where(less(x, 0), x * r.input(1), x)};
}

Tensors read_elu(OnnxReading& r) {
  return {elu(r.input(0), r.number("alpha", 1))};
}

Tensors read_celu(OnnxReading& r) {
  return {celu(r.input(0), r.number("alpha", 1))};
}

Tensors read_selu(OnnxReading& r) {
  constexpr double kAlpha = 1.67326319217681884765625, kGamma = 1.05070102214813232421875;  // ONNX's defaults
  return {apply_one(Elu(r.number("alpha", kAlpha), r.number("gamma", kGamma)), r.input(0))};
}

Tensors read_gelu(OnnxReading& r) {
  const std::string form = r.word("approximate", "none");
  if (form != "none" && form != "tanh") r.refuse("has an unknown approximation " + quoted_name(form));
  return {form == "tanh" ? gelu(r.input(0)) : gelu_exact(r.input(0))};
}

Tensors read_hard_sigmoid(OnnxReading& r) {
  return {clamp(r.input(0) * r.number("alpha", 0.2) + r.number("beta", 0.5), 0, 1)};
}

Tensor softplus_of(const Tensor& x) {
  return softplus(x);
}

Tensor softsign_of(const Tensor& x) {
  return x / (abs(x) + 1);
}

Tensors read_is_inf(OnnxReading& r) {
  r.expect("detect_negative", 1);
  r.expect("detect_positive", 1);
  return {isinf(r.input(0))};
}

}  // namespace

const OnnxReaders& elementwise_onnx_readers() {
  static const OnnxReaders all = {
      {"Abs", read_unary<abs>},
      {"Add", read_binary<add>},
      {"And", read_binary<logical_and>},
      {"Cast", read_cast},
      {"CastLike", read_cast_like},
      {"Ceil", read_unary<ceil>},
      {"Celu", read_celu},
      {"Clip", read_clip},
      {"Cos", read_unary<cos>},
      {"Div", read_div},
      {"Elu", read_elu},
      {"Equal", read_binary<equal>},
      {"Erf", read_unary<erf>},
      {"Exp", read_unary<exp>},
      {"Floor", read_unary<floor>},
      {"Gelu", read_gelu},
      {"Greater", read_binary<greater>},
      {"GreaterOrEqual", read_binary<greater_equal>},
      {"HardSigmoid", read_hard_sigmoid},
      {"HardSwish", read_unary<hardswish>},
      {"IsInf", read_is_inf},
      {"IsNaN", read_unary<isnan>},
      {"LeakyRelu", read_leaky_relu},
      {"Less", read_binary<less>},
      {"LessOrEqual", read_binary<less_equal>},
      {"Log", read_unary<log>},
      {"Max", read_folded<maximum>},
      {"Min", read_folded<minimum>},
      {"Mod", read_mod},
      {"Mul", read_binary<multiply>},
      {"Neg", read_unary<negate>},
      {"Not", read_unary<logical_not>},
      {"Or", read_binary<logical_or>},
      {"PRelu", read_prelu},
      {"Pow", read_pow},
      {"Reciprocal", read_unary<reciprocal>},
      {"Relu", read_unary<relu>},
      {"Round", read_unary<round>},
      {"Selu", read_selu},
      {"Sigmoid", read_unary<sigmoid>},
      {"Sign", read_unary<sign>},
      {"Sin", read_unary<sin>},
      {"Softplus", read_unary<softplus_of>},
      {"Softsign", read_unary<softsign_of>},
      {"Sqrt", read_unary<sqrt>},
      {"Sub", read_binary<subtract>},
      {"Sum", read_folded<add>},
      {"Tanh", read_unary<tanh>},
      {"Where", read_where},
      {"Xor", read_binary<logical_xor>},
  };
  return all;
}

}  // namespace espalier::runtime
