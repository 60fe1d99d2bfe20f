#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/divide.h"
#include "ops/global_norm.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/sgd_step.h"
#include "ops/subtract.h"
#include "ops/update_steps.h"
#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kMuon = "Muon";

void check(const MuonOptions& options) {
  check_fraction(kMuon, "momentum", options.momentum);
  check_not_negative(kMuon, "weight decay", options.weight_decay);
  check_not_negative(kMuon, "epsilon", options.epsilon);
  check_option(kMuon, options.iterations >= 1 && options.iterations < 100, "iterations", options.iterations,
               "1 to 99");
  for (const double coefficient : options.coefficients)
    check_option(kMuon, std::isfinite(coefficient), "a coefficient", coefficient, "a finite number");
  const AdamWOptions& adamw = options.adamw;
  check_fraction(kMuon, "adamw.beta1", adamw.beta1);
  check_fraction(kMuon, "adamw.beta2", adamw.beta2);
  check_not_negative(kMuon, "adamw.epsilon", adamw.epsilon);
  check_not_negative(kMuon, "adamw.weight_decay", adamw.weight_decay);
}

/// The names of the parameters that AdamW updates.
std::vector<std::string> adamw_names(const nn::NamedTensors& parameters,
                                     const std::vector<std::string>& patterns) {
  std::vector<std::span<const std::string>> groups(1);
  if (!patterns.empty()) groups.emplace_back(patterns);
  const std::vector<size_t> group_of = assign_groups(kMuon, parameters, groups);
  std::vector<std::string> names;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, parameter] = parameters[i];
    if (group_of[i] == 1 || (parameter.defined() && parameter.rank() != 2)) names.push_back(name);
  }
  if (!parameters.empty() && names.size() == parameters.size())
    throw ValueError(kMuon, "no parameter is a matrix that Muon may update: AdamW does all that is left");
  return names;
}

double scale_of(MuonScale scale, const Shape& shape) {
  const auto rows = static_cast<double>(shape[0]), columns = static_cast<double>(shape[1]);
  switch (scale) {
    case MuonScale::original:
      return std::sqrt(std::max(1.0, rows / columns));
    case MuonScale::match_rms_adamw:
      return 0.2 * std::sqrt(std::max(rows, columns));
    case MuonScale::spectral:
      break;
  }
  return std::sqrt(rows / columns);
}

}  // namespace

Muon::Muon(const nn::NamedTensors& parameters, const MuonOptions& options)
    : Optimiser(kMuon, parameters,
                [&] {
                  check(options);
                  std::vector<GroupPlan> plans = {{{},
                                                   options.learning_rate,
                                                   Momentum{"momentum", options.momentum, true},
                                                   {{"momentum_buffer"}}}};
                  std::vector<std::string> names = adamw_names(parameters, options.adamw_patterns);
                  if (names.empty()) return plans;
                  std::vector<Memory> memory = {{"exp_avg"}, {"exp_avg_sq"}, {"step", true}};
                  if (options.adamw.amsgrad) memory.push_back({"max_exp_avg_sq"});
                  plans.push_back({std::move(names), options.adamw.learning_rate,
                                   Momentum{"beta1", options.adamw.beta1, true}, std::move(memory)});
                  return plans;
                }()),
      options_(options),
      adamw_{options.adamw.beta2, options.adamw.epsilon, options.adamw.weight_decay, true} {}

Tensor Muon::orthogonalised(const Tensor& matrix) const {
  const auto [a, b, c] = options_.coefficients;
  const Dtype dtype = matrix.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  const bool tall = matrix.size(0) > matrix.size(1);  // the products are smaller the other way round
  Tensor x = cast(matrix, dtype);
  const Tensor norm = reshape(global_norm({&x, 1}), {1});
  const Tensor divisor = max(concat({norm, full({1}, options_.epsilon, Dtype::f64, norm.device())}));
  x = (tall ? transpose(x, 0, 1) : x) / divisor;
  for (int i = 0; i < options_.iterations; ++i) {
    const Tensor gram = matmul(x, transpose(x, 0, 1));
    x = a * x + matmul(b * gram + c * matmul(gram, gram), x);
  }
  return cast(tall ? transpose(x, 0, 1) : x, matrix.dtype());
}

void Muon::update(const Update& u) const {
  if (u.group == 1) {
    const Tensor largest = u.memory.size() > 3 ? u.memory[3] : Tensor();
    return adam_step_(u.parameter, u.gradient, u.memory[0], u.memory[1], largest, u.rate, u.momentum,
                      u.memory[2], adamw_);
  }
  const Tensor& mean = u.memory[0];
  average_step_(mean, u.gradient, 1 - u.momentum);
  Tensor direction = mean;
  if (options_.nesterov) {
    direction = copy(u.gradient);
    average_step_(direction, mean, u.momentum);
  }
  const double scale = scale_of(options_.scale, u.parameter.shape());
  // The decay is to be times the learning rate alone.
  sgd_step_(u.parameter, orthogonalised(direction), {}, u.rate * scale, {},
            {.weight_decay = options_.weight_decay / scale});
}

}  // namespace espalier::optim
