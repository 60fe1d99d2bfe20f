#include "ops/distance_losses.h"

#include <limits>

#include "core/error.h"
#include "ops/cast.h"
#include "ops/likelihood_losses.h"
#include "tests/ops/loss_checks.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

// The inputs of all tests; the last vector of `a` is zero, that of `smooth_a` is not: there the norm has no
// second derivative.
const Doubles kA = {1, 2, -1, 0.5, -0.25, 3, 0, 0, 0};
Tensor a() {
  return f64(kA, {3, 3});
}
Tensor smooth_a() {
  return f64({1, 2, -1, 0.5, -0.25, 3, 0.3, -0.4, 0.7}, {3, 3});
}
Tensor b() {
  return f64({0.5, 1, 2, 1, -2, 0.25, 1, 2, 3}, {3, 3});
}
Tensor c() {
  return f64({2, 1, 0, 0.75, 0.5, 2, -1, 1, 0.5}, {3, 3});
}

TEST(Distances, CosineSimilarity) {
  // A vector of zeros counts as one of norm 1e-8, hence its gradient.
  expect_loss(
      [](const Tensor& x) { return cosine_similarity(x, b()); }, a(),
      {0.08908708063747484, 0.25487215305036814, 0},
      {0.07423923386456234, 0.14847846772912468, 0.3711961693228117, 0.1319568194124629, -0.28444025517797555,
       -0.04569615783357512, 26726124.191242438, 53452248.382484876, 80178372.57372732});
  expect_loss([](const Tensor& x) { return cosine_similarity(x, b(), {.axis = 0}); }, a(),
              {0.5962847939999438, 0.41344911529736156, -0.1093696598149518},
              {-0.1788854381999831, -0.038164533719756505, 0.16405448972242764, 0.3577708763999663,
               -0.3053162697580516, 0.05468482990747588, 0.5962847939999438, 0.33075929223788925,
               0.26248718355588424});
  expect_gradients([](const auto& in) { return cosine_similarity(in[0], in[1]); }, {smooth_a(), b()});
  // One vector for all, with its axis counted in the result.
  const Tensor one = f64({1, 2, 3}, {3});
  const Tensor broadcast = cosine_similarity(a(), one);
  EXPECT_EQ(to_string(broadcast.shape()), "[3]");
  EXPECT_NEAR(broadcast.to_vector<double>()[0], 2 / std::sqrt(6 * 14.0), 1e-15);
}

TEST(Distances, CosineSimilarityAtTheEndsOfF32AsTorch) {
  // The norm of what overflows when it is squared is infinite.
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = from_values<float>({1e30F, 1e30F, 0, 0, NAN, 1, inf, 1, 1e-42F, 0}, {5, 2});
  EXPECT_THAT(cosine_similarity(x, ones({5, 2})).to_vector<float>(),
              ElementsAre(0, 0, IsNan(), IsNan(), testing::FloatNear(7.0747948e-35F, 1e-39F)));
  EXPECT_THAT(cosine_embedding_loss(x, ones({5, 2}), ones({5})).to_vector<float>(), ElementsAre(IsNan()));
  // f16 is computed in f32: 300^2 would overflow.
  const Tensor half = cast(full({1, 2}, 300.0), Dtype::f16);
  EXPECT_EQ(cosine_similarity(half, half).item(), 1);
}

TEST(Distances, CosineEmbeddingLoss) {
  const auto loss = [](LossReduction reduction) {
    return [reduction](const Tensor& x) {
      return cosine_embedding_loss(x, b(), f64({1, -1, -1}, {3}), {.margin = -0.25, .reduction = reduction});
    };
  };
  const Doubles gradient = {-0.07423923386455154, -0.1484784677291031, -0.3711961693227429,
                            0.13195681941244425,  -0.2844402551779329, -0.04569615783355933,
                            267261.2424463765,    534522.484892753,    801783.7273391294};
  expect_loss(loss(LossReduction::none), a(), {0.9109129193625412, 0.5048721530503293, 0.25}, gradient);
  Doubles third = gradient;
  for (double& value : third) value /= 3;
  expect_loss(loss(LossReduction::mean), a(), {0.5552616908042901}, third);
  expect_gradients(
      [](const auto& in) {
        return cosine_embedding_loss(in[0], in[1], f64({1, -1, -1}, {3}), {.margin = -0.25});
      },
      {smooth_a(), b()});
  EXPECT_THAT(message_of<ValueError>([] { cosine_embedding_loss(a(), b(), f64({1, 0, 1}, {3})); }),
              AllOf(HasSubstr("target 0"), HasSubstr("position [1]")));
}

