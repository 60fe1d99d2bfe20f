#pragma once

#include <string_view>
#include <utility>

#include "core/scalar.h"
#include "core/tensor.h"

namespace espalier {

/// The type in which an operation on both computes, by PyTorch's rules (torch.result_type): tensors with axes
/// decide; one without axes, and a number below it, changes the outcome only where it is of a higher kind
/// (bool, integer, floating).
ESPALIER_API Dtype result_type(std::string_view where, const Tensor& a, const Tensor& b);
ESPALIER_API Dtype result_type(std::string_view where, const Tensor& a, Scalar b);

/// Both operands converted to their result type; the number as a tensor without axes on the device of `a`.
ESPALIER_API std::pair<Tensor, Tensor> promoted(std::string_view where, const Tensor& a, const Tensor& b);
ESPALIER_API std::pair<Tensor, Tensor> promoted(std::string_view where, const Tensor& a, Scalar b);

/// `a` itself where it is floating, else converted to f32: for functions that have no meaning on integers.
/// Throws TypeError for u16, u32 and u64.
ESPALIER_API Tensor promoted_to_floating(std::string_view where, const Tensor& a);

/// The type in which elements of a floating type add up: f64 for f64, f32 for the others.
inline Dtype accumulation_type(Dtype floating) noexcept {
  return floating == Dtype::f64 ? Dtype::f64 : Dtype::f32;
}

}  // namespace espalier
