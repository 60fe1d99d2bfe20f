#include "core/door.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/add.h"
#include "ops/copy.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/reshape.h"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Writes down what it is told.
class Witness final : public Listener {
 public:
  void before(const Operation& operation, Inputs, std::span<const OutputSpec> specs) override {
    seen.push_back("before " + std::string(operation.name()) +
                   (specs[0].kind == OutputSpec::Kind::view ? " (view)" : ""));
    if (refuses) throw ValueError(operation.name(), "refused");
  }
  void after(const Operation& operation, Inputs, Outputs) override {
    seen.push_back("after " + std::string(operation.name()));
  }
  std::vector<std::string> seen;
  bool refuses = false;
};

TEST(Door, TellsTheListenersOfItsThread) {
  const Tensor x = ones({2, 2});
  Witness witness;
  {
    const ListenerScope scope(ListenerSlot::recorder, &witness);
    reshape(x + x, {4});
    std::thread([&] { x* x; }).join();
    {
      const ListenerScope nobody(ListenerSlot::recorder, nullptr);
      x* x;
    }
  }
  x* x;
  EXPECT_THAT(witness.seen, ElementsAre("before add", "after add", "before reshape (view)", "after reshape"));
}

TEST(Door, AListenerMayRefuseBeforeAnythingIsDone) {
  const Tensor x = ones({2}), y = zeros({2});
  Witness witness;
  witness.refuses = true;
  {
    const ListenerScope scope(ListenerSlot::recorder, &witness);
    EXPECT_THROW(copy_(y, x), ValueError);
  }
  EXPECT_THAT(y.to_vector<float>(), ElementsAre(0, 0));
  EXPECT_EQ(y.version(), 0u);
}

TEST(Door, TheTapeHearsOnlyWhatRequiresAGradient) {
  const Tensor leaf = requires_grad_(ones({2}));
  Witness witness;
  const ListenerScope scope(ListenerSlot::tape, &witness);
  const Tensor x = ones({2});
  x + x;
  EXPECT_THAT(witness.seen, ElementsAre());
  leaf + x;
  EXPECT_THAT(witness.seen, ElementsAre("before add", "after add"));
}

TEST(Door, GradientModesNest) {
  const Tensor leaf = requires_grad_(ones({2}));
  EXPECT_TRUE(grad_enabled());
  {
    const NoGrad off;
    EXPECT_FALSE(grad_enabled());
    EXPECT_FALSE((leaf + leaf).requires_grad());
    {
      const EnableGrad on;
      EXPECT_TRUE(grad_enabled());
      EXPECT_TRUE((leaf + leaf).requires_grad());
    }
    EXPECT_FALSE((leaf + leaf).requires_grad());
    std::thread([] { EXPECT_TRUE(grad_enabled()) << "a mode belongs to its thread"; }).join();
  }
  EXPECT_TRUE((leaf + leaf).requires_grad());
}

TEST(Door, InputsMustBeOnOneDevice) {
  try {
    ones({2}) + empty({2}, Dtype::f32, kMeta);
    FAIL() << "no error";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.where(), "add");
    EXPECT_THAT(error.what(), HasSubstr("f32[2], f32[2] on meta; copy them to one"));
  }
}

TEST(Door, UpdatesCountAsChangesAndViewsDoNot) {
  const Tensor x = zeros({2, 2}), view = reshape(x, {4});
  EXPECT_EQ(x.version(), 0u);
  const Tensor back = copy_(view, ones({4}));
  EXPECT_TRUE(back.is(view));
  EXPECT_EQ(x.version(), 1u) << "who shares the memory sees the change";
}

/// An operation that no device has a kernel for, and one whose kernel takes nothing.
class Homeless final : public OperationOf<Homeless> {
 public:
  static constexpr std::string_view kName = "homeless";
  static KernelSlot slot;
  void infer(Inputs inputs, OutputSpecs& outputs) const override {
    outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
  }
};
constinit KernelSlot Homeless::slot{};

class Picky final : public OperationOf<Picky> {
 public:
  static constexpr std::string_view kName = "picky";
  static KernelSlot slot;
  void infer(Inputs inputs, OutputSpecs& outputs) const override {
    outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
  }
};
constexpr Kernel kPicky[] = {
    {"first", [](const Operation&, Inputs, std::span<const Tensor>) { return "odd sizes only"; }, nullptr},
    {"second", [](const Operation&, Inputs, std::span<const Tensor>) { return "f64 only"; }, nullptr}};
constinit KernelSlot Picky::slot{kPicky};

TEST(Door, SaysWhyNoKernelRuns) {
  try {
    apply_one(Homeless(), ones({2}));
    FAIL() << "no error";
  } catch (const DeviceError& error) {
    EXPECT_STREQ(error.what(), "[homeless] has no kernel for cpu (inputs f32[2])");
  }
  try {
    apply_one(Picky(), ones({2}));
    FAIL() << "no error";
  } catch (const TypeError& error) {
    EXPECT_STREQ(error.what(),
                 "[picky] no kernel takes inputs f32[2] (first: odd sizes only; second: f64 only)");
  }
  EXPECT_EQ(apply_one(Homeless(), empty({2}, Dtype::f32, kMeta)).numel(), 2) << "meta needs no kernel";
}

TEST(Door, FillsAnotherDevicesSlots) {
  KernelSlot slot;
  EXPECT_TRUE(slot.kernels(DeviceType::cuda).empty());
  slot.fill(DeviceType::cuda, kPicky);
  EXPECT_EQ(slot.kernels(DeviceType::cuda).size(), 2u);
  EXPECT_TRUE(slot.kernels(DeviceType::cpu).empty());
}

}  // namespace
}  // namespace espalier
