// Reading and writing the first lanes of a vector, compiled once per instruction set: include it inside a
// file set up as core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_MASKED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_MASKED_INL_H_
#undef ESPALIER_MASKED_INL_H_
#else
#define ESPALIER_MASKED_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// Whether partial vectors of T have instructions that leave alone what lies past their end: below AVX2 there
/// are none, and AVX2 has them for 4 and 8 bytes only.
template <class T>
inline constexpr bool kHasMasks = HWY_ARCH_X86 && HWY_TARGET <= (sizeof(T) < 4 ? HWY_AVX3 : HWY_AVX2);

/// The lanes of `p` that `first`, a mask made by FirstN, names, and 0 in the others; nothing past them is
/// touched, and `p` may have any alignment. Highway's MaskedLoad promises neither: without such instructions
/// it loads a whole vector.
template <class M, class D, class T = hwy::HWY_NAMESPACE::TFromD<D>>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> load_first(M first, D d, const T* p) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (kHasMasks<T>) {
    return hn::MaskedLoad(first, d, p);
  } else {
    alignas(64) T lanes[hn::MaxLanes(D())] = {};
    const size_t count = hn::CountTrue(d, first);
    for (size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return hn::Load(d, lanes);
  }
}

/// Writes the lanes that `first`, a mask made by FirstN, names; nothing past them is touched.
template <class M, class D, class T = hwy::HWY_NAMESPACE::TFromD<D>>
HWY_INLINE void store_first(hwy::HWY_NAMESPACE::Vec<D> v, M first, D d, T* p) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (kHasMasks<T>) {
    hn::BlendedStore(v, first, d, p);
  } else {
    alignas(64) T lanes[hn::MaxLanes(D())];
    hn::Store(v, d, lanes);
    const size_t count = hn::CountTrue(d, first);
    for (size_t i = 0; i < count; ++i) p[i] = lanes[i];
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
