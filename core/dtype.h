#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/export.h"
#include "core/float_types.h"

namespace espalier {

/// Types of elements. u16, u32 and u64 are for files: they load and convert, nothing computes in them.
enum class Dtype : uint8_t {
  f64,
  f32,
  f16,
  bf16,
  f8_e4m3,
  f8_e5m2,
  i8,
  u8,
  i16,
  i32,
  i64,
  boolean,
  u16,
  u32,
  u64
};
inline constexpr int kDtypeCount = 15;

/// Bytes of one element.
constexpr size_t size_of(Dtype dtype) noexcept {
  constexpr uint8_t kSizes[kDtypeCount] = {8, 4, 2, 2, 1, 1, 1, 1, 2, 4, 8, 1, 2, 4, 8};
  return kSizes[static_cast<size_t>(dtype)];
}

constexpr bool is_floating(Dtype dtype) noexcept {
  return dtype <= Dtype::f8_e5m2;
}
constexpr bool is_integer(Dtype dtype) noexcept {
  return dtype > Dtype::f8_e5m2 && dtype != Dtype::boolean;
}

/// `f32`, `bool`, ...
ESPALIER_API std::string_view to_string(Dtype dtype) noexcept;

/// The type in which two types meet, by PyTorch's published rules (torch.promote_types): same kind, the wider
/// one; u8 with a signed type, the next signed type that holds both; f16 with bf16, f32; a floating type wins
/// over integers, integers over bool. Throws TypeError, on behalf of `where`, for two different types of
/// which one is an 8-bit floating type or a u16, u32 or u64.
ESPALIER_API Dtype promote(Dtype a, Dtype b, std::string_view where);

/// Carries a type as a value: a generic lambda reads it off its argument's member type.
template <class T>
struct TypeTag {
  using type = T;
};

/// Calls `f` with the TypeTag of the C++ type behind `dtype`.
template <class F>
decltype(auto) visit_dtype(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::f64:
      return f(TypeTag<double>{});
    case Dtype::f32:
      return f(TypeTag<float>{});
    case Dtype::f16:
      return f(TypeTag<float16>{});
    case Dtype::bf16:
      return f(TypeTag<bfloat16>{});
    case Dtype::f8_e4m3:
      return f(TypeTag<float8_e4m3>{});
    case Dtype::f8_e5m2:
      return f(TypeTag<float8_e5m2>{});
    case Dtype::i8:
      return f(TypeTag<int8_t>{});
    case Dtype::u8:
      return f(TypeTag<uint8_t>{});
    case Dtype::i16:
      return f(TypeTag<int16_t>{});
    case Dtype::i32:
      return f(TypeTag<int32_t>{});
    case Dtype::i64:
      return f(TypeTag<int64_t>{});
    case Dtype::boolean:
      return f(TypeTag<bool>{});
    case Dtype::u16:
      return f(TypeTag<uint16_t>{});
    case Dtype::u32:
      return f(TypeTag<uint32_t>{});
    case Dtype::u64:
      return f(TypeTag<uint64_t>{});
  }
  throw TypeError("dtype", "unknown data type");
}

namespace detail {
template <class T>
inline constexpr bool kNoDtype = false;
}  // namespace detail

/// The Dtype of a C++ type.
template <class T>
constexpr Dtype dtype_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, double>)
    return Dtype::f64;
  else if constexpr (std::is_same_v<U, float>)
    return Dtype::f32;
  else if constexpr (std::is_same_v<U, float16>)
    return Dtype::f16;
  else if constexpr (std::is_same_v<U, bfloat16>)
    return Dtype::bf16;
  else if constexpr (std::is_same_v<U, float8_e4m3>)
    return Dtype::f8_e4m3;
  else if constexpr (std::is_same_v<U, float8_e5m2>)
    return Dtype::f8_e5m2;
  else if constexpr (std::is_same_v<U, bool>)
    return Dtype::boolean;
  else if constexpr (std::is_integral_v<U> && std::is_signed_v<U>) {
    return sizeof(U) == 1   ? Dtype::i8
           : sizeof(U) == 2 ? Dtype::i16
           : sizeof(U) == 4 ? Dtype::i32
                            : Dtype::i64;
  } else if constexpr (std::is_integral_v<U>) {
    return sizeof(U) == 1   ? Dtype::u8
           : sizeof(U) == 2 ? Dtype::u16
           : sizeof(U) == 4 ? Dtype::u32
                            : Dtype::u64;
  } else {
    static_assert(detail::kNoDtype<U>, "no Dtype stands for this C++ type");
  }
}

}  // namespace espalier
