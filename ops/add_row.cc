#include "ops/indexed_elements_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/add_row.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_ATTR void add_elements_of(T* to, const T* from, int64_t size) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes)
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
  if (i == size) return;
  const auto rest = hn::FirstN(d, static_cast<size_t>(size - i));
  hn::BlendedStore(hn::Add(load_first(rest, d, to + i), load_first(rest, d, from + i)), rest, d, to + i);
}

void add_f32(float* to, const float* from, int64_t size) {
  add_elements_of(to, from, size);
}
void add_f64(double* to, const double* from, int64_t size) {
  add_elements_of(to, from, size);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {
HWY_EXPORT(add_f32);
HWY_EXPORT(add_f64);
}  // namespace

void add_row(float* to, const float* from, int64_t size) {
  ESPALIER_DISPATCH(add_f32)(to, from, size);
}
void add_row(double* to, const double* from, int64_t size) {
  ESPALIER_DISPATCH(add_f64)(to, from, size);
}

}  // namespace espalier
#endif
