#include "optim/average.h"

#include <algorithm>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/copy.h"
#include "ops/update_steps.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kWeightAverage = "WeightAverage";

bool has_means(Dtype dtype) {
  return dtype == Dtype::f64 || dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
}

}  // namespace

WeightAverage::WeightAverage(const std::vector<nn::StateEntry>& model, const AverageOptions& options)
    : options_(options) {
  check_option(kWeightAverage, options.decay >= 0 && options.decay <= 1, "decay", options.decay,
               "a number from 0 to 1");
  const NoGrad no_grad;
  for (const nn::StateEntry& entry : model) {
    if (!entry.tied_to.empty()) continue;
    const bool wanted = entry.kind == nn::Visitor::Kind::parameter || options.average_buffers;
    const Tensor values = entry.tensor.detach();
    pairs_.push_back({entry.name, values, copy(values), wanted && has_means(values.dtype())});
  }
  if (pairs_.empty())
    throw ValueError(kWeightAverage, "the model has no tensors: does its visit() name any?");
  const Device device = pairs_[0].model.device();
  rate_ = full({}, 1 - options.decay, Dtype::f64, device);
  updates_ = zeros({}, Dtype::i64, device);
}

void WeightAverage::refuse_while_swapped() const {
  if (swapped_)
    throw ValueError(kWeightAverage, "the model holds the average; swap() gives it its own weights back");
}

void WeightAverage::update() {
  refuse_while_swapped();
  const NoGrad no_grad;
  const double updates = updates_.item();
  if (options_.warm_up) {
    const double decay = std::min(options_.decay, (1 + updates) / (10 + updates));
    copy_(rate_, full({}, 1 - decay, Dtype::f64, rate_.device()));
  }
  for (const Pair& pair : pairs_) {
    if (pair.averaged)
      average_step_(pair.average, pair.model, rate_);
    else
      copy_(pair.average, pair.model);
  }
  copy_(updates_, full({}, static_cast<int64_t>(updates) + 1, Dtype::i64, updates_.device()));
}

void WeightAverage::swap() {
  const NoGrad no_grad;
  for (const Pair& pair : pairs_) {
    const Tensor values = copy(pair.model);
    copy_(pair.model, pair.average);
    copy_(pair.average, values);
  }
  swapped_ = !swapped_;
}

void WeightAverage::copy_to_model() {
  refuse_while_swapped();
  const NoGrad no_grad;
  for (const Pair& pair : pairs_) copy_(pair.model, pair.average);
}

nn::StateMap WeightAverage::state() {
  refuse_while_swapped();
  return nn::state(*this);
}

void WeightAverage::load_state(const nn::StateMap& state) {
  refuse_while_swapped();
  nn::load_state(*this, state);
}

void WeightAverage::visit(nn::Visitor& visitor) {
  for (Pair& pair : pairs_) visitor.buffer(pair.name, pair.average);
  visitor.buffer("updates", updates_);
}

}  // namespace espalier::optim