TEST(Distances, TripletMarginLossInSeveralNorms) {
  const auto loss = [](double p, bool swap) {
    return [=](const Tensor& x) {
      return triplet_margin_loss(
          x, b(), c(),
          {.margin = 2, .p = p, .swap = swap, .reduction = swap ? LossReduction::mean : LossReduction::none});
    };
  };
  expect_loss(loss(1, false), a(), {3.5000019999999994, 5.000002, 5.499998000000001},
              {2, 0, 0, 0, 2, 0, -2, 0, 0});
  expect_loss(loss(1, true), a(), {4.666667333333334}, {2.0 / 3, 0, 0, 0, 2.0 / 3, 0, -2.0 / 3, 0, 0});
  expect_loss(
      loss(2, false), a(), {3.469511419976195, 4.022972824125959, 4.241656116538917},
      {0.733523981379916, -0.265003157155845, -0.3596925118230796, 0.044496100964909774, 1.1190163595053795,
       0.04944251943467559, -0.9339285706728797, 0.13214370250295804, -0.46845106135725334});
  expect_loss(loss(2, true), a(), {3.9113801202136904},
              {0.24450799379330532, -0.08833438571861499, -0.11989750394102655, 0.01483203365496992,
               0.3730054531684598, 0.016480839811558512, -0.3113095235576266, 0.044047900834319365,
               -0.1561503537857511});
  expect_loss(loss(3, false), a(), {3.598851070235847, 3.844551378705137, 4.016285320733104},
              {0.5077813476635329, -0.37262282744545455, -0.49240299106992363, 0.020786871152056952,
               0.7880745090902277, 0.07042209371137587, -0.6967288747208235, 0.2381256415311881,
               -0.6742306150885002});
  expect_loss(loss(kInfinity, true), a(), {3.916665333333333},
              {0, -1.0 / 3, -1.0 / 3, 0, 0, 0, -1.0 / 3, 0, -1.0 / 3});
  for (const double p : {1.0, 2.0, 3.0}) {
    expect_gradients(
        [p](const auto& in) {
          return triplet_margin_loss(in[0], in[1], in[2], {.margin = 2, .p = p, .swap = true});
        },
        {smooth_a(), b(), c()});
  }
}

TEST(Distances, TripletMarginLossTakesTheNearerOfTwoDistances) {
  // Positives c, negatives b, which lie nearer to those than to the anchors.
  const auto loss = [](bool swap) {
    return [=](const Tensor& x) {
      return triplet_margin_loss(x, c(), b(), {.margin = 2, .swap = swap, .reduction = LossReduction::none});
    };
  };
  expect_loss(loss(false), a(), {0.5304885800238051, 0, 0},
              {-0.733523981379916, 0.265003157155845, 0.3596925118230796, 0, 0, 0, 0, 0, 0});
  expect_loss(loss(true), a(), {1.232050430218786, 0.2128913935256591, 0.14589934020108197},
              {-0.5773498842890614, 0.5773510389899846, -0.5773498842890614, -0.19611535067346247,
               -0.5883476209494685, 0.7844653250165526, 0.6666674814812346, -0.6666661481476049,
               -0.3333327407403951});
}

TEST(Distances, NormsOfZeroHaveNoNan) {
  const Tensor x = requires_grad_(zeros({1, 2}));
  for (const float p : {1.0F, 2.0F, 2.5F, kInfinity}) {
    backward(triplet_margin_loss(x, zeros({1, 2}), ones({1, 2}), {.margin = 3, .p = p, .eps = 0}));
    for (const float g : x.grad().to_vector<float>()) EXPECT_TRUE(std::isfinite(g)) << p;
  }
}

TEST(Distances, MarginRankingLoss) {
  const Tensor targets = f64({1, 1, 1, -1, -1, -1, 1, 1, 1}, {3, 3});
  const double ninth = 1.0 / 9;
  expect_loss([&](const Tensor& x) { return margin_ranking_loss(x, b(), targets, {.margin = 0.5}); }, a(),
              {1.8333333333333333}, {0, 0, -ninth, 0, ninth, ninth, -ninth, -ninth, -ninth});
}

