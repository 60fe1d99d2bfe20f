#include "ops/promotion.h"

#include <string>

#include "core/operation.h"
#include "ops/cast.h"

namespace espalier {
namespace {

/// What `weak` (no axes, or a number) makes of the type of a stronger operand.
Dtype meet(std::string_view where, Dtype strong, Dtype weak) {
  if (is_floating(strong)) return strong;
  if (strong == Dtype::boolean || is_floating(weak)) return promote(strong, weak, where);
  return strong;
}

Tensor converted(const Tensor& tensor, Dtype dtype) {
  return tensor.dtype() == dtype ? tensor : cast(tensor, dtype);
}

}  // namespace

Dtype result_type(std::string_view where, const Tensor& a, const Tensor& b) {
  const Tensor operands[] = {a, b};
  check_defined(where, operands);
  if ((a.rank() == 0) == (b.rank() == 0)) return promote(a.dtype(), b.dtype(), where);
  return a.rank() > 0 ? meet(where, a.dtype(), b.dtype()) : meet(where, b.dtype(), a.dtype());
}

Dtype result_type(std::string_view where, const Tensor& a, Scalar b) {
  check_defined(where, a);
  return meet(where, a.dtype(), b.dtype());
}

std::pair<Tensor, Tensor> promoted(std::string_view where, const Tensor& a, const Tensor& b) {
  if (a.defined() && b.defined() && a.dtype() == b.dtype()) return {a, b};
  const Dtype dtype = result_type(where, a, b);
  return {converted(a, dtype), converted(b, dtype)};
}

std::pair<Tensor, Tensor> promoted(std::string_view where, const Tensor& a, Scalar b) {
  const Dtype dtype = result_type(where, a, b);
  return {converted(a, dtype), full({}, b, dtype, a.device())};
}

Tensor promoted_to_floating(std::string_view where, const Tensor& a) {
  check_defined(where, a);
  if (a.dtype() >= Dtype::u16) {
    throw TypeError(where,
                    "operand " + describe(a) + ": u16, u32 and u64 only load and convert: cast it first");
  }
  return is_floating(a.dtype()) ? a : cast(a, Dtype::f32);
}

}  // namespace espalier
