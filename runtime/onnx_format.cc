#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "runtime/onnx_format_internal.h"

namespace espalier::runtime {
namespace {

struct OnnxType {
  int64_t number;
  Dtype dtype;
};
constexpr std::array<OnnxType, 13> kOnnxTypes = {{{1, Dtype::f32},
                                                  {2, Dtype::u8},
                                                  {3, Dtype::i8},
                                                  {4, Dtype::u16},
                                                  {5, Dtype::i16},
                                                  {6, Dtype::i32},
                                                  {7, Dtype::i64},
                                                  {9, Dtype::boolean},
                                                  {10, Dtype::f16},
                                                  {11, Dtype::f64},
                                                  {12, Dtype::u32},
                                                  {13, Dtype::u64},
                                                  {16, Dtype::bf16}}};

}  // namespace

int64_t onnx_type(Dtype dtype) {
  const auto* const found = std::find_if(kOnnxTypes.begin(), kOnnxTypes.end(),
                                         [&](const OnnxType& type) { return type.dtype == dtype; });
  if (found != kOnnxTypes.end()) return found->number;
  throw ValueError(kOnnx, "has no type " + std::string(to_string(dtype)) + " in operators of version " +
                              std::to_string(kOnnxOperators));
}

Dtype dtype_of_onnx(int64_t type) {
  const auto* const found = std::find_if(kOnnxTypes.begin(), kOnnxTypes.end(),
                                         [&](const OnnxType& known) { return known.number == type; });
  if (found != kOnnxTypes.end()) return found->dtype;
  throw ValueError(kOnnx, "type " + std::to_string(type) + " (TensorProto.DataType) is none that is read");
}

}  // namespace espalier::runtime
