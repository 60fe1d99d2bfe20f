#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "core/door.h"
#include "ops/elementwise.h"
#include "ops/promotion.h"
#include "ops/sum.h"

namespace espalier {

namespace detail {
/// `x` in a type that Op computes.
template <class Op>
Tensor admitted(const Tensor& x) {
  if constexpr (Op::kTypes == ElementTypes::floating)
    return promoted_to_floating(Op::kName, x);
  else
    return x;
}
}  // namespace detail

/// Runs an elementwise operation without attributes on its operands brought to one type, of which one may be
/// a number; integers become f32 where it needs floating ones.
template <class Op, class A, class B>
Tensor apply_elementwise(const A& a, const B& b) {
  if constexpr (std::is_same_v<A, Scalar>) {
    const auto [y, x] = promoted(Op::kName, b, a);
    return apply_one(Op(), detail::admitted<Op>(x), detail::admitted<Op>(y));
  } else {
    const auto [x, y] = promoted(Op::kName, a, b);
    return apply_one(Op(), detail::admitted<Op>(x), detail::admitted<Op>(y));
  }
}
template <class Op>
Tensor apply_elementwise(const Tensor& x) {
  return apply_one(Op(), detail::admitted<Op>(x));
}

/// The gradient of input `i`, which `make` computes in the output's shape, summed over the axes along which
/// the input was broadcast; undefined, and not computed, where nobody wants it.
template <class Make>
Tensor input_gradient(const BackwardContext& context, int i, Make&& make) {
  return context.wants(i) ? sum_to(make(), context.input_shape(i)) : Tensor();
}

/// Operands of an elementwise operation: the output and up to three inputs.
inline constexpr int kMaxOperands = 4;
/// Operands of a chain of them: ops/fused_elementwise.h bounds its inputs and results.
inline constexpr int kMaxChainOperands = 12;

/// An elementwise problem of up to `capacity` operands brought to a few long loops: axes sorted by the
/// output's strides, joined where all operands allow it. Operand 0 is the output.
template <int capacity>
struct BasicElementwiseLoop {
  struct Axis {
    int64_t size;
    std::array<int64_t, capacity> strides;
  };
  /// Stretches of the innermost axis that follow each other along the next axis: where the operands of the
  /// first one start.
  struct Rows {
    std::array<char*, capacity> data;
    int64_t size;   ///< elements in each
    int64_t count;  ///< how many there are; step() says how far apart
  };
  /// A stretch of the innermost axis: where each operand starts.
  struct Row {
    std::array<char*, capacity> data;
    int64_t size;
  };

  std::array<Axis, kMaxRank> axes;  ///< outermost first; there is always an innermost one
  int rank = 0;
  int operands = 0;
  std::array<char*, capacity> data{};
  std::array<Dtype, capacity> dtypes{};
  int64_t elements = 0;

  BasicElementwiseLoop(const Tensor& output, Inputs inputs);

