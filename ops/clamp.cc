#include "ops/clamp.h"

#include "ops/cast.h"
#include "ops/elementwise_internal.h"
#include "ops/maximum.h"

namespace espalier {
Tensors Clamp::backward(const BackwardContext& context) const {
  return {apply_one(ClampBackward(bounds_), context.gradient(0), context.input(0))};
}

// Linear in g; constant in x but at the bounds.
Tensors ClampBackward::backward(const BackwardContext& context) const {
  return {
      context.wants(0) ? apply_one(ClampBackward(bounds_), context.gradient(0), context.input(1)) : Tensor(),
      Tensor()};
}

Tensors ClampBetween::backward(const BackwardContext& context) const {
  const Tensor &x = context.input(0), &low = context.input(1), &high = context.input(2);
  const auto share = [](const Tensor& gradient, const Tensor& a, const Tensor& b) {
    return apply_one(MaximumBackward(), gradient, a, b);
  };
  const Tensor raised = apply_one(Maximum(), x, low);
  const Tensor raised_gradient = share(context.gradient(0), high, raised);
  return {input_gradient(context, 0, [&] { return share(raised_gradient, x, low); }),
          input_gradient(context, 1, [&] { return share(raised_gradient, low, x); }),
          input_gradient(context, 2, [&] { return share(context.gradient(0), raised, high); })};
}

Tensor clamp(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high) {
  check_defined(Clamp::kName, x);
  if (!low && !high) throw ValueError(Clamp::kName, "neither a low nor a high bound for " + describe(x));
  Tensor promoted = x;
  for (const auto& bound : {low, high}) {
    if (bound) promoted = cast(promoted, result_type(Clamp::kName, promoted, *bound));
  }
  return apply_one(Clamp({low, high}), promoted);
}

Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high) {
  check_defined(Clamp::kName, x);
  if (!low.defined() && !high.defined())
    throw ValueError(Clamp::kName, "neither a low nor a high bound for " + describe(x));
  if (!high.defined()) return maximum(x, low);
  if (!low.defined()) return minimum(x, high);
  const Dtype dtype = result_type(Clamp::kName, promoted(Clamp::kName, x, low).first, high);
  return apply_one(ClampBetween(), cast(x, dtype), cast(low, dtype), cast(high, dtype));
}

}  // namespace espalier
