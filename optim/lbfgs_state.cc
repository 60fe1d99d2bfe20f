#include <cmath>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "optim/lbfgs.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

Tensor number(double value) {
  return full({}, value, Dtype::f64);
}

/// Rows of `width` one under the other.
Tensor stacked(const std::vector<Tensor>& rows, int64_t width, Dtype dtype, Device device) {
  if (rows.empty()) return zeros({0, width}, dtype, device);
  return reshape(concat(rows), {static_cast<int64_t>(rows.size()), width});
}

}  // namespace

nn::StateMap Lbfgs::state() const {
  const NoGrad no_grad;
  nn::StateMap result = {{"learning_rate", number(options_.learning_rate)},
                         {"iterations", full({}, iterations_, Dtype::i64)},
                         {"evaluations", full({}, evaluations_, Dtype::i64)}};
  if (iterations_ == 0) return result;
  std::vector<Tensor> gradients, parameters;
  std::vector<double> curvatures;
  for (const Change& change : changes_) {
    gradients.push_back(change.gradient);
    parameters.push_back(change.parameters);
    curvatures.push_back(change.curvature);
  }
  const Dtype dtype = parameters_[0].dtype();
  const Device device = parameters_[0].device();
  result["direction"] = copy(direction_);
  result["step_size"] = number(step_size_);
  result["initial_scale"] = number(initial_scale_);
  result["previous_loss"] = number(previous_loss_);
  result["previous_gradient"] = copy(previous_gradient_);
  result["gradient_changes"] = stacked(gradients, size_, dtype, device);
  result["parameter_changes"] = stacked(parameters, size_, dtype, device);
  result["curvatures"] = from_values(curvatures, {static_cast<int64_t>(curvatures.size())});
  return result;
}

void Lbfgs::load_state(const nn::StateMap& state) {
  const NoGrad no_grad;
  std::string problems;
  const auto complain = [&](const std::string& problem) {
    problems += (problems.empty() ? "" : "; ") + problem;
  };
  size_t read = 0;
  // The tensor under a name in `dtype`, or zeros of the shape that was to be.
  const auto take = [&](const std::string& name, const Shape& shape, Dtype dtype) {
    const auto found = state.find(name);
    if (found == state.end()) {
      complain(name + " is missing");
    } else {
      ++read;
      if (found->second.defined() && found->second.shape() == shape)
        return copy(cast(found->second.detach(), dtype));
      complain(name + " is " + describe(found->second) + ", expected " +
               describe(zeros(shape, dtype, kMeta)));
    }
    return zeros(shape, dtype);
  };
  const auto take_number = [&](const std::string& name) { return take(name, {}, Dtype::f64).item(); };
  const auto take_count = [&](const std::string& name) {
    const int64_t count = *take(name, {}, Dtype::i64).data<int64_t>();
    if (count < 0) complain(name + " is " + std::to_string(count));
    return count;
  };

  Lbfgs loaded = *this;
  loaded.options_.learning_rate = take_number("learning_rate");
  if (!std::isfinite(loaded.options_.learning_rate) || loaded.options_.learning_rate < 0)
    complain("learning_rate is " + std::to_string(loaded.options_.learning_rate));
  loaded.iterations_ = take_count("iterations");
  loaded.evaluations_ = take_count("evaluations");
  loaded.changes_.clear();
  if (loaded.iterations_ > 0) {
    const Dtype dtype = parameters_[0].dtype();
    loaded.direction_ = take("direction", {size_}, dtype);
    loaded.previous_gradient_ = take("previous_gradient", {size_}, dtype);
    loaded.step_size_ = take_number("step_size");
    loaded.initial_scale_ = take_number("initial_scale");
    loaded.previous_loss_ = take_number("previous_loss");
    const auto given = state.find("curvatures");
    int64_t rows = given != state.end() && given->second.defined() ? given->second.numel() : 0;
    if (rows > options_.history) {
      complain("curvatures has " + std::to_string(rows) + " entries, the history is " +
               std::to_string(options_.history));
      rows = 0;
    }
    const Tensor curvatures = take("curvatures", {rows}, Dtype::f64);
    const Tensor gradients = take("gradient_changes", {rows, size_}, dtype);
    const Tensor parameters = take("parameter_changes", {rows, size_}, dtype);
    for (int64_t i = 0; i < rows; ++i) {
      const auto row = [&](const Tensor& from) { return reshape(copy(slice(from, 0, {i, i + 1})), {size_}); };
      loaded.changes_.push_back({row(gradients), row(parameters), curvatures.data<double>()[i]});
    }
  }
  if (read < state.size() && problems.empty()) {
    std::string names;
    for (const auto& [name, tensor] : loaded.state()) names += (names.empty() ? "" : ", ") + name;
    complain("there are names beside " + names);
  }
  if (!problems.empty()) throw ValueError("Lbfgs", problems);
  *this = std::move(loaded);
}

}  // namespace espalier::optim
