#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/philox.h"
#include "ops/dropout.h"
#include "ops/random_internal.h"
#include "ops/scratch_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/dropout_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// out[i] = words[i] >= threshold ? in[i] * scale : 0.
HWY_ATTR void keep_tile(float* out, const float* in, const uint32_t* words, int64_t n, uint32_t threshold,
                        float scale) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, scale);
  const auto least = hn::Set(du, threshold);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto dropped = hn::RebindMask(d, hn::Lt(hn::LoadU(du, words + i), least));
    hn::StoreU(hn::IfThenZeroElse(dropped, hn::Mul(hn::LoadU(d, in + i), factor)), d, out + i);
  }
  for (; i < n; ++i) out[i] = words[i] >= threshold ? in[i] * scale : 0;
}

/// x * scale where the mask, 0 or 1, is not 0.
struct KeepElements {
  double scale;

  template <class D, class V>
  HWY_ATTR V operator()(D d, V x, V mask) const {
    const auto factor = hn::Set(d, static_cast<hn::TFromD<D>>(scale));
    return hn::IfThenZeroElse(hn::Eq(mask, hn::Zero(d)), hn::Mul(x, factor));
  }
};

void keep_any(const Tensor& output, const Tensor& input, const Tensor& mask, double scale) {
  const Tensor operands[] = {input, mask};
  run_elementwise_floating<2>(KeepElements{scale}, output, operands, 2);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

HWY_EXPORT(keep_tile);
HWY_EXPORT(keep_any);

/// Calls `body(words, first, count)` for the random words of all elements, tile by tile.
template <class Body>
void for_each_word_tile(int64_t elements, RandomPlace place, Body&& body) {
  for_each_random_tile(elements, [&](int64_t first, int64_t count) {
    alignas(64) uint32_t words[kRandomTile];
    philox_fill(place.seed, place.offset, static_cast<uint64_t>(first),
                std::span(words, static_cast<size_t>(count)));
    body(words, first, count);
  });
}

/// Whether the words' order is that of the elements in memory, so that no mask need be made.
bool keeps_in_place(const Tensor& output, const Tensor& input) {
  return input.dtype() == Dtype::f32 && input.is_contiguous() && output.is_contiguous();
}

/// Of a mask in bytes.
size_t scratch_to_keep(const Tensor& output, const Tensor& input) {
  return keeps_in_place(output, input) ? 0 : static_cast<size_t>(input.numel());
}

void keep(const Tensor& output, const Tensor& input, RandomPlace place, double p, void* scratch) {
  // Beyond the last number that a word can be, all elements are dropped.
  const double threshold = std::round(p * 0x1p32);
  const bool none = threshold >= 0x1p32;
  const auto least = none ? 0 : static_cast<uint32_t>(threshold);
  const double scale = none ? 0 : 1 / (1 - p);
  if (keeps_in_place(output, input)) {
    const auto* from = static_cast<const float*>(input.raw_data());
    auto* to = static_cast<float*>(output.raw_data());
    if (none) return static_cast<void>(std::fill_n(to, output.numel(), 0.0F));
    for_each_word_tile(output.numel(), place, [&](const uint32_t* words, int64_t first, int64_t count) {
      ESPALIER_DISPATCH(keep_tile)(to + first, from + first, words, count, least, static_cast<float>(scale));
    });
    return;
  }
  // Other types and layouts: the mask as bytes in row-major order, then an elementwise product.
  const LocalTensor mask(scratch, Dtype::u8, input.shape());
  auto* bits = static_cast<uint8_t*>(scratch);
  for_each_word_tile(output.numel(), place, [&](const uint32_t* words, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; ++i) bits[first + i] = !none && words[i] >= least;
  });
  ESPALIER_DISPATCH(keep_any)(output, input, mask, scale);
}

}  // namespace

size_t dropout_scratch(const Dropout&, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_to_keep(outputs[0], inputs[0]);
}
void dropout_cpu(const Dropout& op, Inputs inputs, Outputs outputs, void* scratch) {
  const RandomPlace place =
      claim_random_blocks(inputs[1], philox_blocks(static_cast<uint64_t>(inputs[0].numel())));
  auto* kept = static_cast<int64_t*>(outputs[1].raw_data());
  kept[0] = static_cast<int64_t>(place.seed);
  kept[1] = static_cast<int64_t>(place.offset);
  keep(outputs[0], inputs[0], place, op.p(), scratch);
}

size_t dropout_backward_scratch(const DropoutBackward&, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_to_keep(outputs[0], inputs[0]);
}
void dropout_backward_cpu(const DropoutBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  keep(outputs[0], inputs[0], random_place(inputs[1]), op.p(), scratch);
}

}  // namespace espalier
#endif
