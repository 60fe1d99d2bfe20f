#include "ops/cross_entropy.h"

#include "tests/ops/class_loss_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

struct Use {
  ClassLoss loss = {};
  bool weighted = false;
  Dtype index = Dtype::i64;
  double range = 2;
  double lowest = 0;  ///< of the targets
};

OpSample cross_entropy_sample(std::string label, const Shape& logits, const Use& use = {}) {
  Shape rows = logits;
  rows.erase(rows.rank() - 1);
  return {
      std::move(label),
      {{logits, -use.range, use.range},
       {rows, use.lowest, static_cast<double>(logits.back()), use.index},
       {.shape = {logits.back()}, .low = 0.5, .high = 2, .differentiable = false, .absent = !use.weighted}},
      [use](Inputs in) {
        return Tensors{cross_entropy(in[0], in[1],
                                     {.weight = in[2],
                                      .label_smoothing = use.loss.smoothing,
                                      .ignore_index = use.loss.ignored,
                                      .reduction = use.loss.reduction})};
      },
      [use](const Arrays& in) {
        return class_loss_reference(use.loss, log_softmax_of(in[0]), in[1], false, in[2]);
      }};
}

/// Targets that are probabilities, or any numbers.
OpSample mixed(std::string label, const Shape& logits, const Use& use = {}) {
  return {
      std::move(label) + ", probabilities",
      {{logits, -use.range, use.range},
       {logits, 0, 1},
       {.shape = {logits.back()}, .low = 0.5, .high = 2, .differentiable = false, .absent = !use.weighted}},
      [use](Inputs in) {
        return Tensors{cross_entropy(
            in[0], in[1],
            {.weight = in[2], .label_smoothing = use.loss.smoothing, .reduction = use.loss.reduction})};
      },
      [use](const Arrays& in) {
        return class_loss_reference(use.loss, log_softmax_of(in[0]), in[1], true, in[2]);
      }};
}

std::vector<OpSample> cross_entropy_samples() {
  std::vector<OpSample> result = {
      cross_entropy_sample("digits", {5, 10}),
      cross_entropy_sample("i32 targets", {7, 3}, {.index = Dtype::i32}),
      cross_entropy_sample("one row without a batch", {4}),
      cross_entropy_sample("tokens", {2, 3, 17}),
      cross_entropy_sample("one class", {3, 1}),
      cross_entropy_sample("several blocks of rows", {130, 4}),
      cross_entropy_sample("rows longer than a tile", {2, 300}),
      cross_entropy_sample("extreme logits", {6, 5}, {.range = 3e4}),
      cross_entropy_sample("no rows", {0, 3}),
      mixed("no rows", {0, 3}),
  };
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
    const std::string label = std::string(to_string(reduction));
    const ClassLoss smooth = {0.1, 1, reduction};
    result.push_back(cross_entropy_sample(label, {2, 4, 5}, {.loss = {.reduction = reduction}}));
    result.push_back(
        cross_entropy_sample(label + ", ignored", {9, 3}, {.loss = {0, -1, reduction}, .lowest = -1}));
    result.push_back(
        cross_entropy_sample(label + ", weighted", {9, 3}, {.loss = {0, 1, reduction}, .weighted = true}));
    result.push_back(cross_entropy_sample(label + ", smooth", {9, 5}, {.loss = smooth}));
    result.push_back(
        cross_entropy_sample(label + ", smooth, weighted", {70, 3}, {.loss = smooth, .weighted = true}));
    result.push_back(mixed(label, {2, 3, 5}, {.loss = {.reduction = reduction}}));
    result.push_back(mixed(label + ", smooth, weighted", {7, 3}, {.loss = smooth, .weighted = true}));
  }
  result.push_back(
      cross_entropy_sample("long rows, smooth, weighted", {2, 300}, {.loss = {0.1}, .weighted = true}));
  result.push_back(mixed("long rows, smooth, weighted", {2, 300}, {.loss = {0.1}, .weighted = true}));
  return result;
}

std::vector<OpError> cross_entropy_errors() {
  std::vector<OpError> result = class_loss_errors(
      "cross_entropy", [](const Tensor& logits, const Tensor& targets, const Tensor& weight) {
        cross_entropy(logits, targets, {.weight = weight});
      });
  result.push_back({"probabilities of another shape",
                    [] { cross_entropy(zeros({2, 3}), zeros({2})); },
                    "ShapeError",
                    {"cross_entropy", "f32[2, 3]", "f32[2]", "i32 or i64"}});
  result.push_back({"probabilities of another type",
                    [] { cross_entropy(zeros({2, 3}), zeros({2, 3}, Dtype::f64)); },
                    "TypeError",
                    {"cross_entropy", "f64[2, 3]", "one type"}});
  result.push_back({"targets that are neither",
                    [] { cross_entropy(zeros({2, 3}), zeros({2}, Dtype::u8)); },
                    "TypeError",
                    {"cross_entropy", "u8[2]", "i32 or i64"}});
  for (const double smoothing : {-0.1, 1.5}) {
    result.push_back({"smoothing of " + std::to_string(smoothing),
                      [=] { cross_entropy(zeros({1, 3}), zeros({1, 3}), {.label_smoothing = smoothing}); },
                      "ValueError",
                      {"cross_entropy", "label_smoothing", "0 to 1"}});
  }
  result.push_back({"no such class axis",
                    [] { cross_entropy(zeros({1, 3}), zeros({1, 3}), {.class_axis = 2}); },
                    "ShapeError",
                    {"cross_entropy"}});
  return result;
}

}  // namespace

OpTest cross_entropy_test() {
  return {
      .name = "cross_entropy",
      .covers = {"cross_entropy_backward"},
      .samples = cross_entropy_samples(),
      .errors = cross_entropy_errors(),
      // The f32 exponentials and logarithms are within 1 ulp of the sum, which is larger than the loss of a
      // row by the largest logit; a sum has up to 70 rows.
      .tolerance = 16,
      .benchmarks = {cross_entropy_sample("32 x 10", {32, 10}), cross_entropy_sample("1024 x 65", {1024, 65}),
                     cross_entropy_sample("1024 x 65, smooth", {1024, 65}, {.loss = {0.1}}),
                     mixed("1024 x 65", {1024, 65}), cross_entropy_sample("256 x 50257", {256, 50257})},
  };
}

}  // namespace espalier::test
