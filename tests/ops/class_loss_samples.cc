#include "tests/ops/class_loss_samples.h"

#include <cmath>
#include <limits>

#include "autograd/autograd.h"
#include "tests/ops/element_loss_samples.h"

namespace espalier::test {

Array log_softmax_of(const Array& logits) {
  Array result = logits;
  const int64_t classes = logits.shape.back();
  for (int64_t row = 0; classes > 0 && row < count(logits.shape) / classes; ++row) {
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t i = 0; i < classes; ++i) top = std::max(top, logits[row * classes + i]);
    for (int64_t i = 0; i < classes; ++i) sum += std::exp(logits[row * classes + i] - top);
    for (int64_t i = 0; i < classes; ++i) result[row * classes + i] -= top + std::log(sum);
  }
  return result;
}

Arrays class_loss_reference(const ClassLoss& loss, const Array& log_probabilities, const Array& targets,
                            bool mixed, const Array& weights) {
  Shape rows = log_probabilities.shape;
  const int64_t classes = rows.back();
  rows.erase(rows.rank() - 1);
  Array terms(rows);
  const auto weight = [&](int64_t label) { return weights.shape.empty() ? 1 : weights[label]; };
  const double share = loss.smoothing / static_cast<double>(classes);
  double divisor = 0;
  for (int64_t row = 0; row < count(rows); ++row) {
    const int64_t target = mixed ? -1 : static_cast<int64_t>(targets[row]);
    if (!mixed && target == loss.ignored) continue;
    divisor += mixed ? 1 : weight(target);
    for (int64_t i = 0; i < classes; ++i) {
      const double own = mixed ? targets[row * classes + i] : static_cast<double>(i == target);
      const double q = weight(i) * ((1 - loss.smoothing) * own + share);
      if (q != 0) terms[row] -= q * log_probabilities[row * classes + i];
    }
  }
  if (loss.reduction != LossReduction::mean) return reduced_terms(terms, loss.reduction);
  Arrays result = reduced_terms(terms, LossReduction::sum);
  result[0][0] /= divisor;
  return result;
}

std::vector<OpError> class_loss_errors(
    const std::string& name,
    const std::function<void(const Tensor& scores, const Tensor& targets, const Tensor& weight)>& run) {
  const auto indices = [](std::initializer_list<int64_t> values, const Shape& shape) {
    return from_values(values, shape);
  };
  return {
      {"target too large",
       [=] { run(zeros({2, 3}), indices({2, 3}, {2}), {}); },
       "ValueError",
       {name, "class index 3", "position [1]", "[0, 3)"}},
      {"negative target",
       [=] { run(zeros({2, 2, 3}), indices({0, -100, -1, 7}, {2, 2}), {}); },
       "ValueError",
       {name, "class index -1", "position [1, 0]", "[0, 3)"}},
      {"no classes", [=] { run(zeros({1, 0}), indices({0}, {1}), {}); }, "ValueError", {name, "[0, 0)"}},
      {"rows that differ",
       [=] { run(zeros({2, 3}), indices({0, 0, 0}, {3}), {}); },
       "ShapeError",
       {name, "f32[2, 3]", "i64[3]", "[..., classes]", "class_axis = 1"}},
      {"scores without axes", [=] { run(zeros({}), indices({0}, {}), {}); }, "ShapeError", {name, "f32[]"}},
      {"undefined scores", [=] { run(Tensor(), indices({0}, {1}), {}); }, "ValueError", {name, "undefined"}},
      {"undefined targets", [=] { run(zeros({2, 3}), {}, {}); }, "ValueError", {name, "undefined"}},
      {"weights for other classes",
       [=] { run(zeros({1, 3}), indices({0}, {1}), ones({2})); },
       "ShapeError",
       {name, "f32[2]", "f32[1, 3]", "[3]"}},
      {"weights of another type",
       [=] { run(zeros({1, 3}), indices({0}, {1}), ones({3}, Dtype::f64)); },
       "TypeError",
       {name, "f64[3]"}},
      {"weights that want a gradient",
       [=] { run(zeros({1, 3}), indices({0}, {1}), requires_grad_(ones({3}))); },
       "GradientError",
       {name, "detach"}},
  };
}

}  // namespace espalier::test
