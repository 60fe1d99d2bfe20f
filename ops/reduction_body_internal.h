#pragma once

#include <array>
#include <cstdint>

#include "core/tensor.h"
#include "ops/elementwise_internal.h"
#include "ops/reduction.h"
#include "ops/reduction_loop_internal.h"

namespace espalier {

/// Neighbours that go into one partial result in C before it joins a Total: enough to hide the cost of adding
/// up a vector's lanes. Spread over 4 vectors, they are 64 additions to each lane with AVX-512 (256 with
/// SSE4), which bounds the rounding error of a sum of floats, however long, by (64 + 6) 2^-24 sum |x|.
inline constexpr int64_t kReductionBlock = 4096;

/// A reducer (ops/reduction-inl.h) as the loops of ops/reduction_body.cc see it: elements are read in E,
/// combined in C and collected in Totals. Its functions get `reducer` as their first argument.
template <class C, class E, class Total>
struct ReductionBody {
  const void* reducer;
  C identity;
  /// `n` neighbours in one.
  C (*block)(const void*, const E* data, int64_t n, C centre);
  /// Combines a row, or four, into `n` sums; `centres` of the columns, or null.
  void (*row)(const void*, C* sums, const E* row, const C* centres, int64_t n);
  void (*four_rows)(const void*, C* sums, const std::array<const E*, 4>& rows, const C* centres, int64_t n);
  /// Combines others, or sums, into `n` totals.
  void (*combine)(const void*, Total* totals, const Total* others, int64_t n);
  void (*combine_sums)(const void*, Total* totals, const C* sums, int64_t n);
  void (*finish)(const void*, Total* totals, int64_t n);
};

/// Memory for partial results that a reduction of these axes, sorted, needs, whatever it computes: at most a
/// double for each 64 elements.
size_t partial_bytes(const Tensor& input, const Dims& axes);

/// The scratch memory of a kernel whose only memory are those.
inline size_t scratch_of_reduction(const Reduction& op, Inputs inputs, std::span<const Tensor>) {
  return partial_bytes(inputs[0], op.reduced_axes(inputs[0].rank()));
}

/// Reduces `axes`, sorted, of `input` into `output`, which is row-major. `partial`, aligned to 64, has
/// partial_bytes(). `centres`, if any, has the output's shape, row-major, and type C. Compiled for the types
/// listed in ops/reduction_body.cc.
template <class C, class E, class Total>
void run_reduction_body(const ReductionBody<C, E, Total>& body, const Tensor& output, const Tensor& input,
                        const Dims& axes, void* partial, const Tensor& centres);

}  // namespace espalier
