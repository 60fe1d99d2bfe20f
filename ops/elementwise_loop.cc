// How elements are walked over and converted, apart from elementwise.cc, which decides once a call and is
// optimised little.

#include <algorithm>

#include "ops/elementwise_internal.h"

namespace espalier {
namespace {

/// Joins `inner` to `outer` where every operand walks through both as through one axis.
template <class Axis>
bool joins(const Axis& outer, const Axis& inner, int operands) {
  for (int o = 0; o < operands; ++o) {
    const auto i = static_cast<size_t>(o);
    if (outer.strides[i] != inner.size * inner.strides[i]) return false;
  }
  return true;
}

}  // namespace

template <int capacity>
BasicElementwiseLoop<capacity>::BasicElementwiseLoop(const Tensor& output, Inputs inputs)
    : operands(static_cast<int>(inputs.size()) + 1), elements(output.numel()) {
  const Shape& shape = output.shape();
  std::array<Strides, capacity> strides;
  strides[0] = output.strides();
  data[0] = static_cast<char*>(output.raw_data());
  dtypes[0] = output.dtype();
  for (size_t i = 0; i < inputs.size(); ++i) {
    strides[i + 1] = broadcast_strides(inputs[i].shape(), inputs[i].strides(), shape);
    data[i + 1] = static_cast<char*>(inputs[i].raw_data());
    dtypes[i + 1] = inputs[i].dtype();
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 1) continue;
    Axis added{shape[axis], {}};
    for (int o = 0; o < operands; ++o)
      added.strides[static_cast<size_t>(o)] = strides[static_cast<size_t>(o)][axis];
    int at = rank++;
    for (; at > 0 && axes[static_cast<size_t>(at - 1)].strides[0] < added.strides[0]; --at) {
      axes[static_cast<size_t>(at)] = axes[static_cast<size_t>(at - 1)];
    }
    axes[static_cast<size_t>(at)] = added;
  }
  if (rank == 0) {
    axes[0] = {1, {}};
    rank = 1;
    return;
  }
  int last = 0;
  for (int axis = 1; axis < rank; ++axis) {
    Axis& outer = axes[static_cast<size_t>(last)];
    const Axis inner = axes[static_cast<size_t>(axis)];
    if (joins(outer, inner, operands)) {
      outer = {outer.size * inner.size, inner.strides};
    } else {
      axes[static_cast<size_t>(++last)] = inner;
    }
  }
  rank = last + 1;
}

template struct BasicElementwiseLoop<kMaxOperands>;
template struct BasicElementwiseLoop<kMaxChainOperands>;

namespace {

/// Whether T converts from and to C in bulk.
template <class T, class C>
constexpr bool kConvertsInBulk = std::is_same_v<C, float> && !std::is_arithmetic_v<T>;

}  // namespace

template <class C>
void load_tile(C* tile, Dtype dtype, const char* data, int64_t stride, int64_t n) {
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = reinterpret_cast<const T*>(data);
    const auto convert = [](T value) {
      if constexpr (std::is_arithmetic_v<T>)
        return static_cast<C>(value);
      else
        return static_cast<C>(static_cast<float>(value));
    };
    if (stride == 0) {
      std::fill_n(tile, n, convert(*from));
    } else if (stride == 1) {
      if constexpr (kConvertsInBulk<T, C>)
        espalier::convert(from, tile, n);
      else
        for (int64_t i = 0; i < n; ++i) tile[i] = convert(from[i]);
    } else {
      for (int64_t i = 0; i < n; ++i) tile[i] = convert(from[i * stride]);
    }
  });
}

template <class C>
void store_tile(const C* tile, Dtype dtype, char* data, int64_t stride, int64_t n) {
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = reinterpret_cast<T*>(data);
    const auto convert = [](C value) {
      if constexpr (std::is_same_v<T, bool>)
        return value != C{0};
      else if constexpr (std::is_arithmetic_v<T>)
        return static_cast<T>(value);
      else
        return T(static_cast<float>(value));
    };
    if constexpr (kConvertsInBulk<T, C>) {
      if (stride == 1) return espalier::convert(tile, to, n);
    }
    for (int64_t i = 0; i < n; ++i) to[i * stride] = convert(tile[i]);
  });
}

// NOLINTBEGIN(bugprone-macro-parentheses): C is a type
#define ESPALIER_TILES(C)                                               \
  template void load_tile<C>(C*, Dtype, const char*, int64_t, int64_t); \
  template void store_tile<C>(const C*, Dtype, char*, int64_t, int64_t)
ESPALIER_TILES(float);
ESPALIER_TILES(double);
ESPALIER_TILES(int32_t);
ESPALIER_TILES(int64_t);
#undef ESPALIER_TILES
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace espalier
