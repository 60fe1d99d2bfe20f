// What splitting a batch believes of an operation, tried on every sample: the parts together give the whole.

#include "runtime/split_batch.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "ops/sum.h"
#include "runtime/capture.h"
#include "runtime/runner.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using runtime::Graph;

/// The operations of which parts were seen.
std::set<std::string>& seen() {
  static std::set<std::string> names;
  return names;
}

bool wants_gradient(const OpSample& sample, size_t i, const Tensor& input) {
  return sample.inputs[i].differentiable && input.defined() && is_floating(input.dtype());
}

/// The outputs of a sample and, `backwards`, the gradients of the sum of their squares, as a function of the
/// inputs whose first axis is as long as that of input `lead`, which comes first.
struct Sampled {
  const OpSample& sample;
  std::vector<Tensor> inputs;
  size_t lead;
  bool backwards;

  bool is_batch(size_t i) const {
    return inputs[i].defined() && inputs[i].rank() > 0 && inputs[lead].defined() && inputs[lead].rank() > 0 &&
           inputs[i].shape()[0] == inputs[lead].shape()[0];
  }
  std::vector<Tensor> batches() const {
    std::vector<Tensor> found = {inputs[lead]};
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (i != lead && is_batch(i)) found.push_back(inputs[i]);
    }
    return found;
  }

  std::vector<Tensor> operator()(Inputs given) const {
    std::vector<Tensor> all = inputs, leaves;
    for (size_t i = 0, next = 1; i < all.size(); ++i) {
      if (is_batch(i)) all[i] = given[i == lead ? 0 : next++];
      if (backwards && wants_gradient(sample, i, all[i]))
        leaves.push_back(all[i] = requires_grad_(all[i].detach()));
    }
    const Tensors outputs = sample.run(all);
    std::vector<Tensor> results;
    Tensor total;
    for (const Tensor& output : outputs) {
      results.push_back(output.detach());
      if (!output.requires_grad()) continue;
      const Tensor squares = sum(output * output);
      total = total.defined() ? total + squares : squares;
    }
    if (total.defined()) {
      for (const Tensor& gradient : grad(std::span(&total, 1), leaves)) results.push_back(gradient);
    }
    return results;
  }
};

void expect_parts_to_agree(const Sampled& sampled, const Graph& whole, int parts) {
  const Graph split = runtime::split_batch(whole, parts);
  runtime::verify(split);
  for (const runtime::Node& node : split.nodes()) {
    if (node.marks.part >= 0) seen().insert(std::string(node.operation->name()));
  }
  const auto run = [&](const Graph& graph) {
    runtime::Runner runner(std::make_shared<const runtime::Plan>(
        graph, runtime::PlanOptions{.threads = 2, .side_by_side = runtime::SideBySide::all}));
    return runner.run(sampled.batches());
  };
  const std::vector<Tensor> expected = run(whole), got = run(split);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const auto a = cast(got[i], Dtype::f64).to_vector<double>(),
               b = cast(expected[i], Dtype::f64).to_vector<double>();
    ASSERT_EQ(a.size(), b.size());
    for (size_t n = 0; n < a.size(); ++n) {
      // The samples are in f64: sums of some hundred terms in another order, which may cancel.
      const bool close = a[n] == b[n] || (std::isnan(a[n]) && std::isnan(b[n])) ||
                         std::abs(a[n] - b[n]) <= 1e-10 * std::max(1.0, std::abs(b[n]));
      ASSERT_TRUE(close) << "result " << i << ", element " << n << ": " << a[n] << " instead of " << b[n];
    }
  }
}

/// Splits a sample where it can be.
void try_sample(const Sampled& sampled) {
  if (!sampled.is_batch(sampled.lead)) return;
  Graph whole;
  try {
    whole = runtime::capture(sampled, sampled.batches());
  } catch (const Error&) {
    return;  // it reads values, or changes its inputs
  }
  const auto batch = static_cast<int>(sampled.inputs[sampled.lead].shape()[0]);
  for (const int parts : {2, std::min(batch, 4)}) {
    if (runtime::why_not_split(whole, parts).empty()) expect_parts_to_agree(sampled, whole, parts);
    if (testing::Test::HasFatalFailure()) return;
  }
}

void try_samples(const OpTest& test) {
  for (const OpSample& sample : test.samples) {
    for (const bool backwards : {false, true}) {
      const std::vector<Tensor> inputs = make_inputs(sample, Dtype::f64);
      for (size_t lead = 0; lead < inputs.size(); ++lead) {
        SCOPED_TRACE(test.name + ", " + sample.label + (backwards ? ", backward" : "") + ", batch of input " +
                     std::to_string(lead));
        try_sample({sample, inputs, lead, backwards && test.differentiable});
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(SplitOperations, PartsTogetherGiveTheWhole) {
  for (const OpTest& test : op_tests()) {
    const bool wide = std::find(test.dtypes.begin(), test.dtypes.end(), Dtype::f64) != test.dtypes.end();
    if (wide) try_samples(test);
    if (HasFatalFailure()) return;
  }
  const std::set<std::string>& names = seen();
  for (const char* name : {"add",
                           "attention",
                           "attention_backward",
                           "avg_pool2d",
                           "cast",
                           "concat",
                           "conv2d",
                           "conv2d_backward_data",
                           "copy",
                           "cross_entropy",
                           "embedding",
                           "conv2d_backward_weights",
                           "expand",
                           "fused_conv2d",
                           "fused_linear",
                           "cross_entropy_backward",
                           "layer_norm",
                           "layer_norm_backward",
                           "linear",
                           "avg_pool2d_backward",
                           "log_softmax",
                           "log_softmax_backward",
                           "matmul",
                           "max_pool2d",
                           "mean",
                           "max_pool2d_backward",
                           "mse_loss",
                           "mse_loss_backward",
                           "permute",
                           "reshape",
                           "rms_norm",
                           "rms_norm_backward",
                           "slice",
                           "softmax",
                           "softmax_backward",
                           "split",
                           "sum",
                           "adaptive_avg_pool2d",
                           "adaptive_avg_pool2d_backward"})
    EXPECT_TRUE(names.contains(name)) << "no sample of " << name << " was split";
}

}  // namespace
}  // namespace espalier::test
