// Winograd's minimal filtering for 3 x 3 filters: Lavin and Gray, "Fast algorithms for convolutional neural
// networks" (2015). Compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h".
//
// With the paper's matrices, a tile of kOut x kOut outputs is A^T [(G g G^T) * (B^T d B)] A, where d are the
// kIn x kIn inputs under it, g is the filter, and * multiplies element by element; sums over channels are
// taken before A. The gradient of the filter is the adjoint, G^T [(B^T d B) * (A dy A^T)] G, summed over
// tiles.

#if defined(ESPALIER_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_WINOGRAD_INL_H_
#undef ESPALIER_WINOGRAD_INL_H_
#else
#define ESPALIER_WINOGRAD_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

using WinogradTag = hwy::HWY_NAMESPACE::ScalableTag<float>;
using WinogradVector = hwy::HWY_NAMESPACE::Vec<WinogradTag>;

HWY_INLINE WinogradVector times(float factor, WinogradVector x) {
  return hwy::HWY_NAMESPACE::Mul(hwy::HWY_NAMESPACE::Set(WinogradTag(), factor), x);
}
/// factor x + y
HWY_INLINE WinogradVector times_plus(float factor, WinogradVector x, WinogradVector y) {
  return hwy::HWY_NAMESPACE::MulAdd(hwy::HWY_NAMESPACE::Set(WinogradTag(), factor), x, y);
}

// The transforms are types, not functions: a pointer to a function that must be inlined cannot be passed on.

/// F(2 x 2, 3 x 3), from the points 0, 1, -1 and infinity: 16 multiplications in the place of 36.
struct WinogradOfTwo {
  static constexpr int kOut = 2, kIn = 4;
  using V = WinogradVector;

  /// B^T x
  struct Inputs {
    HWY_INLINE void operator()(const V* x, V* to) const {
      to[0] = x[0] - x[2];
      to[1] = x[1] + x[2];
      to[2] = x[2] - x[1];
      to[3] = x[1] - x[3];
    }
  };
  /// A^T x
  struct Outputs {
    HWY_INLINE void operator()(const V* x, V* to) const {
      to[0] = x[0] + x[1] + x[2];
      to[1] = x[1] - x[2] - x[3];
    }
  };
  /// A x
  struct Gradients {
    HWY_INLINE void operator()(const V* x, V* to) const {
      to[0] = x[0];
      to[1] = x[0] + x[1];
      to[2] = x[0] - x[1];
      to[3] = hwy::HWY_NAMESPACE::Neg(x[1]);
    }
  };
  /// G x
  struct Filters {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V ends = times(0.5f, x[0] + x[2]);
      to[0] = x[0];
      to[1] = times_plus(0.5f, x[1], ends);
      to[2] = times_plus(-0.5f, x[1], ends);
      to[3] = x[2];
    }
  };
  /// G^T x
  struct FilterGradients {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V even = times(0.5f, x[1] + x[2]);
      to[0] = x[0] + even;
      to[1] = times(0.5f, x[1] - x[2]);
      to[2] = even + x[3];
    }
  };
};

/// F(4 x 4, 3 x 3), from the points 0, 1, -1, 2, -2 and infinity: 36 multiplications in the place of 144.
struct WinogradOfFour {
  static constexpr int kOut = 4, kIn = 6;
  using V = WinogradVector;

  struct Inputs {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V even = times_plus(-4, x[2], x[4]), odd = times_plus(-4, x[1], x[3]);
      const V even2 = x[4] - x[2], odd2 = x[3] - x[1];
      to[0] = times_plus(4, x[0], times_plus(-5, x[2], x[4]));
      to[1] = even + odd;
      to[2] = even - odd;
      to[3] = times_plus(2, odd2, even2);
      to[4] = times_plus(-2, odd2, even2);
      to[5] = times_plus(4, x[1], times_plus(-5, x[3], x[5]));
    }
  };
  struct Outputs {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V even = x[1] + x[2], odd = x[1] - x[2], even2 = x[3] + x[4], odd2 = x[3] - x[4];
      to[0] = x[0] + even + even2;
      to[1] = times_plus(2, odd2, odd);
      to[2] = times_plus(4, even2, even);
      to[3] = times_plus(8, odd2, odd) + x[5];
    }
  };
  struct Gradients {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V even = x[0] + x[2], odd = x[1] + x[3];
      const V even2 = times_plus(4, x[2], x[0]), odd2 = times_plus(4, x[3], x[1]);
      to[0] = x[0];
      to[1] = even + odd;
      to[2] = even - odd;
      to[3] = times_plus(2, odd2, even2);
      to[4] = times_plus(-2, odd2, even2);
      to[5] = x[3];
    }
  };
  struct Filters {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V even = times(-1.0f / 6, x[0] + x[2]),
              even2 = times_plus(1.0f / 24, x[0], times(1.0f / 6, x[2]));
      to[0] = times(0.25f, x[0]);
      to[1] = times_plus(-1.0f / 6, x[1], even);
      to[2] = times_plus(1.0f / 6, x[1], even);
      to[3] = times_plus(1.0f / 12, x[1], even2);
      to[4] = times_plus(-1.0f / 12, x[1], even2);
      to[5] = x[2];
    }
  };
  struct FilterGradients {
    HWY_INLINE void operator()(const V* x, V* to) const {
      const V even = x[1] + x[2], even2 = x[3] + x[4];
      to[0] = times_plus(0.25f, x[0], times_plus(-1.0f / 6, even, times(1.0f / 24, even2)));
      to[1] = times_plus(1.0f / 6, x[2] - x[1], times(1.0f / 12, x[3] - x[4]));
      to[2] = times_plus(-1.0f / 6, even, times_plus(1.0f / 6, even2, x[5]));
    }
  };
};

/// Transforms a kFrom x kFrom tile to kTo x kTo, first along its columns, then along its rows: `load(i, j)`
/// gives what stands in row i and column j of each lane's tile, `store(i, j, v)` takes it.
template <int kFrom, int kTo, class Load, class Transform, class Store>
HWY_INLINE void transform_tile(const Load& load, const Transform& transform, const Store& store) {
  WinogradVector half[kTo][kFrom];
  for (int j = 0; j < kFrom; ++j) {
    WinogradVector from[kFrom], to[kTo];
    for (int i = 0; i < kFrom; ++i) from[i] = load(i, j);
    transform(from, to);
    for (int i = 0; i < kTo; ++i) half[i][j] = to[i];
  }
  for (int i = 0; i < kTo; ++i) {
    WinogradVector to[kTo];
    transform(half[i], to);
    for (int j = 0; j < kTo; ++j) store(i, j, to[j]);
  }
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
