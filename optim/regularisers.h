#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nn/state.h"

namespace espalier::optim {

/// The parameters whose dotted name matches `pattern`, in which `*` stands for any characters, dots included,
/// and `?` for one. Throws ValueError that lists the names where there is none.
ESPALIER_API nn::NamedTensors select(const nn::NamedTensors& parameters, std::string_view pattern);
template <nn::Visitable M>
nn::NamedTensors select(M& model, std::string_view pattern) {
  return select(nn::named_parameters(model), pattern);
}

/// Penalties on the parameters whose names match patterns, as a value: penalties add up with `+`. They act in
/// one of two ways. As a term to add to a loss:
///
///   const optim::Regulariser penalty = optim::l1("*.weight", 1e-5) + optim::group_lasso("conv*.weight",
///   1e-4); backward(cross_entropy(model(x), y) + penalty(model));
///
/// or as a proximal step after the optimiser's, which, unlike a gradient, makes entries and groups exactly 0:
///
///   optimiser.step();
///   penalty.proximal_step_(model, optimiser.learning_rate());
///
/// The proximal step of a penalty f with the rate t replaces w by the minimiser of f(v) + |v - w|^2 / (2 t)
/// (Parikh & Boyd, "Proximal Algorithms", 2014, chapters 4.2 and 6): gradient descent on the loss with such
/// steps minimises loss + f. With Adam and other methods that scale each gradient, the step is the same, at
/// the learning rate; what is minimised is then another weighting of the two.
///
/// Several penalties on one parameter take their steps in the order in which they were added. That is the
/// proximal step of the sum for l1 followed by l2 or by group_lasso (Yu, "On Decomposing the Proximal Map",
/// NeurIPS 2013), and an approximation else.
class ESPALIER_API Regulariser {
 public:
  /// One penalty: what it makes of a parameter, in simple operations.
  class ESPALIER_API Penalty {
   public:
    virtual ~Penalty();
    /// The penalty of `weight`, without axes, differentiable.
    virtual Tensor term(const Tensor& weight) const = 0;
    /// What a proximal step makes of `weight`. Throws ValueError where the penalty has none.
    virtual Tensor proximal(const Tensor& weight, double rate) const = 0;
  };

  /// A penalty of one's own on the parameters that match.
  Regulariser(std::string pattern, std::shared_ptr<const Penalty> penalty);

  Regulariser operator+(const Regulariser& other) const;

  /// The sum of all penalties, without axes, as a term to add to a loss. Throws as select() does.
  Tensor operator()(const nn::NamedTensors& parameters) const;
  template <nn::Visitable M>
  Tensor operator()(M& model) const {
    return (*this)(nn::named_parameters(model));
  }

  /// Replaces, in place and unrecorded, each parameter by what the proximal steps make of it; `rate` is the
  /// learning rate of the optimiser's step before. Throws as select() does, and ValueError for a rate that is
  /// negative or not finite and for a penalty without a proximal step; then nothing is changed.
  void proximal_step_(const nn::NamedTensors& parameters, double rate) const;
  template <nn::Visitable M>
  void proximal_step_(M& model, double rate) const {
    proximal_step_(nn::named_parameters(model), rate);
  }

 private:
  struct Part {
    std::string pattern;
    std::shared_ptr<const Penalty> penalty;
  };
  std::vector<Part> parts_;
};

// The penalties. Each throws ValueError for a factor that is negative or not finite.

/// lambda sum |w| over all entries. Its gradient, lambda times the sign, drives entries towards 0; its
/// proximal step, the soft threshold sign(w) max(|w| - t lambda, 0), sets small ones to 0.
ESPALIER_API Regulariser l1(std::string pattern, double lambda);

/// lambda sum w^2 over all entries, without a factor 1/2. Its proximal step shrinks: w / (1 + 2 t lambda).
ESPALIER_API Regulariser l2(std::string pattern, double lambda);

/// lambda1 sum |w| + lambda2 sum w^2 (Zou & Hastie, "Regularization and variable selection via the elastic
/// net", 2005). Its proximal step is the soft threshold of l1 and then the shrinkage of l2.
ESPALIER_API Regulariser elastic_net(std::string pattern, double lambda1, double lambda2);

/// lambda times the sum, over a parameter's output channels (its first axis), of sqrt(entries in the channel)
/// times the channel's 2-norm: drives whole channels to 0. (Yuan & Lin, "Model selection and estimation in
/// regression with grouped variables", 2006; of networks' channels: Wen et al., "Learning Structured Sparsity
/// in Deep Neural Networks", NeurIPS 2016.) A vector's channels are its entries. The gradient of a channel of
/// zeros is 0; its proximal step multiplies a channel by max(0, 1 - t lambda sqrt(entries) / norm). Throws
/// ShapeError for a parameter without axes.
ESPALIER_API Regulariser group_lasso(std::string pattern, double lambda);

/// lambda |W W^T - I|^2, the sum of squared entries, of a parameter's matrix W of output channels (its first
/// axis) by all else: drives the channels towards length 1 and right angles. (Brock et al., "Neural Photo
/// Editing with Introspective Adversarial Networks", ICLR 2017.) With more channels than entries in each it
/// cannot become 0. Has no proximal step. Throws ShapeError for a parameter of less than two axes.
ESPALIER_API Regulariser orthogonality(std::string pattern, double lambda);

// The terms at once, of the parameters that match: `l2(model, "*.weight", 1e-4)` is `l2("*.weight",
// 1e-4)(model)`.

template <class M>
Tensor l1(M&& model, std::string_view pattern, double lambda) {
  return l1(std::string(pattern), lambda)(model);
}
template <class M>
Tensor l2(M&& model, std::string_view pattern, double lambda) {
  return l2(std::string(pattern), lambda)(model);
}
template <class M>
Tensor elastic_net(M&& model, std::string_view pattern, double lambda1, double lambda2) {
  return elastic_net(std::string(pattern), lambda1, lambda2)(model);
}
template <class M>
Tensor group_lasso(M&& model, std::string_view pattern, double lambda) {
  return group_lasso(std::string(pattern), lambda)(model);
}
template <class M>
Tensor orthogonality(M&& model, std::string_view pattern, double lambda) {
  return orthogonality(std::string(pattern), lambda)(model);
}

}  // namespace espalier::optim
