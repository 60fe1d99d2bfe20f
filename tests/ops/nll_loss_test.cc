#include "ops/nll_loss.h"

#include "tests/ops/class_loss_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample nll_loss_sample(std::string label, const Shape& scores, const ClassLoss& loss = {},
                         bool weighted = false, double lowest = 0, Dtype index = Dtype::i64) {
  Shape rows = scores;
  rows.erase(rows.rank() - 1);
  return {std::move(label) + ", " + std::string(to_string(loss.reduction)),
          {{scores, -3, 0},
           {rows, lowest, static_cast<double>(scores.back()), index},
           {.shape = {scores.back()}, .low = 0.5, .high = 2, .differentiable = false, .absent = !weighted}},
          [loss](Inputs in) {
            return Tensors{nll_loss(
                in[0], in[1], {.weight = in[2], .ignore_index = loss.ignored, .reduction = loss.reduction})};
          },
          [loss](const Arrays& in) { return class_loss_reference(loss, in[0], in[1], false, in[2]); }};
}

std::vector<OpSample> nll_loss_samples() {
  std::vector<OpSample> result = {
      nll_loss_sample("digits", {5, 10}), nll_loss_sample("one row without a batch", {4}),
      nll_loss_sample("several blocks of rows", {2100, 3}),
      nll_loss_sample("i32 targets", {7, 3}, {}, false, 0, Dtype::i32), nll_loss_sample("no rows", {0, 3})};
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
    result.push_back(nll_loss_sample("tokens", {2, 3, 17}, {.reduction = reduction}));
    result.push_back(nll_loss_sample("weights, ignored", {9, 3}, {0, -1, reduction}, true, -1));
  }
  return result;
}

}  // namespace

OpTest nll_loss_test() {
  std::vector<OpError> errors =
      class_loss_errors("nll_loss", [](const Tensor& scores, const Tensor& targets, const Tensor& weight) {
        nll_loss(scores, targets, {.weight = weight});
      });
  errors.push_back({"targets that are not indices",
                    [] { nll_loss(zeros({2, 3}), zeros({2})); },
                    "TypeError",
                    {"nll_loss", "f32[2]", "i32 or i64"}});
  return {
      .name = "nll_loss",
      .covers = {"nll_loss_backward"},
      .samples = nll_loss_samples(),
      .errors = errors,
      .benchmarks = {nll_loss_sample("32 x 10", {32, 10}), nll_loss_sample("8192 x 1000", {8192, 1000})},
  };
}

}  // namespace espalier::test
