#include "core/create.h"
#include "core/error.h"
#include "runtime/image_layout_internal.h"

namespace espalier::runtime {
namespace {

bool has_bit(uint32_t bits, int64_t i) {
  return i >= 0 && i < kMostLaidOutInputs && (bits >> i & 1u);
}

Tensor in_other_layout(const Tensor& type, bool channels_last) {
  const Shape& shape = type.shape();
  return empty_strided(shape, channels_last ? channels_last_strides(shape) : contiguous_strides(shape),
                       type.dtype(), kMeta);
}

}  // namespace

ImageLayout image_layout(const Tensor& type) {
  const Shape& shape = type.shape();
  if (type.rank() != 4 || type.numel() == 0 || shape[1] == 1 || shape[2] * shape[3] == 1)
    return ImageLayout::neither;
  if (type.strides() == contiguous_strides(shape)) return ImageLayout::row_major;
  return type.strides() == channels_last_strides(shape) ? ImageLayout::channels_last : ImageLayout::neither;
}

LayoutEffect effect_of_layouts(const Graph& graph, const Node& node, uint32_t channels_last,
                               uint32_t row_major) {
  const uint32_t changed = channels_last | row_major;
  Tensors types;
  for (const ValueId id : node.inputs) {
    const auto i = static_cast<int64_t>(types.size());
    types.push_back(id == kAbsent ? Tensor() : graph.value(id).type);
    if (has_bit(changed, i)) types.back() = in_other_layout(types.back(), has_bit(channels_last, i));
  }
  OutputSpecs specs;
  try {
    node.operation->infer(types, specs);
  } catch (const Error&) {
    return LayoutEffect::refused;  // an operation may take one layout alone
  }
  LayoutEffect effect = LayoutEffect::none;
  for (size_t i = 0; i < specs.size(); ++i) {
    const OutputSpec& spec = specs[i];
    const Tensor& before = graph.value(node.outputs[i]).type;
    if (spec.kind != OutputSpec::Kind::fresh && has_bit(changed, spec.source))
      return LayoutEffect::refused;  // it would look into the copy, or update it
    if (spec.strides == before.strides()) continue;
    if (image_layout(before) != ImageLayout::row_major || spec.strides != channels_last_strides(spec.shape))
      return LayoutEffect::refused;
    effect = LayoutEffect::turned;
  }
  return effect;
}

}  // namespace espalier::runtime
