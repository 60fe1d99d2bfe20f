// Reading the first lanes of a vector, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_MASKED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_MASKED_INL_H_
#undef ESPALIER_MASKED_INL_H_
#else
#define ESPALIER_MASKED_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// The lanes of `p` that `first`, a mask made by FirstN, names, and 0 in the others; nothing past them is
/// touched, and `p` may have any alignment. Highway's MaskedLoad promises neither: below AVX2 it loads a
/// whole aligned vector.
template <class M, class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> load_first(M first, D d, const hwy::HWY_NAMESPACE::TFromD<D>* p) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(first, d, p);
#else
  alignas(64) hn::TFromD<D> lanes[hn::MaxLanes(D())] = {};
  const size_t count = hn::CountTrue(d, first);
  for (size_t i = 0; i < count; ++i) lanes[i] = p[i];
  return hn::Load(d, lanes);
#endif
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
