// Linear layers with constant weights, by each kernel that can pack them.

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "core/create.h"
#include "core/door.h"
#include "core/workspace.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/fused_linear.h"
#include "ops/linear.h"
#include "ops/random.h"

namespace espalier::test {
namespace {

struct LinearCase {
  int64_t rows, in, out;
};

// One row; columns short of a vector, just beyond one and beyond two; the deepest that fits.
const LinearCase kLinearCases[] = {{1, 7, 3},   {1, 64, 40},  {2, 16, 16}, {3, 5, 17},
                                   {8, 33, 50}, {7, 512, 20}, {40, 64, 65}};

Tensor wider(const Tensor& x) {
  return x.defined() ? cast(x, Dtype::f64) : x;
}

/// Runs a prepared kernel on its own copy of the residual.
Tensor run_prepared(const Kernel& kernel, const FusedLinear& op, std::vector<Tensor> inputs) {
  Tensor y = full({inputs[0].size(0), inputs[1].size(0)}, std::nan(""));
  if (inputs[3].defined()) y = inputs[3] = apply_one(Copy(Copy::Layout::contiguous), inputs[3]);
  Tensors outputs = {y};
  const auto prepared = kernel.prepare(op, inputs, outputs, 0b10);
  EXPECT_NE(prepared, nullptr) << kernel.name;
  if (!prepared) return y;
  const Scratch scratch(prepared->scratch_bytes());
  prepared->run(inputs, outputs, scratch.get());
  return y;
}

void expect_near(const Tensor& got, const Tensor& expected, double bound, const std::string& where) {
  const std::vector<double> a = wider(got).to_vector<double>(), b = expected.to_vector<double>();
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], bound) << where << ", element " << i;
}

TEST(PackedLinear, EachKernelAgreesWithDoublePrecisionOnEveryInstructionSet) {
  manual_seed(31);
  const CpuLevel best = cpu_level();
  std::set<std::string> kernels;
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, best}) {
    if (level > best) continue;
    set_cpu_level(level);
    for (const LinearCase& c : kLinearCases) {
      for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu_tanh}) {
        for (const bool all : {false, true}) {  // bias and residual
          const FusedLinear op(activation);
          const std::vector<Tensor> inputs = {normal({c.rows, c.in}), normal({c.out, c.in}),
                                              all ? normal({c.out}) : Tensor(),
                                              all ? normal({c.rows, c.out}) : Tensor()};
          const Tensor y = empty({c.rows, c.out});
          const Tensor expected = fused_linear(wider(inputs[0]), wider(inputs[1]), wider(inputs[2]),
                                               wider(inputs[3]), activation);
          for (const Kernel* kernel : contenders(op, inputs, {&y, 1}, kCpu)) {
            const std::string where = std::string(kernel->name) + ", " + std::to_string(c.rows) + " x " +
                                      std::to_string(c.out) + " x " + std::to_string(c.in);
            // Sums of up to 514 terms of unit size, each of which rounds a sum of up to some 100.
            expect_near(run_prepared(*kernel, op, inputs), expected, 514 * 100 * 0x1p-24, where);
            kernels.insert(kernel->name);
          }
        }
      }
    }
  }
  set_cpu_level(best);
  EXPECT_EQ(kernels, (std::set<std::string>{"row", "small", "packed or taken apart"}));
}

TEST(PackedLinear, SmallProductsKeepNaN) {
  const Tensor x = full({2, 4}, std::nan("")), weight = normal({20, 4}), y = empty({2, 20});
  const std::vector<Tensor> inputs = {x, weight, Tensor(), Tensor()};
  const FusedLinear op(Activation::relu);
  const Kernel& kernel = choose_kernel(op, inputs, {&y, 1}, kCpu);
  EXPECT_EQ(kernel.name, std::string("small"));
  for (const float value : run_prepared(kernel, op, inputs).to_vector<float>())
    EXPECT_TRUE(std::isnan(value));
}

TEST(PackedLinear, SizesDecide) {
  const auto chosen = [](int64_t rows, int64_t in, int64_t out) {
    const Tensor inputs[] = {zeros({rows, in}), zeros({out, in}), Tensor()}, y = zeros({rows, out});
    return std::string(choose_kernel(Linear(), inputs, {&y, 1}, kCpu).name);
  };
  EXPECT_EQ(chosen(1, 64, 64), "row");
  EXPECT_EQ(chosen(2, 64, 64), "small");
  EXPECT_EQ(chosen(64, 64, 64), "small");
  EXPECT_EQ(chosen(64, 128, 128), "gemm");
  EXPECT_EQ(chosen(2, 600, 2), "gemm");  // deeper than a panel on the stack
  EXPECT_EQ(chosen(0, 64, 64), "gemm");
}

}  // namespace
}  // namespace espalier::test
