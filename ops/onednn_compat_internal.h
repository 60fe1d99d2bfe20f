#pragma once

// Everything that is spelled differently in oneDNN 2.x (Debian 12) and 3.x (Debian 13): making primitives.
// In 2.x a primitive descriptor is made of an operation descriptor; 3.x takes the same arguments directly.

#include <oneapi/dnnl/dnnl.hpp>

namespace espalier::onednn::compat {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

/// What the three directions share. Without a bias its descriptor is empty.
struct ConvArguments {
  const dnnl::engine& engine;
  dnnl::algorithm algorithm;
  Desc input, weights, bias, output;
  Dims stride, dilation, pad_before, pad_after;
};

#if DNNL_VERSION_MAJOR >= 3

inline constexpr bool kHasFastStridedBackward = false;  // on channels-last activations

inline void append(dnnl::post_ops& ops, dnnl::algorithm elementwise) {
  ops.append_eltwise(elementwise, 0, 0);
}

/// `bias` may be null.
inline auto matmul(const dnnl::engine& engine, const Desc& a, const Desc& b, const Desc* bias, const Desc& c,
                   const dnnl::primitive_attr& attr) {
  using Pd = dnnl::matmul::primitive_desc;
  return bias ? Pd(engine, a, b, *bias, c, attr) : Pd(engine, a, b, c, attr);
}

inline auto forward(const ConvArguments& c, dnnl::prop_kind kind, const dnnl::primitive_attr& attr) {
  return dnnl::convolution_forward::primitive_desc(c.engine, kind, c.algorithm, c.input, c.weights, c.bias,
                                                   c.output, c.stride, c.dilation, c.pad_before, c.pad_after,
                                                   attr);
}

inline auto backward_data(const ConvArguments& c, const dnnl::convolution_forward::primitive_desc& hint,
                          const dnnl::primitive_attr& attr) {
  return dnnl::convolution_backward_data::primitive_desc(c.engine, c.algorithm, c.input, c.weights, c.output,
                                                         c.stride, c.dilation, c.pad_before, c.pad_after,
                                                         hint, attr);
}

inline auto backward_weights(const ConvArguments& c, const dnnl::convolution_forward::primitive_desc& hint,
                             const dnnl::primitive_attr& attr) {
  return dnnl::convolution_backward_weights::primitive_desc(c.engine, c.algorithm, c.input, c.weights, c.bias,
                                                            c.output, c.stride, c.dilation, c.pad_before,
                                                            c.pad_after, hint, attr);
}

#else

inline constexpr bool kHasFastStridedBackward = true;

inline void append(dnnl::post_ops& ops, dnnl::algorithm elementwise) {
  ops.append_eltwise(1.0f, elementwise, 0, 0);
}

inline auto matmul(const dnnl::engine& engine, const Desc& a, const Desc& b, const Desc* bias, const Desc& c,
                   const dnnl::primitive_attr& attr) {
  using Op = dnnl::matmul::desc;
  return dnnl::matmul::primitive_desc(bias ? Op(a, b, *bias, c) : Op(a, b, c), attr, engine);
}

inline auto forward(const ConvArguments& c, dnnl::prop_kind kind, const dnnl::primitive_attr& attr) {
  const dnnl::convolution_forward::desc op(kind, c.algorithm, c.input, c.weights, c.bias, c.output, c.stride,
                                           c.dilation, c.pad_before, c.pad_after);
  return dnnl::convolution_forward::primitive_desc(op, attr, c.engine);
}

inline auto backward_data(const ConvArguments& c, const dnnl::convolution_forward::primitive_desc& hint,
                          const dnnl::primitive_attr& attr) {
  const dnnl::convolution_backward_data::desc op(c.algorithm, c.input, c.weights, c.output, c.stride,
                                                 c.dilation, c.pad_before, c.pad_after);
  return dnnl::convolution_backward_data::primitive_desc(op, attr, c.engine, hint);
}

inline auto backward_weights(const ConvArguments& c, const dnnl::convolution_forward::primitive_desc& hint,
                             const dnnl::primitive_attr& attr) {
  const dnnl::convolution_backward_weights::desc op(c.algorithm, c.input, c.weights, c.bias, c.output,
                                                    c.stride, c.dilation, c.pad_before, c.pad_after);
  return dnnl::convolution_backward_weights::primitive_desc(op, attr, c.engine, hint);
}

#endif

}  // namespace espalier::onednn::compat
