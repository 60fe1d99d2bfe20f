// How the sums of products of 8-bit integers become results, compiled once per instruction set: include it
// inside a file set up as core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_INT8_FINISHER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_INT8_FINISHER_INL_H_
#undef ESPALIER_INT8_FINISHER_INL_H_
#else
#define ESPALIER_INT8_FINISHER_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "hwy/highway.h"
#include "ops/int8_tiles_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Int8Sums = hn::CappedTag<int32_t, kInt8Block>;
using Int8Sum = hn::Vec<Int8Sums>;
constexpr auto kInt8Lanes = static_cast<int64_t>(hn::MaxLanes(Int8Sums()));
constexpr int64_t kInt8Vectors = kInt8Block / kInt8Lanes;  // of a block

// Near this, 1.5 * 2^23, the numbers of f32 are integers: a sum with it is rounded, ties to even, and its
// last bits, less the rounder's own, are the integer.
constexpr float kInt8Rounder = 0x1.8p23f;
constexpr int32_t kInt8RounderBits = 0x4b400000;

/// Turns sums into results, for one block of output channels. It has all that is read for it, since a store
/// of bytes could, for what the compiler knows, change everything that is not a local variable.
class Int8Finisher {
 public:
  HWY_INLINE Int8Finisher(const Int8Tiles& p, int64_t block)
      : outputs_(p.outputs),
        channel_(block * kInt8Block),
        left_(std::min(kInt8Block, p.outputs - channel_)),
        residual_(p.residual),
        y_(p.y),
        bytes_(p.bytes) {
    const Numbers df;
    const Int8Finish& f = *p.finish;
    for (int64_t v = 0; v < kInt8Vectors; ++v) {
      const auto at = static_cast<size_t>(channel_ + v * kInt8Lanes);
      multiplier_[v] = hn::LoadU(df, f.multiplier + at);
      shift_[v] = hn::LoadU(df, f.shift + at);
    }
    low_ = hn::Set(df, f.low);
    high_ = hn::Set(df, f.high);
    zero_point_ = hn::Set(Int8Sums(), f.zero_point - kInt8RounderBits);
    residual_multiplier_ = hn::Set(df, f.residual_multiplier);
    residual_zero_point_ = hn::Set(Int8Sums(), f.residual_zero_point);
  }

  /// The results of a pixel, from its sums.
  HWY_INLINE void operator()(const Int8Sum* sums, int64_t pixel) const {
    write(pixel, 1, [&](int64_t, int64_t vector) HWY_ATTR { return sums[vector]; });
  }
  /// The results of `pixels` neighbours from `pixel` on, from their sums in memory, aligned.
  HWY_INLINE void operator()(const int32_t* sums, int64_t pixel, int64_t pixels) const {
    write(pixel, pixels, [&](int64_t i, int64_t vector) HWY_ATTR {
      return hn::Load(Int8Sums(), sums + i * kInt8Block + vector * kInt8Lanes);
    });
  }

 private:
  using Numbers = hn::RebindToFloat<Int8Sums>;
  using Number = hn::Vec<Numbers>;

  /// `sums(i, vector)` are those of the pixel i behind `pixel`.
  template <class Sums>
  HWY_INLINE void write(int64_t pixel, int64_t pixels, const Sums& sums) const {
    const int64_t place = pixel * outputs_ + channel_;
    if (bytes_)
      write_to(static_cast<uint8_t*>(y_) + place, place, pixels, sums);
    else
      write_to(static_cast<float*>(y_) + place, place, pixels, sums);
  }

  template <class T, class Sums>
  HWY_INLINE void write_to(T* y, int64_t place, int64_t pixels, const Sums& sums) const {
    if (left_ < kInt8Block)
      write_some(y, place, pixels, sums);
    else if (residual_)
      write_all<true>(y, place, pixels, sums);
    else
      write_all<false>(y, place, pixels, sums);
  }

  template <bool kResidual, class T, class Sums>
  HWY_INLINE void write_all(T* y, int64_t place, int64_t pixels, const Sums& sums) const {
    for (int64_t i = 0; i < pixels; ++i, y += outputs_, place += outputs_) {
      for (int64_t v = 0; v < kInt8Vectors; ++v) {
        const uint8_t* const residual = kResidual ? residual_ + place + v * kInt8Lanes : nullptr;
        put<kResidual>(v, sums(i, v), residual, y + v * kInt8Lanes);
      }
    }
  }

  /// Of a block that is not full.
  template <class T, class Sums>
  HWY_INLINE void write_some(T* y, int64_t place, int64_t pixels, const Sums& sums) const {
    const auto left = static_cast<size_t>(left_);
    for (int64_t i = 0; i < pixels; ++i, y += outputs_, place += outputs_) {
      HWY_ALIGN uint8_t residual[kInt8Block] = {};
      HWY_ALIGN T results[kInt8Block];
      if (residual_) std::memcpy(residual, residual_ + place, left);
      for (int64_t v = 0; v < kInt8Vectors; ++v) {
        if (residual_)
          put<true>(v, sums(i, v), residual + v * kInt8Lanes, results + v * kInt8Lanes);
        else
          put<false>(v, sums(i, v), residual, results + v * kInt8Lanes);
      }
      std::memcpy(y, results, left * sizeof(T));
    }
  }

  /// `residual` is read where kResidual says so.
  template <bool kResidual, class T>
  HWY_INLINE void put(int64_t v, Int8Sum sum, const uint8_t* residual, T* to) const {
    const Int8Sums d;
    const Numbers df;
    const hn::Rebind<uint8_t, Int8Sums> d8;
    Number y = hn::Add(hn::Mul(hn::ConvertTo(df, sum), multiplier_[v]), shift_[v]);
    if constexpr (kResidual) {
      const Int8Sum r = hn::Sub(hn::PromoteTo(d, hn::LoadU(d8, residual)), residual_zero_point_);
      y = hn::Add(y, hn::Mul(hn::ConvertTo(df, r), residual_multiplier_));
    }
    y = hn::Min(hn::Max(y, low_), high_);  // no larger than 255 where it becomes a byte
    if constexpr (sizeof(T) == 1) {
      const Int8Sum q = hn::Add(hn::BitCast(d, hn::Add(y, hn::Set(df, kInt8Rounder))), zero_point_);
      hn::StoreU(hn::TruncateTo(d8, hn::BitCast(hn::RebindToUnsigned<Int8Sums>(), q)), d8, to);
    } else {
      hn::StoreU(y, df, to);
    }
  }

  int64_t outputs_, channel_, left_;
  const uint8_t* residual_;
  void* y_;
  bool bytes_;
  Number multiplier_[kInt8Vectors], shift_[kInt8Vectors], low_, high_, residual_multiplier_;
  Int8Sum zero_point_, residual_zero_point_;
};

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