TEST(Distances, WrongUsesGiveTypedErrors) {
  const Tensor x = zeros({2, 3}), y = zeros({3});
  EXPECT_THAT(message_of<ShapeError>([&] { triplet_margin_loss(x, x, y); }),
              AllOf(HasSubstr("triplet_margin_loss"), HasSubstr("f32[3]")));
  EXPECT_THAT(message_of<TypeError>([&] { cosine_similarity(x, zeros({2, 3}, Dtype::f64)); }),
              AllOf(HasSubstr("cosine_similarity"), HasSubstr("f64[2, 3]")));
  EXPECT_THROW(cosine_similarity(x, x, {.axis = 2}), ShapeError);
  EXPECT_THROW(cosine_similarity(x, Tensor()), ValueError);
  EXPECT_THROW(cosine_embedding_loss(x, x, ones({3})), ShapeError);
  EXPECT_THROW(margin_ranking_loss(x, x, y), ShapeError);
  EXPECT_THROW(poisson_nll_loss(x, y), ShapeError);
  EXPECT_THROW(gaussian_nll_loss(x, x, zeros({4, 2, 3})), ShapeError);
  EXPECT_THROW(triplet_margin_loss(x, x, x, {.margin = 0}), ValueError);
  EXPECT_THROW(triplet_margin_loss(x, x, x, {.p = 0}), ValueError);
  EXPECT_THROW(triplet_margin_loss(zeros({}), zeros({}), zeros({})), ShapeError);
}

TEST(Likelihoods, PoissonNllLoss) {
  // Targets |c|.
  const Tensor counts = f64({2, 1, 0, 0.75, 0.5, 2, 1, 1, 0.5}, {3, 3});
  expect_loss(
      [&](const Tensor& x) {
        return poisson_nll_loss(x, counts, {.full = true, .reduction = LossReduction::none});
      },
      a(),
      {1.370088313063581, 5.38905609893065, 0.36787944117144233, 1.2737212707001282, 0.9038007830714049,
       14.737343407792205, 1, 1, 1},
      {0.7182818284590451, 6.38905609893065, 0.36787944117144233, 0.8987212707001282, 0.2788007830714049,
       18.085536923187668, 0, 0, 0.5});
  // Rates |b|, targets c.
  expect_loss(
      [](const Tensor& x) {
        return poisson_nll_loss(x, c(), {.log_input = false, .reduction = LossReduction::none});
      },
      f64({0.5, 1, 2, 1, 2, 0.25, 1, 2, 3}, {3, 3}),
      {1.8862943211198908, 0.9999999900000001, 2, 0.9999999925, 1.6534264072200273, 3.022588642239783,
       1.00000001, 1.3068528144400546, 2.4506938539992786},
      {-2.9999999200000014, 9.999999828202988e-09, 1, 0.25000000749999984, 0.75000000125, -6.999999680000013,
       1.99999999, 0.5000000025, 0.8333333338888889});
}

TEST(Likelihoods, GaussianNllLoss) {
  // Variances below 1e-6 count as 1e-6.
  const Tensor variances = f64({0.5, 1e-9, 2, 1, 0.25, 0, 3, 1, 1}, {3, 3});
  expect_loss(
      [&](const Tensor& x) { return gaussian_nll_loss(x, b(), variances, {.full = true}); }, a(),
      {475695.52530687465},
      {0.1111111111111111, 111111.11111111111, -0.16666666666666666, -0.05555555555555555, 0.7777777777777777,
       305555.55555555556, -0.037037037037037035, -0.2222222222222222, -0.3333333333333333});
  expect_loss(
      [](const Tensor& v) { return gaussian_nll_loss(a(), b(), v, {.reduction = LossReduction::none}); },
      variances,
      {-0.09657359027997264, 499993.092244721, 2.5965735902799727, 0.125, 5.431852819440055,
       3781243.092244721, 0.7159728110007215, 2, 4.5},
      {0.5, -499999500000.0, -0.875, 0.375, -22.5, -3781249500000.0, 0.1111111111111111, -1.5, -4});
}

}  // namespace
}  // namespace espalier::test
