#pragma once

#include "core/door.h"
#include "ops/quantize.h"

namespace espalier {

/// What the products of 8-bit integers (int8_linear, int8_conv2d) have in common. Their inputs:
///
/// 0. x, u8, standing for `input`: signed numbers have a zero point in the middle;
/// 1. the weight, i8, each output channel with a scale of its own and zero point 0;
/// 2. these scales, f32 [out];
/// 3. the bias, f32 [out], or absent;
/// 4. a residual, u8 of the result's shape, standing for `residual`, or absent.
///
/// The result is defined to the bit, whichever kernel computes it. Per element, with the exact integer
/// sum = sum of (x - zero point) * weight, all else in f32, each operation rounded:
///
///     y = f32(sum) * multiplier + shift + (residual - zero point) * residual multiplier
///     relu: y = max(y, 0)
///     u8:   y = clamp(y, -zero point, 255 - zero point), rounded (ties to even), + zero point
///
/// where multiplier = f32(input.scale * weight scale / output.scale), shift = f32(bias / output.scale) and
/// residual multiplier = f32(residual.scale / output.scale), computed in f64; for f32 results output.scale is
/// 1.
struct Int8Options {
  Quantization input = {};
  Dtype output_dtype = Dtype::f32;  ///< of the result: f32, or u8 that stands for `output`
  Quantization output = {};
  Quantization residual = {};
  bool relu = false;  ///< max(0, y) at the end
};
ESPALIER_API void visit_options(AttributeVisitor& visit, Int8Options& options);

/// The most products that an element may sum up: more than these could leave the range of i32.
inline constexpr int64_t kMostInt8Products = 2147483647 / (255 * 128);

}  // namespace espalier