  const Axis& inner() const noexcept { return axes[static_cast<size_t>(rank - 1)]; }
  /// Bytes from one stretch of the innermost axis to the next, in an operand.
  int64_t step(int operand) const noexcept {
    const auto o = static_cast<size_t>(operand);
    return rank < 2
               ? 0
               : axes[static_cast<size_t>(rank - 2)].strides[o] * static_cast<int64_t>(size_of(dtypes[o]));
  }
};

using ElementwiseLoop = BasicElementwiseLoop<kMaxOperands>;
using ElementwiseRows = ElementwiseLoop::Rows;
using ElementwiseRow = ElementwiseLoop::Row;

/// Calls `body(rows)` for the stretches that make up the elements [first, last) in the loop's order.
template <int capacity, class Body>
void for_each_rows(const BasicElementwiseLoop<capacity>& loop, int64_t first, int64_t last, Body&& body) {
  const int64_t width = loop.inner().size;
  while (first < last) {
    int64_t rest = first / width;
    const int64_t column = first % width;
    typename BasicElementwiseLoop<capacity>::Rows rows{loop.data, std::min(width - column, last - first), 1};
    if (rows.size == width && loop.rank > 1) {
      const int64_t height = loop.axes[static_cast<size_t>(loop.rank - 2)].size;
      rows.count = std::min((last - first) / width, height - rest % height);
    }
    for (int operand = 0; operand < loop.operands; ++operand) {
      const auto o = static_cast<size_t>(operand);
      rows.data[o] += column * loop.inner().strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
    }
    for (int axis = loop.rank - 2; axis >= 0; --axis) {
      const auto& outer = loop.axes[static_cast<size_t>(axis)];
      const int64_t index = rest % outer.size;
      rest /= outer.size;
      for (int operand = 0; operand < loop.operands; ++operand) {
        const auto o = static_cast<size_t>(operand);
        rows.data[o] += index * outer.strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
      }
    }
    body(std::as_const(rows));
    first += rows.size * rows.count;
  }
}

/// The same one by one: calls `body(row)`.
template <class Body>
void for_each_row(const ElementwiseLoop& loop, int64_t first, int64_t last, Body&& body) {
  for_each_rows(loop, first, last, [&](const ElementwiseRows& rows) {
    ElementwiseRow row{rows.data, rows.size};
    for (int64_t i = 0; i < rows.count; ++i) {
      body(std::as_const(row));
      for (int operand = 0; operand < loop.operands; ++operand) {
        row.data[static_cast<size_t>(operand)] += loop.step(operand);
      }
    }
  });
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

/// A functor on vectors, as the loops of ops/elementwise_body.cc see it.
struct ElementwiseBody {
  /// The widest vectors there are, in bytes.
  static constexpr size_t kVectorBytes = 64;
  static constexpr size_t kMaxInputs = kMaxOperands - 1;
  /// Where the first element of each input is.
  using Places = std::array<const char*, kMaxInputs>;
  /// For each input -1 where its elements are neighbours, 0 where those of one vector are always read.
  using Walks = std::array<int64_t, kMaxInputs>;
  using Apply = void (*)(const void* functor, char* out, const Places& in, const Walks& walks, int64_t n);

  const void* functor;
  size_t functor_bytes;                      ///< which can be copied as they are
  Apply apply;                               ///< computes `n` elements, neighbours at `out`
  std::array<Dtype, kMaxOperands> operands;  ///< the types that it reads and writes, the output's first
  int64_t lanes;                             ///< elements of a vector
};

/// Computes `output` of `inputs`, whatever their types (unsigned numbers of the body meet elements of their
/// size, whatever these mean) and strides. `work` is the cost of one element in simple operations.
ESPALIER_API void run_elementwise_body(const ElementwiseBody& body, const Tensor& output, Inputs inputs,
                                       int64_t work);

/// A body that owns its functor.
struct OwnedElementwiseBody {
  static constexpr size_t kFunctorBytes = 32;
  ElementwiseBody body;  ///< with no functor of its own: see apply()
  int64_t work;          ///< the cost of one element in simple operations
  std::array<char, kFunctorBytes> functor;

  void apply(char* out, const ElementwiseBody::Places& in, const ElementwiseBody::Walks& walks,
             int64_t n) const {
    body.apply(functor.data(), out, in, walks, n);
  }
};

/// What an elementwise kernel (Kernel::elementwise) would run for tensors of these types, whose elements are
/// not touched.
OwnedElementwiseBody record_elementwise_body(const Kernel& kernel, const Operation& operation, Inputs inputs,
                                             Outputs outputs);

/// Whether elements of `dtype` can be used as a body's operands of type `operand` where they lie: they are of
/// that type, or only moved and of its size.
bool is_operand(Dtype dtype, Dtype operand) noexcept;
/// Reads `n` elements, `stride` elements apart, as a body's operand of type `operand`.
void gather_operand(char* tile, Dtype operand, Dtype dtype, const char* data, int64_t stride, int64_t n);
/// Writes `n` elements, `stride` elements apart, from a body's operand of type `operand`.
void scatter_operand(const char* tile, Dtype operand, Dtype dtype, char* data, int64_t stride, int64_t n);

}  // namespace espalier
