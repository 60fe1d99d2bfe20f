#include "optim/lbfgs.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/abs.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/max.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/reshape.h"
#include "ops/sgd_step.h"
#include "ops/slice.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "optim/groups_internal.h"
#include "optim/line_search_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kLbfgs = "Lbfgs";

double dot(const Tensor& a, const Tensor& b) {
  return sum(a * b).item();
}

double largest_magnitude(const Tensor& x) {
  return max(abs(x)).item();
}

/// x += factor * y, in place, in one pass.
void add_multiple(const Tensor& x, const Tensor& y, double factor) {
  sgd_step_(x, y, {}, full({}, -factor, Dtype::f64, x.device()), {}, {});
}

void check_positive(std::string_view option, int64_t value) {
  check_option(kLbfgs, value >= 1, option, static_cast<double>(value), "1 or more");
}

}  // namespace

Lbfgs::Lbfgs(const nn::NamedTensors& parameters, const LbfgsOptions& options) : options_(options) {
  check_not_negative(kLbfgs, "learning rate", options.learning_rate);
  check_positive("max_iterations", options.max_iterations);
  check_not_negative(kLbfgs, "max_evaluations", static_cast<double>(options.max_evaluations));
  check_not_negative(kLbfgs, "gradient_tolerance", options.gradient_tolerance);
  check_not_negative(kLbfgs, "change_tolerance", options.change_tolerance);
  check_positive("history", options.history);
  if (options.max_evaluations == 0)
    options_.max_evaluations =
        std::max<int64_t>(options.max_iterations / 4 * 5 + options.max_iterations % 4 * 5 / 4, 1);
  check_parameters(kLbfgs, parameters);
  for (const auto& [name, parameter] : parameters) {
    if (parameter.dtype() != parameters[0].second.dtype()) {
      throw ValueError(kLbfgs, "parameter " + name + " is " + describe(parameter) + " and " +
                                   parameters[0].first + " is " + describe(parameters[0].second) +
                                   "; expected one type");
    }
  }
  for (const auto& [name, parameter] : parameters) {
    claim_parameter(parameter);
    parameters_.push_back(parameter);
    size_ += parameter.numel();
  }
  if (size_ == 0) throw ValueError(kLbfgs, "the parameters have no elements");
}

void Lbfgs::zero_grad() {
  for (Tensor& parameter : parameters_) {
    if (parameter.requires_grad()) parameter.set_grad({});
  }
}

void Lbfgs::set_learning_rate(double rate) {
  check_not_negative(kLbfgs, "learning rate", rate);
  options_.learning_rate = rate;
}

Tensor Lbfgs::flat_gradient() const {
  std::vector<Tensor> rows;
  for (const Tensor& parameter : parameters_) {
    const Tensor gradient = parameter.grad();
    rows.push_back(gradient.defined() ? reshape(gradient, {parameter.numel()})
                                      : zeros({parameter.numel()}, parameter.dtype(), parameter.device()));
  }
  return concat(rows);
}

void Lbfgs::move(double step, const Tensor& direction) const {
  int64_t offset = 0;
  for (const Tensor& parameter : parameters_) {
    const Tensor part = slice(direction, 0, {offset, offset + parameter.numel()});
    add_multiple(parameter.detach(), reshape(part, parameter.shape()), step);
    offset += parameter.numel();
  }
}

void Lbfgs::remember(const Tensor& gradient) {
  const Tensor change = gradient - previous_gradient_;
  const Tensor moved = direction_ * step_size_;
  const double product = dot(change, moved);
  // Without positive curvature the update would not stay positive definite; PyTorch's bound.
  if (!(product > 1e-10)) return;
  if (static_cast<int64_t>(changes_.size()) == options_.history) changes_.pop_front();
  changes_.push_back({change, moved, 1 / product});
  initial_scale_ = product / dot(change, change);
}

// The two loops of Nocedal and Wright, algorithm 7.4.
Tensor Lbfgs::newton_direction(const Tensor& gradient) const {
  const Tensor q = -gradient;
  std::vector<double> shares(changes_.size());
  for (size_t i = changes_.size(); i-- > 0;) {
    shares[i] = dot(changes_[i].parameters, q) * changes_[i].curvature;
    add_multiple(q, changes_[i].gradient, -shares[i]);
  }
  const Tensor direction = q * initial_scale_;
  for (size_t i = 0; i < changes_.size(); ++i) {
    const double share = dot(changes_[i].gradient, direction) * changes_[i].curvature;
    add_multiple(direction, changes_[i].parameters, shares[i] - share);
  }
  return direction;
}

Tensor Lbfgs::step(const Closure& closure) {
  const Tensor first_loss = closure();
  check_all_claimed(parameters_);
  const NoGrad no_grad;
  const auto evaluate = [&] {
    const EnableGrad with_grad;
    ++evaluations_;
    return closure().item();
  };
  double loss = first_loss.item();
  ++evaluations_;
  const int64_t first_evaluation = evaluations_ - 1;
  Tensor gradient = flat_gradient();
  if (largest_magnitude(gradient) <= options_.gradient_tolerance) return first_loss;

  for (int64_t iteration = 1; iteration <= options_.max_iterations; ++iteration) {
    ++iterations_;
    if (iterations_ == 1) {
      direction_ = -gradient;
    } else {
      remember(gradient);
      direction_ = newton_direction(gradient);
    }
    previous_gradient_ = gradient;
    previous_loss_ = loss;
    // The first direction has no scale yet.
    const double first = iterations_ == 1 ? std::min(1.0, 1 / sum(abs(gradient)).item()) : 1;
    step_size_ = first * options_.learning_rate;
    const double slope = dot(gradient, direction_);
    if (slope > -options_.change_tolerance) break;

    if (options_.line_search) {
      std::vector<Tensor> origin;
      for (const Tensor& parameter : parameters_) origin.push_back(copy(parameter.detach()));
      const auto go_back = [&] {
        for (size_t i = 0; i < origin.size(); ++i) copy_(parameters_[i].detach(), origin[i]);
      };
      const LineSearch search{.max_evaluations =
                                  options_.max_evaluations - (evaluations_ - first_evaluation)};
      const LineSearchResult found = strong_wolfe(
          search, {0, loss, slope, gradient}, step_size_, largest_magnitude(direction_), [&](double step) {
            move(step, direction_);
            const double there = evaluate();
            const Tensor slopes = flat_gradient();
            go_back();
            return LinePoint{step, there, dot(slopes, direction_), slopes};
          });
      step_size_ = found.point.step;
      loss = found.point.loss;
      gradient = found.point.gradient;
      move(step_size_, direction_);
    } else {
      move(step_size_, direction_);
      if (iteration < options_.max_iterations) {
        loss = evaluate();
        gradient = flat_gradient();
      }
    }
    if (evaluations_ - first_evaluation >= options_.max_evaluations ||
        largest_magnitude(gradient) <= options_.gradient_tolerance ||
        largest_magnitude(direction_) * std::abs(step_size_) <= options_.change_tolerance ||
        std::abs(loss - previous_loss_) < options_.change_tolerance) {
      break;
    }
  }
  return first_loss;
}

}  // namespace espalier::optim
