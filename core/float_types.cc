#include "core/float_types.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/float_types.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"  // before highway.h
#include "hwy/highway.h"
// clang-format on

// Highway serves only to compile these loops once per target: the compiler vectorises them by itself.
HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

template <typename From, typename To>
HWY_INLINE void convert_all(const From* HWY_RESTRICT from, To* HWY_RESTRICT to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]);
}

void from_bfloat16(const bfloat16* from, float* to, int64_t count) {
  convert_all(from, to, count);
}
void from_float16(const float16* from, float* to, int64_t count) {
  convert_all(from, to, count);
}
void from_e4m3(const float8_e4m3* from, float* to, int64_t count) {
  convert_all(from, to, count);
}
void from_e5m2(const float8_e5m2* from, float* to, int64_t count) {
  convert_all(from, to, count);
}
void to_bfloat16(const float* from, bfloat16* to, int64_t count) {
  convert_all(from, to, count);
}
void to_float16(const float* from, float16* to, int64_t count) {
  convert_all(from, to, count);
}
void to_e4m3(const float* from, float8_e4m3* to, int64_t count) {
  convert_all(from, to, count);
}
void to_e5m2(const float* from, float8_e5m2* to, int64_t count) {
  convert_all(from, to, count);
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

HWY_EXPORT(from_bfloat16);
HWY_EXPORT(from_float16);
HWY_EXPORT(from_e4m3);
HWY_EXPORT(from_e5m2);
HWY_EXPORT(to_bfloat16);
HWY_EXPORT(to_float16);
HWY_EXPORT(to_e4m3);
HWY_EXPORT(to_e5m2);

}  // namespace

void convert(const bfloat16* from, float* to, int64_t count) {
  ESPALIER_DISPATCH(from_bfloat16)(from, to, count);
}
void convert(const float16* from, float* to, int64_t count) {
  ESPALIER_DISPATCH(from_float16)(from, to, count);
}
void convert(const float8_e4m3* from, float* to, int64_t count) {
  ESPALIER_DISPATCH(from_e4m3)(from, to, count);
}
void convert(const float8_e5m2* from, float* to, int64_t count) {
  ESPALIER_DISPATCH(from_e5m2)(from, to, count);
}
void convert(const float* from, bfloat16* to, int64_t count) {
  ESPALIER_DISPATCH(to_bfloat16)(from, to, count);
}
void convert(const float* from, float16* to, int64_t count) {
  ESPALIER_DISPATCH(to_float16)(from, to, count);
}
void convert(const float* from, float8_e4m3* to, int64_t count) {
  ESPALIER_DISPATCH(to_e4m3)(from, to, count);
}
void convert(const float* from, float8_e5m2* to, int64_t count) {
  ESPALIER_DISPATCH(to_e5m2)(from, to, count);
}

}  // namespace espalier
#endif
