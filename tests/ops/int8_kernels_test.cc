// Every kernel of the 8-bit products gives the bits of every other, on problems drawn by chance.

#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "core/parallel.h"
#include "ops/int8_conv2d.h"
#include "ops/int8_convolution_internal.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/int8_linear.h"
#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

class Int8Kernels : public testing::Test {
 protected:
  int64_t whole(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }

  /// Any bytes, or now and then nothing but the largest or smallest ones.
  Tensor bytes(const Shape& shape, Dtype dtype) {
    const Tensor made = empty(shape, dtype);
    const int64_t all = whole(0, 3);
    auto* const to = static_cast<unsigned char*>(made.raw_data());
    const unsigned char extremes[] = {0, 0xff, 0x80, 0x7f};
    const unsigned char extreme = extremes[whole(0, 3)];
    for (int64_t i = 0; i < made.numel(); ++i)
      to[i] = all == 0 ? extreme : static_cast<unsigned char>(whole(0, 255));
    return made;
  }

  Tensor numbers(int64_t count, float low, float high) {
    const Tensor made = empty({count});
    std::uniform_real_distribution<float> distribution(low, high);
    for (int64_t i = 0; i < count; ++i) static_cast<float*>(made.raw_data())[i] = distribution(random_);
    return made;
  }

  Quantization quantization() {
    return {std::uniform_real_distribution<double>(0.01, 0.2)(random_), whole(0, 255)};
  }

  /// Scales of the output with which results mostly fit, or hardly any does.
  Int8Options options() {
    const double unit = whole(0, 3) == 0 ? 1e-6 : 20;
    return {.input = quantization(),
            .output_dtype = whole(0, 1) == 0 ? Dtype::f32 : Dtype::u8,
            .output = {unit * quantization().scale, whole(0, 255)},
            .residual = quantization(),
            .relu = whole(0, 1) == 0};
  }

  /// Runs each kernel that takes the problem, at each level of the CPU, with one thread and with two.
  template <class Op>
  void expect_agreement(const Op& op, const std::vector<Tensor>& inputs) {
    OutputSpecs specs;
    op.infer(inputs, specs);
    const auto fresh = [&] { return empty_strided(specs[0].shape, specs[0].strides, specs[0].dtype); };
    std::vector<Tensor> results;
    const CpuLevel best = cpu_level();
    for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512}) {
      if (level > best) continue;
      set_cpu_level(level);
      for (const Kernel& kernel : Op::slot.kernels(DeviceType::cpu)) {
        Tensor y = fresh();
        if (kernel.decline && kernel.decline(op, inputs, {&y, 1})) continue;
        const ThreadCountGuard threads(static_cast<int>(whole(1, 2)));
        run_kernel(kernel, op, inputs, {&y, 1});
        results.push_back(y);
      }
    }
    set_cpu_level(best);
    ASSERT_GT(results.size(), 1U);
    const size_t size = static_cast<size_t>(results[0].numel()) * size_of(results[0].dtype());
    for (const Tensor& result : results)
      ASSERT_EQ(std::memcmp(result.raw_data(), results[0].raw_data(), size), 0);
  }

  std::mt19937_64 random_{1};
};

TEST_F(Int8Kernels, OfLinearLayersAgree) {
  for (int i = 0; i < 60; ++i) {
    const int64_t rows = whole(0, 2) == 0 ? 1 : whole(1, 30), in = whole(1, 150), out = whole(1, 150);
    SCOPED_TRACE(testing::Message() << rows << " x " << in << " to " << out);
    expect_agreement(Int8Linear(options()),
                     {bytes({rows, in}, Dtype::u8), bytes({out, in}, Dtype::i8), numbers(out, 0.001f, 0.1f),
                      whole(0, 1) == 0 ? Tensor() : numbers(out, -9, 9),
                      whole(0, 1) == 0 ? Tensor() : bytes({rows, out}, Dtype::u8)});
    if (HasFatalFailure()) return;
  }
}

TEST_F(Int8Kernels, OfConvolutionsAgree) {
  for (int i = 0; i < 60; ++i) {
    const Shape x{whole(1, 2), whole(1, 40), whole(3, 14), whole(3, 40)};
    const Shape weight{whole(1, 90), x[1], whole(1, 3), whole(1, 3)};
    const Int8Conv2dOptions op{{.stride = {whole(1, 3), whole(1, 3)},
                                .padding = {whole(0, 2), whole(0, 2)},
                                .dilation = whole(0, 3) == 0 ? Size2d(1, 2) : Size2d(1)},
                               options()};
    if (weight[3] == 3 && op.conv.dilation.width == 2 && x[3] + 2 * op.conv.padding.width < 5) continue;
    SCOPED_TRACE(testing::Message() << to_string(x) << " by " << to_string(weight));
    std::vector<Tensor> inputs = {bytes(x, Dtype::u8), bytes(weight, Dtype::i8),
                                  numbers(weight[0], 0.001f, 0.1f),
                                  whole(0, 1) == 0 ? Tensor() : numbers(weight[0], -9, 9), Tensor()};
    OutputSpecs y;
    Int8Conv2d(op).infer(inputs, y);
    if (whole(0, 1) == 0) inputs[4] = bytes(y[0].shape, Dtype::u8);
    expect_agreement(Int8Conv2d(op), inputs);
    if (HasFatalFailure()) return;
  }
}

TEST(Int8GlobalAvgPool2d, HoldsTheLargestSums) {
  constexpr int64_t kChannels = 300;
  const Tensor x = full({1, kChannels, 20, 20}, 255, Dtype::u8);
  const std::vector<float> means = int8_global_avg_pool2d(x, {1, 0}).to_vector<float>();
  EXPECT_EQ(means.size(), static_cast<size_t>(kChannels));
  EXPECT_THAT(means, testing::Each(testing::FloatEq(255)));
}

TEST(Int8Amx, YieldsWhereVectorsAreFaster) {
  const auto yields = [](const Shape& x, int64_t outputs, int64_t taps, const Conv2dOptions& options = {}) {
    const Shape y = slid_over(x, outputs, {taps, taps}, options.stride, options.padding, options.dilation);
    return int8_amx_yields({options, x, {outputs, x[1], taps, taps}, y}) != nullptr;
  };
  EXPECT_TRUE(yields({1, 1024, 1, 1}, 1024, 1)) << "one row";
  EXPECT_TRUE(yields({7, 1024, 1, 1}, 1024, 1));
  EXPECT_FALSE(yields({8, 1024, 1, 1}, 1024, 1));
  EXPECT_TRUE(yields({64, 116, 1, 1}, 64, 1)) << "29 words have no divisor";
  EXPECT_FALSE(yields({64, 380, 1, 1}, 64, 1)) << "95 words are 19 times 5";
  EXPECT_FALSE(yields({1, 3, 32, 32}, 64, 3, {.padding = 1})) << "runs of three pixels";
  EXPECT_TRUE(yields({1, 3, 32, 32}, 64, 3, {.padding = 2, .dilation = 2})) << "runs of one";
}

TEST(Int8Amx, DeclinesAtLowerLevels) {
  if (!int8_kernels(Int8Unit::amx)) GTEST_SKIP() << "the CPU has no AMX";
  const CpuLevel best = cpu_level();
  set_cpu_level(CpuLevel::avx2);
  EXPECT_EQ(int8_kernels(Int8Unit::amx), nullptr);
  set_cpu_level(best);
  EXPECT_NE(int8_kernels(Int8Unit::amx), nullptr);
}

}  // namespace
}  // namespace espalier::test
