#include "ops/hinge_embedding_loss.h"

#include <cmath>
#include <limits>

#include "ops/cast.h"
#include "ops/multiply.h"
#include "ops/subtract.h"
#include "tests/ops/element_loss_samples.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& t, LossReduction reduction) {
  return hinge_embedding_loss(x, t, {.margin = 0.75, .reduction = reduction});
}

OpSample hinge_embedding_sample(std::string label, const Shape& shape, LossReduction reduction) {
  return {std::move(label) + ", " + std::string(to_string(reduction)),
          {{shape, -2, 2}, {shape, 0, 2, Dtype::i64}},
          [=](Inputs in) {
            return Tensors{hinge_embedding_loss(in[0], cast(in[1] * 2 - 1, in[0].dtype()), reduction)};
          },
          [=](const Arrays& in) {
            Array terms(shape);
            for (int64_t i = 0; i < count(shape); ++i)
              terms[i] = in[1][i] == 1 ? in[0][i] : std::max(0.0, 0.75 - in[0][i]);
            return reduced_terms(terms, reduction);
          }};
}

}  // namespace

OpTest hinge_embedding_loss_test() {
  std::vector<OpError> errors = element_loss_errors(hinge_embedding_loss, "hinge_embedding_loss");
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::none}) {
    errors.push_back(
        {"a target of 0, " + std::string(to_string(reduction)),
         [=] { hinge_embedding_loss(zeros({2, 2}), from_values<float>({1, -1, 1, 0}, {2, 2}), reduction); },
         "ValueError",
         {"hinge_embedding_loss", "target 0", "position [1, 1]", "f32[2, 2]", "1 nor -1"}});
  }
  errors.push_back({"endless margin",
                    [] { hinge_embedding_loss(zeros({2}), ones({2}), {.margin = INFINITY}); },
                    "ValueError",
                    {"hinge_embedding_loss", "margin inf"}});
  return {
      .name = "hinge_embedding_loss",
      .covers = {"hinge_embedding_loss_backward"},
      .samples = {hinge_embedding_sample("matrix", {3, 5}, LossReduction::mean),
                  hinge_embedding_sample("matrix", {3, 5}, LossReduction::sum),
                  hinge_embedding_sample("images", {2, 3, 2, 2}, LossReduction::none),
                  hinge_embedding_sample("scalar", {}, LossReduction::mean),
                  hinge_embedding_sample("empty", {0, 3}, LossReduction::mean),
                  hinge_embedding_sample("empty", {0, 3}, LossReduction::none),
                  fixed_loss_sample(
                      "extremes", hinge_embedding_loss,
                      {NAN, NAN, kInfinity, kInfinity, -kInfinity, -kInfinity, 1e30F, -1e30F, 1e-42F},
                      {1, -1, 1, -1, 1, -1, -1, -1, 1},
                      {NAN, NAN, kInfinity, 0, -kInfinity, kInfinity, 0, double{1e30F}, double{1e-42F}})},
      .errors = errors,
      .benchmarks = {hinge_embedding_sample("1M", {1024, 1024}, LossReduction::mean)},
  };
}

}  // namespace espalier::test
