#include "nn/activations.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/linear.h"
#include "nn/sequential.h"
#include "nn/state.h"
#include "ops/sum.h"

namespace espalier::nn {
namespace {

/// A layer and what torch.nn's layer of that name, constructed likewise, makes of -4, -0.5, 0.5 and 4.
struct Case {
  std::string name;
  AnyLayer layer;
  std::vector<float> expected;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const Case& tested, std::ostream* out) {
  *out << tested.name;
}

class Activations : public testing::TestWithParam<Case> {};

TEST_P(Activations, ComputeWhatPyTorchDoes) {
  const std::vector<float> y =
      GetParam().layer(from_values<float>({-4, -0.5, 0.5, 4}, {4})).to_vector<float>();
  ASSERT_EQ(y.size(), GetParam().expected.size());
  // The expected values, computed in double precision, are printed with eight digits; the largest is 4.
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], GetParam().expected[i], 4e-7) << "element " << i;
}

INSTANTIATE_TEST_SUITE_P(
    Each, Activations,
    testing::Values(
        Case{"ReLU", ReLU(), {0, 0, 0.5F, 4}}, Case{"ReLU6", ReLU6(), {0, 0, 0.5F, 4}},
        Case{"LeakyReLU", LeakyReLU(), {-0.04F, -0.005F, 0.5F, 4}},
        Case{"LeakyReLUWithSlope", LeakyReLU(0.2), {-0.8F, -0.1F, 0.5F, 4}},
        Case{"ELU", ELU(), {-0.98168436F, -0.39346934F, 0.5F, 4}},
        Case{"ELUWithAlpha", ELU(0.5), {-0.49084218F, -0.19673467F, 0.5F, 4}},
        Case{"CELU", CELU(), {-0.98168436F, -0.39346934F, 0.5F, 4}},
        Case{"CELUWithAlpha", CELU(0.5), {-0.49983227F, -0.31606028F, 0.5F, 4}},
        Case{"SELU", SELU(), {-1.7258986F, -0.69175819F, 0.52535049F, 4.2028039F}},
        Case{"GELU", GELU(), {-0.00012668497F, -0.15426877F, 0.34573123F, 3.9998733F}},
        Case{"GELUByTanh", GELU(GeluForm::tanh), {-7.0245948e-05F, -0.15428599F, 0.34571401F, 3.9999298F}},
        Case{"SiLU", SiLU(), {-0.07194484F, -0.18877033F, 0.31122967F, 3.9280552F}},
        Case{"Mish", Mish(), {-0.072591741F, -0.22074377F, 0.37524521F, 3.9974128F}},
        Case{"Softplus", Softplus(), {0.018149928F, 0.47407698F, 0.97407698F, 4.0181499F}},
        Case{"SoftplusWithBeta", Softplus(2, 3), {0.00016770319F, 0.15663084F, 0.65663084F, 4}},
        Case{"Sigmoid", Sigmoid(), {0.01798621F, 0.37754067F, 0.62245933F, 0.98201379F}},
        Case{"LogSigmoid", LogSigmoid(), {-4.0181499F, -0.97407698F, -0.47407698F, -0.018149928F}},
        Case{"Tanh", Tanh(), {-0.9993293F, -0.46211716F, 0.46211716F, 0.9993293F}},
        Case{"Hardtanh", Hardtanh(), {-1, -0.5F, 0.5F, 1}},
        Case{"HardtanhWithBounds", Hardtanh(-0.25, 2), {-0.25F, -0.25F, 0.5F, 2}},
        Case{"Hardsigmoid", Hardsigmoid(), {0, 0.41666667F, 0.58333333F, 1}},
        Case{"Hardswish", Hardswish(), {0, -0.20833333F, 0.29166667F, 4}},
        Case{"GLU", GLU(), {-2.4898373F, -0.4910069F}}),
    [](const testing::TestParamInfo<Case>& tested) { return tested.param.name; });

TEST(ActivationLayers, StandBetweenLayersAndPassGradients) {
  Sequential net(Linear(4, 6), GLU(), LeakyReLU(0.2), GELU(), Linear(3, 2));
  EXPECT_EQ(entries(net).size(), 4U);
  EXPECT_EQ(entries(net)[2].name, "4.weight");
  const Tensor x = requires_grad_(from_values<float>({1, -2, 3, -4}, {1, 4}));
  const std::vector<float> gradient = grad(sum(net(x)), x).to_vector<float>();
  EXPECT_TRUE(std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; }));
}

TEST(ActivationLayers, SettingsThatMakeNoSenseAreErrors) {
  const Tensor x = zeros({2});
  EXPECT_THROW(Softplus(0)(x), ValueError);
  EXPECT_THROW(CELU(0)(x), ValueError);
  EXPECT_THROW(Hardtanh(1, -1)(x), ValueError);
}

}  // namespace
}  // namespace espalier::nn
