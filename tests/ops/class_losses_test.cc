// What the test objects of the losses over classes leave open: PyTorch's numbers, and what happens at the
// ends of f32.

#include <cmath>
#include <limits>

#include "ops/cross_entropy.h"
#include "ops/divide.h"
#include "ops/exp.h"
#include "ops/multiply.h"
#include "ops/nll_loss.h"
#include "tests/ops/loss_checks.h"

namespace espalier::test {
namespace {

using testing::Each;
using testing::IsNan;
using testing::Pointwise;

// weight = [0.5, 2, 1.25], label_smoothing = 0.1; the third of the class indices [2, 0, -100, 1] is ignored.
const Doubles kLogits = {1, -2, 0.5, 0.25, 3, -1, -0.5, 0.75, 2, 1.5, -1, 0};
const Doubles kProbabilities = {.2, .3, .5, 0, 1, 0, .6, .1, .3, .25, .25, .5};

CrossEntropyOptions smooth_and_weighted(LossReduction reduction) {
  return {.weight = f64({0.5, 2, 1.25}, {3}), .label_smoothing = 0.1, .reduction = reduction};
}

TEST(CrossEntropyAsTorch, WeightsSmoothingAndIgnoredIndices) {
  const Tensor x = f64(kLogits, {4, 3}), t = from_values<int64_t>({2, 0, -100, 1}, {4});
  const auto loss = [&](LossReduction reduction) {
    return [&, reduction](const Tensor& in) { return cross_entropy(in, t, smooth_and_weighted(reduction)); };
  };
  expect_loss(loss(LossReduction::mean), x, {2.173720040230385},
              {0.19680518760509752, -0.007758148587919769, -0.18904703901717776, -0.11538708161359289,
               0.12390321482676181, -0.008516133213168948, 0, 0, 0, 0.3888495882544779, -0.46549423764489917,
               0.07664464939042122});
  const Doubles sums = {0.7380194535191156,
                        -0.029093057204699138,
                        -0.7089263963144165,
                        -0.43270155605097327,
                        0.4646370556003568,
                        -0.03193549954938355,
                        0,
                        0,
                        0,
                        1.4581859559542922,
                        -1.7456033911683717,
                        0.2874174352140796};
  expect_loss(loss(LossReduction::sum), x, {8.151450150863944}, sums);
  expect_loss(loss(LossReduction::none), x, {1.4140794612611876, 1.4954458158073574, 0, 5.241924873795399},
              sums);
}

TEST(CrossEntropyAsTorch, Probabilities) {
  const Tensor x = f64(kLogits, {4, 3}), t = f64(kProbabilities, {4, 3});
  const auto loss = [&](LossReduction reduction) {
    return [&, reduction](const Tensor& in) { return cross_entropy(in, t, smooth_and_weighted(reduction)); };
  };
  expect_loss(loss(LossReduction::mean), x, {1.7484340047732538},
              {0.17219312600228695, -0.14176602057343823, -0.030427105428848723, 0.024260654174728884,
               -0.021988551291005715, -0.002272102883723189, -0.05798423211040623, -0.0139102775722905,
               0.07189450968269673, 0.20713246038219027, -0.10951353752733309, -0.09761892285485721});
  const Tensor each = cross_entropy(x, t, smooth_and_weighted(LossReduction::none));
  EXPECT_THAT(each.to_vector<double>(), Pointwise(Close(), Doubles{2.7868897521692917, 0.3646446877028917,
                                                                   1.3113250377952481, 2.530876541425584}));
}

/// sin(0.37 i) for the logits of 2 images of 3 classes and 2 x 2 pixels.
Tensor image_logits() {
  Doubles values;
  for (int i = 0; i < 24; ++i) values.push_back(std::sin(0.37 * i));
  return f64(values, {2, 3, 2, 2});
}

const Doubles kImageGradient = {
    -0.03437903489825372, 0.03821868069556442,  0.08319731852325346,  0,
    0.025760442772645515, 0.0613162359032395,   -0.09977161410905112, 0,
    0.008618592125608213, -0.09953491659880394, 0.016574295585797653, 0,
    0.011597697440867529, 0.00911642455144374,  -0.04270876995447658, 0.01925970926048735,
    0.013057713214470525, 0.019970535983416735, 0.008802408445495924, -0.10923681624011443,
    -0.02465541065533807, -0.02908696053486049, 0.03390636150898065,  0.08997710697962708};

TEST(CrossEntropyAsTorch, ImagesHaveTheirClassesOnAxisOne) {
  // weight = [0.5, 2, 1.25], ignore_index = 255, label_smoothing = 0.2
  const Tensor t = from_values<int64_t>({0, 2, 1, 255, 2, 2, 0, 1}, {2, 2, 2});
  const CrossEntropyOptions options = {
      .weight = f64({0.5, 2, 1.25}, {3}), .label_smoothing = 0.2, .ignore_index = 255, .class_axis = 1};
  const auto loss = [&](const Tensor& x) { return cross_entropy(x, t, options); };
  expect_loss(loss, image_logits(), {0.9974955522009553}, kImageGradient);
  expect_loss([&](const Tensor& x) { return loss(channels_last(x)); }, image_logits(), {0.9974955522009553},
              kImageGradient);
  expect_loss(
      [&](const Tensor& x) {
        return nll_loss(x, t, {.ignore_index = 255, .reduction = LossReduction::none, .class_axis = -3});
      },
      image_logits(),
      {0, 0.18729466354290317, -0.7965654722360868, 0, -0.8987080958116269, -0.9964756147406005,
       0.8926476794282346, -0.6793046521448148},
      {-1, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, -1, -1, 0, 0});
}

TEST(CrossEntropyAsTorch, ProbabilitiesOfImages) {
  // logits 2 sin(0.37 i) against the softmax of sin(0.37 i)
  const Tensor x = image_logits(), e = exp(x);
  const Tensor loss = cross_entropy(x * 2, e / sum(e, {1}, true), {.class_axis = 1});
  EXPECT_NEAR(loss.item(), 1.0332295225839623, 1e-14);
}

TEST(CrossEntropyAsTorch, NothingToCountIsNan) {
  const Tensor t = full({2}, -100, Dtype::i64);
  const Tensor x = requires_grad_(zeros({2, 3}));
  const Tensor mean = cross_entropy(x, t);
  EXPECT_THAT(mean.item(), IsNan());
  backward(mean);
  EXPECT_THAT(x.grad().to_vector<float>(), Each(0));
  EXPECT_EQ(cross_entropy(x, t, {.reduction = LossReduction::sum}).item(), 0);
  EXPECT_THAT(nll_loss(x, t).item(), IsNan());
  EXPECT_EQ(nll_loss(x, t, {.reduction = LossReduction::sum}).item(), 0);
  EXPECT_THAT(cross_entropy(x, zeros({2}, Dtype::i64), {.weight = zeros({3})}).item(), IsNan());
}

/// The loss and the gradient of one row against class index 0.
std::vector<float> of_row(const std::vector<float>& row, const Tensor& target, double smoothing) {
  const Tensor x = requires_grad_(from_values(row, {1, 3}));
  const Tensor loss =
      cross_entropy(x, target, {.label_smoothing = smoothing, .reduction = LossReduction::sum});
  backward(loss);
  std::vector<float> result = x.grad().to_vector<float>();
  result.insert(result.begin(), static_cast<float>(loss.item()));
  return result;
}

MATCHER(CloseFloat, "") {  // NOLINT(readability-identifier-naming): as GoogleMock's own
  const auto [got, expected] = arg;
  return std::abs(got - expected) <= 4e-7F * std::max(1.0F, std::abs(expected)) || got == expected ||
         (std::isnan(got) && std::isnan(expected));
}

TEST(CrossEntropyAsTorch, Extremes) {
  const Tensor first = zeros({1}, Dtype::i64), ignored = full({1}, -100, Dtype::i64);
  const Tensor second = from_values<float>({0, 1, 0}, {1, 3});
  const float inf = std::numeric_limits<float>::infinity(), far = 1e30F;
  struct Row {
    std::vector<float> logits;
    Tensor target;
    double smoothing;
    std::vector<float> expected;  // the loss, then the gradient
  };
  const std::vector<Row> rows = {
      {{far, far, -far}, first, 0, {0.6931472F, -0.5F, 0.5F, 0}},
      {{far, far, -far}, first, 0.1, {6.6666672e28F, -0.43333334F, 0.46666667F, -0.033333335F}},
      {{far, far, -far}, second, 0, {0.6931472F, 0.5F, -0.5F, 0}},
      {{far, far, -far}, second, 0.1, {6.6666672e28F, 0.46666667F, -0.43333334F, -0.033333335F}},
      {{far, 0, 1}, second, 0, {far, 1, -1, 0}},
      {{far, 0, 1}, first, 0, {0, 0, 0, 0}},
      {{inf, 0, 0}, first, 0, {NAN, NAN, NAN, NAN}},
      {{-inf, 0, 0}, first, 0, {inf, -1, 0.5F, 0.5F}},
      {{-inf, 0, 0}, first, 0.1, {inf, -0.93333334F, 0.46666667F, 0.46666667F}},
      {{-inf, 0, 0}, second, 0, {NAN, 0, -0.5F, 0.5F}},
      {{-inf, 0, 0}, second, 0.1, {inf, -0.033333335F, -0.43333334F, 0.46666667F}},
      {{0, -inf, 0}, first, 0, {0.6931472F, -0.5F, 0, 0.5F}},
      {{0, -inf, 0}, first, 0.1, {inf, -0.43333334F, -0.033333335F, 0.46666667F}},
      {{-inf, -inf, -inf}, first, 0, {NAN, NAN, NAN, NAN}},
      {{0, NAN, 0}, first, 0, {NAN, NAN, NAN, NAN}},
      {{1e-42F, 0, 0}, first, 0.1, {1.0986123F, -0.6F, 0.3F, 0.3F}},
      // Here PyTorch's gradient is NaN.
      {{0, NAN, inf}, ignored, 0.1, {0, 0, 0, 0}},
  };
  for (const auto& [logits, target, smoothing, expected] : rows) {
    EXPECT_THAT(of_row(logits, target, smoothing), Pointwise(CloseFloat(), expected))
        << testing::PrintToString(logits) << " against " << describe(target) << ", smoothing " << smoothing;
  }
}

#if defined(__x86_64__)
TEST(CrossEntropy, ProbabilitiesBelowTheSmallestNormalNumberAreNone) {
  const Tensor x = requires_grad_(from_values<float>({0, -80, -95}, {1, 3}));  // e^-95 is 6e-42
  backward(cross_entropy(x, zeros({1}, Dtype::i64)));
  const std::vector<float> gradient = x.grad().to_vector<float>();
  EXPECT_FLOAT_EQ(gradient[1], static_cast<float>(std::exp(-80.0)));
  EXPECT_EQ(gradient[2], 0);
}
#endif

}  // namespace
}  // namespace espalier::test
