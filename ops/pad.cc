#include "ops/pad.h"

#include <algorithm>
#include <array>
#include <string>

#include "ops/slice.h"

namespace espalier {
namespace {

void check_counts(const char* role, const Dims& counts) {
  if (std::any_of(counts.begin(), counts.end(), [](int64_t n) { return n < 0; }))
    throw ShapeError(Pad::kName, std::string(role) + " " + to_string(counts) + " has a negative number");
}

}  // namespace

Pad::Pad(const Dims& before, const Dims& between, const Dims& after, Scalar value)
    : before_(before), between_(between), after_(after), value_(value) {
  check_counts("before", before);
  check_counts("between", between);
  check_counts("after", after);
}

void Pad::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  const int rank = input.rank();
  if (before_.rank() != rank || between_.rank() != rank || after_.rank() != rank) {
    throw ShapeError(kName, "before " + to_string(before_) + ", between " + to_string(between_) + ", after " +
                                to_string(after_) + " for " + describe(input) +
                                "; expected a number for each axis");
  }
  Shape shape = input.shape();
  for (int i = 0; i < rank; ++i) {
    int64_t inner = 0;
    const bool overflows = __builtin_mul_overflow(std::max<int64_t>(shape[i] - 1, 0), between_[i], &inner) ||
                           __builtin_add_overflow(shape[i], inner, &shape[i]) ||
                           __builtin_add_overflow(shape[i], before_[i], &shape[i]) ||
                           __builtin_add_overflow(shape[i], after_[i], &shape[i]);
    if (overflows)
      throw ShapeError(kName, "axis " + std::to_string(i) + " of the result of padding " + describe(input) +
                                  " is longer than 64 bits can say");
  }
  checked_count(shape, kName);
  outputs.push_back(
      OutputSpec::fresh(shape, strides_nested_like(shape, input.shape(), input.strides()), input.dtype()));
}

Tensors Pad::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  std::array<Range, kMaxRank> ranges;
  for (int i = 0; i < shape.rank(); ++i) {
    const int64_t step = between_[i] + 1;
    ranges[static_cast<size_t>(i)] = {before_[i],
                                      before_[i] + std::max<int64_t>((shape[i] - 1) * step + 1, 0), step};
  }
  return {slice(context.gradient(0), std::span(ranges.data(), static_cast<size_t>(shape.rank())))};
}

std::vector<AxisTie> Pad::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  for (int i = 0; i < inputs[0].rank(); ++i) {
    if (before_[i] == 0 && between_[i] == 0 && after_[i] == 0) ties.push_back({{{0, i}, {-1, i}}});
  }
  return ties;
}

Tensor pad(const Tensor& input, const Dims& before, const Dims& after, Scalar value) {
  return apply_one(Pad(before, Dims::filled(before.rank(), 0), after, value), input);
}

}  // namespace espalier
