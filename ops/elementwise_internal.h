#pragma once

#include <array>
#include <cstdint>

#include "core/operation.h"

namespace espalier {

/// The shape rule of operations that work element by element: the inputs broadcast, and the output lies in
/// memory as the first input of full shape does when that is dense (so channels-last stays channels-last),
/// else row-major. All inputs must have one type; throws TypeError otherwise.
OutputSpec elementwise_spec(std::string_view name, Inputs inputs);
OutputSpec elementwise_spec(std::string_view name, Inputs inputs, Dtype output);

/// Every axis of every input that is not broadcast shrinks with the output's.
std::vector<AxisTie> elementwise_ties(Inputs inputs);

/// Operands of an elementwise loop: the output and up to three inputs.
inline constexpr int kMaxOperands = 4;

/// An elementwise problem brought to a few long loops: axes sorted by the output's strides, joined where all
/// operands allow it. Operand 0 is the output.
struct ElementwiseLoop {
  struct Axis {
    int64_t size;
    std::array<int64_t, kMaxOperands> strides;
  };
  std::array<Axis, kMaxRank> axes;  ///< outermost first; there is always an innermost one
  int rank = 0;
  int operands = 0;
  std::array<char*, kMaxOperands> data{};
  std::array<Dtype, kMaxOperands> dtypes{};
  int64_t elements = 0;

  ElementwiseLoop(const Tensor& output, Inputs inputs);

  const Axis& inner() const noexcept { return axes[static_cast<size_t>(rank - 1)]; }
};

/// A stretch of the innermost axis: where each operand starts.
struct ElementwiseRow {
  std::array<char*, kMaxOperands> data;
  int64_t size;
};

/// Calls `body(row)` for the stretches that make up the elements [first, last) in the loop's order.
template <class Body>
void for_each_row(const ElementwiseLoop& loop, int64_t first, int64_t last, Body&& body) {
  const int64_t width = loop.inner().size;
  while (first < last) {
    int64_t rest = first / width;
    const int64_t column = first % width;
    ElementwiseRow row{loop.data, std::min(width - column, last - first)};
    for (int operand = 0; operand < loop.operands; ++operand) {
      const auto o = static_cast<size_t>(operand);
      row.data[o] += column * loop.inner().strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
    }
    for (int axis = loop.rank - 2; axis >= 0; --axis) {
      const ElementwiseLoop::Axis& outer = loop.axes[static_cast<size_t>(axis)];
      const int64_t index = rest % outer.size;
      rest /= outer.size;
      for (int operand = 0; operand < loop.operands; ++operand) {
        const auto o = static_cast<size_t>(operand);
        row.data[o] += index * outer.strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
      }
    }
    body(row);
    first += row.size;
  }
}

/// Elements that are converted and computed at a time: operands of one tile (4 * 256 doubles) stay in a 32
/// KiB first-level cache.
inline constexpr int64_t kTile = 256;

/// Reads `n` elements, `stride` elements apart, converted to C (float, double, int32_t or int64_t).
template <class C>
void load_tile(C* tile, Dtype dtype, const char* data, int64_t stride, int64_t n);
/// Writes `n` elements, `stride` elements apart, converted from C; bool is whether the value is not zero.
template <class C>
void store_tile(const C* tile, Dtype dtype, char* data, int64_t stride, int64_t n);

/// Calls `f` with the tag of the type in which elements of `dtype` are computed: float for the narrow
/// floating types, int32_t for bool and the integers up to 32 bits (sums and products wrap to the narrow type
/// as they should), else the type itself.
template <class F>
void visit_compute_type(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::f64:
      return f(TypeTag<double>{});
    case Dtype::i64:
      return f(TypeTag<int64_t>{});
    case Dtype::f32:
    case Dtype::f16:
    case Dtype::bf16:
    case Dtype::f8_e4m3:
    case Dtype::f8_e5m2:
      return f(TypeTag<float>{});
    default:
      return f(TypeTag<int32_t>{});
  }
}

/// The reason to decline, or null, of kernels that take every type but those for files only.
inline const char* declines_file_types(Dtype dtype) {
  return dtype >= Dtype::u16 ? "u16, u32 and u64 load and convert only" : nullptr;
}

}  // namespace espalier
