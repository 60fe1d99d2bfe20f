// Making a convolution: which memory formats, which code of the library, which copies around it.

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "ops/onednn_compat_internal.h"
#include "ops/onednn_conv_internal.h"

namespace espalier::onednn {
namespace {

using Tag = dnnl::memory::format_tag;
using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

constexpr size_t kAlign = 64;  // a cache line

Tag tag_of(Layout layout) {
  return layout == Layout::kChannelsLast ? Tag::nhwc : Tag::nchw;
}

const char* name_of(ConvMethod method) {
  switch (method) {
    case ConvMethod::kChannelsLast:
      return "channels-last ";
    case ConvMethod::kBlocked:
      return "blocked ";
    default:
      return "any ";
  }
}

// What the library made of a direction's descriptor.
struct Made {
  dnnl::primitive primitive;
  Desc input, weights, bias, output, scratch;
  std::string implementation;
};

Made make_primitive(const ConvProblem& p, const compat::ConvArguments& c) {
  dnnl::primitive_attr attributes = user_scratch();
  const auto kind = p.inference ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  if (p.direction == ConvDirection::kForward) {
    dnnl::post_ops extras;
    if (p.accumulate) extras.append_sum(1.0f);
    if (p.relu) compat::append(extras, dnnl::algorithm::eltwise_relu);
    attributes.set_post_ops(extras);
    const auto d = compat::forward(c, kind, attributes);
    return {dnnl::convolution_forward(d), d.src_desc(),     d.weights_desc(), d.bias_desc(), d.dst_desc(),
            d.scratchpad_desc(),          d.impl_info_str()};
  }
  // The backward asks for a forward as a hint. It need not be the one that ran.
  const auto hint = compat::forward(c, dnnl::prop_kind::forward_training, {});
  if (p.direction == ConvDirection::kBackwardData) {
    const auto d = compat::backward_data(c, hint, attributes);
    return {dnnl::convolution_backward_data(d),
            d.diff_src_desc(),
            d.weights_desc(),
            Desc(),
            d.diff_dst_desc(),
            d.scratchpad_desc(),
            d.impl_info_str()};
  }
  const auto d = compat::backward_weights(c, hint, attributes);
  return {dnnl::convolution_backward_weights(d),
          d.src_desc(),
          d.diff_weights_desc(),
          d.diff_bias_desc(),
          d.diff_dst_desc(),
          d.scratchpad_desc(),
          d.impl_info_str()};
}

// Code that is slower than any copy: not what a method that only changes the layout is for.
bool is_reference(const std::string& implementation) {
  return implementation.starts_with("ref") || implementation.find("gemm:ref") != std::string::npos;
}

ConvCopy make_copy(const Desc& from, const Desc& to, bool add) {
  dnnl::primitive_attr attributes = user_scratch();
  if (add) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
  const dnnl::reorder::primitive_desc described(engine(), from, engine(), to, attributes);
  const Desc scratch = described.scratchpad_desc();
  return {
      Primitive::make(dnnl::reorder(described),
                      {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, scratch}}, "conv2d"),
      scratch.get_size()};
}

size_t aligned(size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

// The library writes over the gradients of weights and biases, so adding to them goes through a copy even
// where the format is right; to a forward's output it adds itself.
enum class Use { kRead, kWrite, kAddOutside, kAddInside };

// `size` is the scratch so far.
ConvOperand make_operand(const Desc& outside, const Desc& inside, Use use, size_t& size) {
  ConvOperand o;
  o.inside = inside;
  o.copied = outside != inside || use == Use::kAddOutside;
  if (!o.copied) return o;
  if (use == Use::kRead || use == Use::kAddInside) o.in = make_copy(outside, inside, false);
  if (use != Use::kRead) o.out = make_copy(inside, outside, use == Use::kAddOutside);
  o.offset = size;
  size += aligned(inside.get_size());
  return o;
}

}  // namespace

std::unique_ptr<ConvPlan> make_conv_plan(const ConvProblem& p, ConvMethod method, int threads) {
  const auto out = p.output();
  const Dims input{p.batch, p.in_channels, p.input[0], p.input[1]};
  const Dims output{p.batch, p.out_channels, out[0], out[1]};
  const bool grouped = p.groups > 1;
  const int64_t in_each = p.in_channels / p.groups, out_each = p.out_channels / p.groups;
  const Dims weights = grouped ? Dims{p.groups, out_each, in_each, p.kernel[0], p.kernel[1]}
                               : Dims{p.out_channels, p.in_channels, p.kernel[0], p.kernel[1]};
  const bool blocked = method == ConvMethod::kBlocked;
  if (blocked && (p.in_channels % 16 != 0 || p.out_channels % 16 != 0)) return nullptr;
  const Tag tag = blocked ? Tag::nChw16c : method == ConvMethod::kAny ? Tag::any : Tag::nhwc;
  const bool backward_weights = p.direction == ConvDirection::kBackwardWeights;
  const auto describe = [type = p.narrow ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32](
                            const Dims& dims, Tag order) { return Desc(dims, type, order); };
  const bool bias = p.bias && p.direction != ConvDirection::kBackwardData;

  auto plan = std::make_unique<ConvPlan>();
  try {
    const compat::ConvArguments arguments{
        engine(),
        dnnl::algorithm::convolution_direct,
        describe(input, tag),
        describe(weights, Tag::any),
        bias ? describe({p.out_channels}, Tag::a) : Desc(),
        describe(output, tag),
        {p.stride[0], p.stride[1]},
        {p.dilation[0] - 1, p.dilation[1] - 1},  // the library counts the gaps
        {p.pad_before[0], p.pad_before[1]},
        {p.pad_after[0], p.pad_after[1]}};
    Made made = make_primitive(p, arguments);
    if (method != ConvMethod::kAny && is_reference(made.implementation)) return nullptr;

    const bool forward = p.direction == ConvDirection::kForward,
               backward_data = p.direction == ConvDirection::kBackwardData;
    const Use gradient = p.accumulate ? Use::kAddOutside : Use::kWrite;
    const Use result = p.accumulate ? Use::kAddInside : Use::kWrite;
    size_t size = 0;
    plan->input = make_operand(describe(input, tag_of(p.input_layout)), made.input,
                               backward_data ? Use::kWrite : Use::kRead, size);
    plan->weights = make_operand(describe(weights, grouped ? Tag::goihw : Tag::oihw), made.weights,
                                 backward_weights ? gradient : Use::kRead, size);
    plan->output = make_operand(describe(output, tag_of(p.output_layout)), made.output,
                                forward ? result : Use::kRead, size);
    if (bias) {
      plan->bias = make_operand(describe({p.out_channels}, Tag::a), made.bias,
                                backward_weights ? gradient : Use::kRead, size);
    }
    plan->library_offset = size;
    size_t library = made.scratch.get_size();
    for (const ConvOperand* o : {&plan->input, &plan->weights, &plan->bias, &plan->output}) {
      library = std::max({library, o->in.scratch_bytes, o->out.scratch_bytes});
    }
    plan->scratch_bytes = size + library;
    plan->primitive =
        Primitive::make(std::move(made.primitive),
                        {{backward_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, made.input},
                         {backward_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, made.weights},
                         {backward_weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, bias ? made.bias : Desc()},
                         {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, made.output},
                         {DNNL_ARG_SCRATCHPAD, made.scratch}},
                        "conv2d");
    plan->implementation = name_of(method) + made.implementation;
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_unimplemented || e.status == dnnl_invalid_arguments) return nullptr;
    check(e.status, "conv2d");
  }
  plan->problem = p;
  plan->threads = threads;
  return plan;
}

}  // namespace espalier::onednn
