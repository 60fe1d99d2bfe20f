#include "optim/regularisers.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "core/door.h"
#include "core/error.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/divide.h"
#include "ops/equal.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/one_hot.h"
#include "ops/permute.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "optim/groups_internal.h"

namespace espalier::optim {
namespace {

double checked(std::string_view name, double lambda) {
  if (std::isfinite(lambda) && lambda >= 0) return lambda;
  throw ValueError(name, "a factor of " + std::to_string(lambda) + "; expected a finite number, 0 or above");
}

/// sign(w) max(|w| - threshold, 0).
Tensor soft_threshold(const Tensor& w, double threshold) {
  return relu(w - threshold) - relu(-w - threshold);
}

class ElasticNet final : public Regulariser::Penalty {
 public:
  ElasticNet(double lambda1, double lambda2) : lambda1_(lambda1), lambda2_(lambda2) {}

  Tensor term(const Tensor& w) const override {
    if (lambda2_ == 0) return sum(abs(w)) * lambda1_;
    if (lambda1_ == 0) return sum(w * w) * lambda2_;
    return sum(abs(w)) * lambda1_ + sum(w * w) * lambda2_;
  }
  Tensor proximal(const Tensor& w, double rate) const override {
    const Tensor kept = lambda1_ == 0 ? w : soft_threshold(w, rate * lambda1_);
    return lambda2_ == 0 ? kept : kept / (1 + 2 * rate * lambda2_);
  }

 private:
  double lambda1_, lambda2_;
};

/// A parameter as a matrix of its output channels.
Tensor channels(std::string_view name, const Tensor& w, int least_rank) {
  if (w.rank() < least_rank) {
    throw ShapeError(name, "a parameter is " + describe(w) + "; expected output channels on the first of " +
                               std::to_string(least_rank) + " axes or more");
  }
  const int64_t rows = w.shape()[0];
  return reshape(w, {rows, rows == 0 ? 0 : w.numel() / rows});
}

class GroupLasso final : public Regulariser::Penalty {
 public:
  explicit GroupLasso(double lambda) : lambda_(lambda) {}

  Tensor term(const Tensor& w) const override {
    const Tensor groups = channels("group_lasso", w, 1);
    return sum(norms(groups)) * weight(groups);
  }
  Tensor proximal(const Tensor& w, double rate) const override {
    const Tensor groups = channels("group_lasso", w, 1);
    // In f64, in which the squares of small f32 numbers are not yet 0. A norm of 0 becomes 1: what it belongs
    // to stays 0.
    const Tensor norm = norms(cast(groups, Dtype::f64));
    const Tensor factor = relu(1 - rate * weight(groups) / (norm + zeros_of(norm)));
    return reshape(groups * cast(factor, w.dtype()), w.shape());
  }

 private:
  static Tensor zeros_of(const Tensor& x) { return cast(equal(x, 0), x.dtype()); }
  /// The channels' norms, [channels, 1], of derivative 0 where they are 0.
  static Tensor norms(const Tensor& groups) {
    const Tensor squares = sum(groups * groups, {1}, true);
    const Tensor zero = zeros_of(squares);
    return sqrt(squares + zero) * (1 - zero);
  }
  double weight(const Tensor& groups) const {
    return lambda_ * std::sqrt(static_cast<double>(groups.shape()[1]));
  }

  double lambda_;
};

class Orthogonality final : public Regulariser::Penalty {
 public:
  explicit Orthogonality(double lambda) : lambda_(lambda) {}

  Tensor term(const Tensor& w) const override {
    const Tensor rows = channels("orthogonality", w, 2);
    const Tensor excess = matmul(rows, transpose(rows, 0, 1)) - identity(rows);
    return sum(excess * excess) * lambda_;
  }
  Tensor proximal(const Tensor&, double) const override {
    throw ValueError("orthogonality", "has no proximal step: add its term to the loss");
  }

 private:
  /// One row of the identity for each row, of its type and on its device.
  static Tensor identity(const Tensor& rows) {
    const int64_t n = rows.shape()[0];
    if (rows.device() == kMeta) return empty({n, n}, rows.dtype(), kMeta);
    std::vector<int64_t> places(static_cast<size_t>(n));
    std::iota(places.begin(), places.end(), 0);
    return one_hot(from_values(places, {n}), n, rows.dtype());
  }

  double lambda_;
};

}  // namespace

nn::NamedTensors select(const nn::NamedTensors& parameters, std::string_view pattern) {
  nn::NamedTensors selected;
  std::string names;
  for (const auto& entry : parameters) {
    if (name_matches(pattern, entry.first)) selected.push_back(entry);
    names += (names.empty() ? "" : ", ") + entry.first;
  }
  if (selected.empty())
    throw ValueError("select", "no parameter matches \"" + std::string(pattern) + "\"; there are: " + names);
  return selected;
}

Regulariser::Penalty::~Penalty() = default;

Regulariser::Regulariser(std::string pattern, std::shared_ptr<const Penalty> penalty) {
  if (!penalty) throw ValueError("Regulariser", "no penalty for \"" + pattern + "\"");
  parts_.push_back({std::move(pattern), std::move(penalty)});
}

Regulariser Regulariser::operator+(const Regulariser& other) const {
  Regulariser both = *this;
  both.parts_.insert(both.parts_.end(), other.parts_.begin(), other.parts_.end());
  return both;
}

Tensor Regulariser::operator()(const nn::NamedTensors& parameters) const {
  Tensor total;
  for (const Part& part : parts_) {
    for (const auto& [name, parameter] : select(parameters, part.pattern)) {
      const Tensor term = part.penalty->term(parameter);
      total = total.defined() ? total + term : term;
    }
  }
  return total;
}

void Regulariser::proximal_step_(const nn::NamedTensors& parameters, double rate) const {
  if (!std::isfinite(rate) || rate < 0) {
    throw ValueError("proximal_step_",
                     "a rate of " + std::to_string(rate) + "; expected a finite number, 0 or above");
  }
  const NoGrad no_grad;
  // Where a step throws, no parameter has changed yet.
  nn::NamedTensors stepped = parameters;
  for (auto& [name, value] : stepped) value = value.detach();
  const nn::NamedTensors before = stepped;
  for (const Part& part : parts_) {
    select(parameters, part.pattern);
    for (auto& [name, value] : stepped) {
      if (name_matches(part.pattern, name)) value = part.penalty->proximal(value, rate);
    }
  }
  for (size_t i = 0; i < stepped.size(); ++i) {
    if (!stepped[i].second.is(before[i].second)) copy_(parameters[i].second, stepped[i].second);
  }
}

Regulariser l1(std::string pattern, double lambda) {
  return {std::move(pattern), std::make_shared<ElasticNet>(checked("l1", lambda), 0)};
}

Regulariser l2(std::string pattern, double lambda) {
  return {std::move(pattern), std::make_shared<ElasticNet>(0, checked("l2", lambda))};
}

Regulariser elastic_net(std::string pattern, double lambda1, double lambda2) {
  return {std::move(pattern),
          std::make_shared<ElasticNet>(checked("elastic_net", lambda1), checked("elastic_net", lambda2))};
}

Regulariser group_lasso(std::string pattern, double lambda) {
  return {std::move(pattern), std::make_shared<GroupLasso>(checked("group_lasso", lambda))};
}

Regulariser orthogonality(std::string pattern, double lambda) {
  return {std::move(pattern), std::make_shared<Orthogonality>(checked("orthogonality", lambda))};
}

}  // namespace espalier::optim
