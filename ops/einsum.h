#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "core/door.h"

namespace espalier {

/// Sums of products by Einstein's convention: each operand's axes are named by letters, and the result has
/// the axes named after `->`, summed over all others: "ij,jk->ik" is a matrix product, "bhqd,bhkd->bhqk" the
/// scores of attention, "ii->" a trace.
///
/// - Letters are a-z and A-Z, blanks are passed over. A letter twice in one operand takes the diagonal.
/// - "..." stands for any further axes, which broadcast, aligned at the last one.
/// - An axis of size 1 goes with any size of the same letter.
/// - Without "->" the result has "..." and the letters that occur once, capitals first, in alphabetical
/// order.
///   An ellipsis that `->` leaves out is summed over.
///
/// Operands are multiplied from left to right, each as one batched matmul of permuted and reshaped views (an
/// elementwise product where nothing is summed), after summing what only one of them has. Throws ValueError
/// for an equation that is malformed or does not have one term an operand, ShapeError where axes do not fit
/// it, TypeError for operands of several types and what matmul and sum refuse.
ESPALIER_API Tensor einsum(std::string_view equation, std::span<const Tensor> operands);
inline Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands) {
  return einsum(equation, std::span<const Tensor>(operands.begin(), operands.size()));
}

/// The sum of products over pairs of axes, `a_axes[i]` of `a` with `b_axes[i]` of `b` (negative: from the
/// end); the result has the other axes of `a` and then those of `b`. Throws ShapeError where the axes do not
/// pair up, TypeError for two types.
ESPALIER_API Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& a_axes, const Dims& b_axes);
/// The same over the last `axes` axes of `a` and the first of `b`. Throws ShapeError where there are fewer.
ESPALIER_API Tensor tensordot(const Tensor& a, const Tensor& b, int axes = 2);

}  // namespace espalier
