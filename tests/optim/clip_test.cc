#include "optim/clip.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/optim/test_model.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"

namespace espalier::optim {
namespace {

using test::backward_once;
using test::kNan;
using test::message_of;
using test::TwoScales;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

struct Gradients {
  explicit Gradients(double second = 12) {
    a.set_grad(from_values<double>({3, 4}, {2}));
    b.set_grad(from_values<double>({second}, {1}));
  }
  std::vector<Tensor> list() const { return {a, idle, b}; }

  Tensor a = requires_grad_(zeros({2}, Dtype::f64));
  Tensor idle = requires_grad_(zeros({5}));
  Tensor b = requires_grad_(zeros({1}, Dtype::f64));
};

TEST(ClipGradNorm, FollowsPyTorch) {
  // a.grad = torch.tensor([3., 4.]); b.grad = torch.tensor([12.])
  // torch.nn.utils.clip_grad_norm_([a, b], 2.0), in double precision
  const Gradients gradients;
  EXPECT_EQ(clip_grad_norm(gradients.list(), 2).item(), 13);
  const std::vector<double> a = gradients.a.grad().to_vector<double>();
  EXPECT_NEAR(a[0], 0.46153842603550577, 1e-15);
  EXPECT_NEAR(a[1], 0.615384568047341, 1e-15);
  EXPECT_NEAR(gradients.b.grad().item(), 1.846153704142023, 1e-15);
  EXPECT_FALSE(gradients.idle.grad().defined());
}

TEST(ClipGradNorm, SmallGradientsStayAndHandlesSeeTheChange) {
  const Gradients gradients;
  const Tensor handle = gradients.b.grad();
  EXPECT_EQ(clip_grad_norm(gradients.list(), 13.1).item(), 13);
  EXPECT_EQ(handle.item(), 12);
  clip_grad_norm(gradients.list(), 1);
  EXPECT_LT(handle.item(), 1);
}

TEST(ClipGradNorm, OfAModel) {
  TwoScales model;
  EXPECT_EQ(clip_grad_norm(model, 1).item(), 0);
  backward_once(model);
  EXPECT_GT(clip_grad_norm(model, 1).item(), 1);
  EXPECT_NEAR(clip_grad_norm(model, 1).item(), 1, 1e-6);
}

TEST(ClipGradNorm, NormsThatAreNotFinite) {
  const Gradients infinite(HUGE_VAL);
  EXPECT_THAT(message_of<NumericError>([&] { clip_grad_norm(infinite.list(), 1, NonFinite::refuse); }),
              HasSubstr("total norm of the gradients is inf"));
  EXPECT_THAT(infinite.a.grad().to_vector<double>(), ElementsAre(3, 4));
  EXPECT_EQ(clip_grad_norm(infinite.list(), 1).item(), HUGE_VAL);
  EXPECT_THAT(infinite.a.grad().to_vector<double>(), ElementsAre(0, 0));
  EXPECT_THAT(infinite.b.grad().item(), IsNan());
  const Gradients none(kNan);
  EXPECT_THROW(clip_grad_norm(none.list(), 1, NonFinite::refuse), NumericError);
  EXPECT_THAT(clip_grad_norm(none.list(), 1).item(), IsNan());
  EXPECT_THAT(none.a.grad().to_vector<double>(), ElementsAre(IsNan(), IsNan()));
}

TEST(ClipGradNorm, RefusesWrongBounds) {
  const Gradients gradients;
  EXPECT_THAT(message_of<ValueError>([&] { clip_grad_norm(gradients.list(), -1); }),
              HasSubstr("[clip_grad_norm] max_norm is -1"));
  EXPECT_THROW(clip_grad_norm(gradients.list(), kNan), ValueError);
  EXPECT_THROW(clip_grad_value(gradients.list(), kNan), ValueError);
  EXPECT_THAT(message_of<ValueError>([&] { clip_grad_value(gradients.list(), -1); }),
              HasSubstr("[clip_grad_value] limit is -1"));
}

TEST(ClipGradValue, BringsElementsIntoTheInterval) {
  const Gradients gradients(-12);
  clip_grad_value(gradients.list(), 3.5);
  EXPECT_THAT(gradients.a.grad().to_vector<double>(), ElementsAre(3, 3.5));
  EXPECT_EQ(gradients.b.grad().item(), -3.5);
}

}  // namespace
}  // namespace espalier::optim
