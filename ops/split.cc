#include "ops/split.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ops/concat.h"

namespace espalier {

namespace {

/// As many as Concat, the way back, takes.
constexpr int64_t kMostParts = 32;

}  // namespace

void Split::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  const int axis = normalize_axis(axis_, input.rank(), kName);
  const int64_t length = input.shape()[axis];
  if (size_ < 1) throw ValueError(kName, "size " + std::to_string(size_) + "; expected 1 or more");
  if (length / size_ + (length % size_ != 0) > kMostParts) {
    throw ValueError(kName, "parts of " + std::to_string(size_) + " along axis " + std::to_string(axis) +
                                " of " + describe(input) + " are more than " + std::to_string(kMostParts));
  }
  for (int64_t start = 0; start < length; start += size_) {
    Shape shape = input.shape();
    shape[axis] = std::min(size_, length - start);
    outputs.push_back(
        OutputSpec::view(0, input, shape, input.strides(), input.offset() + start * input.strides()[axis]));
    if (length - start <= size_) break;  // start + size_ might overflow
  }
}

Tensors Split::backward(const BackwardContext& context) const {
  Shape shape = context.input_shape(0);
  const int axis = normalize_axis(axis_, shape.rank(), kName);
  const int64_t length = shape[axis];
  std::vector<Tensor> gradients;
  Device device;
  for (int64_t part = 0; part * size_ < length; ++part) {
    gradients.push_back(context.gradient(static_cast<int>(part)));
    if (gradients.back().defined()) device = gradients.back().device();
  }
  for (size_t part = 0; part < gradients.size(); ++part) {
    if (gradients[part].defined()) continue;  // else nothing was made of this part
    shape[axis] = std::min(size_, length - static_cast<int64_t>(part) * size_);
    gradients[part] = zeros(shape, context.input_dtype(0), device);
  }
  return {concat(gradients, axis)};
}

std::vector<AxisTie> Split::axis_ties(Inputs inputs) const {
  const Shape& shape = inputs[0].shape();
  const int axis = normalize_axis(axis_, shape.rank(), kName);
  const auto parts = static_cast<int>(shape[axis] / size_ + (shape[axis] % size_ != 0));
  std::vector<AxisTie> ties;
  for (int i = 0; i < shape.rank(); ++i) {
    if (i == axis) continue;
    AxisTie& tie = ties.emplace_back(AxisTie{{{0, i}}});
    for (int part = 0; part < parts; ++part) tie.axes.push_back({-1 - part, i});
  }
  return ties;
}

Tensors split(const Tensor& input, int64_t size, int64_t axis) {
  return apply(Split(size, axis), {input});
}

Tensors chunk(const Tensor& input, int64_t chunks, int64_t axis) {
  check_defined("chunk", input);
  if (chunks < 1)
    throw ValueError("chunk",
                     std::to_string(chunks) + " chunks of " + describe(input) + "; expected 1 or more");
  const int64_t length = input.shape()[normalize_axis(axis, input.rank(), "chunk")];
  return split(input, std::max<int64_t>(1, length / chunks + (length % chunks != 0)), axis);
}

}  // namespace espalier
