#include "core/dtype.h"

#include <algorithm>
#include <string>

namespace espalier {
namespace {

bool promotes(Dtype dtype) noexcept {
  return dtype != Dtype::f8_e4m3 && dtype != Dtype::f8_e5m2 && dtype < Dtype::u16;
}

}  // namespace

std::string_view to_string(Dtype dtype) noexcept {
  constexpr std::string_view kNames[kDtypeCount] = {"f64",     "f32",  "f16", "bf16", "f8_e4m3",
                                                    "f8_e5m2", "i8",   "u8",  "i16",  "i32",
                                                    "i64",     "bool", "u16", "u32",  "u64"};
  return kNames[static_cast<size_t>(dtype)];
}

Dtype promote(Dtype a, Dtype b, std::string_view where) {
  if (a == b) return a;
  if (!promotes(a) || !promotes(b)) {
    throw TypeError(where, std::string("types ") + std::string(to_string(a)) + " and " +
                               std::string(to_string(b)) +
                               " do not promote to a common one; convert one of them first");
  }
  if (is_floating(a) && is_floating(b)) {
    return size_of(a) == size_of(b)  ? Dtype::f32
           : size_of(a) > size_of(b) ? a
                                     : b;  // equal sizes: f16 with bf16
  }
  if (is_floating(a) || b == Dtype::boolean) return a;
  if (is_floating(b) || a == Dtype::boolean) return b;
  if (size_of(a) == size_of(b)) return Dtype::i16;  // i8 with u8
  return size_of(a) > size_of(b) ? a : b;
}

}  // namespace espalier
