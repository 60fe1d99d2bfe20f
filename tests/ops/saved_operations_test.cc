// Every operation of the test objects, and those of its gradient, goes through a file and comes back the
// same.

#include <cmath>
#include <cstring>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "ops/copy.h"
#include "ops/operations.h"
#include "ops/random.h"
#include "ops/sum.h"
#include "runtime/capture.h"
#include "runtime/package.h"
#include "runtime/runner.h"
#include "tests/support/op_test.h"
#include "tests/support/temporary_folder.h"

namespace espalier::test {
namespace {

class SavedOperations : public testing::TestWithParam<OpTest> {};

/// The sample with its gradient, where it has one, of inputs that are states.
runtime::Graph captured(const OpSample& sample, bool differentiable, Dtype dtype) {
  std::vector<Tensor> inputs = make_inputs(sample, dtype);
  runtime::State state;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    if (differentiable && is_floating(inputs[i].dtype()) && sample.inputs[i].differentiable)
      inputs[i] = requires_grad_(inputs[i]);
    state.add("input" + std::to_string(i), inputs[i]);
  }
  return runtime::capture(
      [&](Inputs) {
        const Tensors outputs = sample.run(inputs);
        for (const Tensor& output : outputs) {
          if (output.requires_grad()) backward(sum(output), {}, {.retain_graph = true});
        }
        return std::vector<Tensor>(outputs.begin(), outputs.end());
      },
      {}, state);
}

std::string operations_of(const runtime::Graph& graph) {
  std::ostringstream text;
  for (const runtime::Node& node : graph.nodes())
    text << node.operation->name() << '(' << attributes_of(*node.operation) << ")\n";
  return text.str();
}

std::vector<std::string> bytes_of_run(const runtime::Graph& graph) {
  runtime::Runner runner(std::make_shared<const runtime::Plan>(graph));
  std::vector<std::string> bytes;
  for (const Tensor& result : runner.run(Inputs())) {
    const Tensor row_major = contiguous(result);
    bytes.emplace_back(static_cast<const char*>(row_major.raw_data()),
                       static_cast<size_t>(row_major.numel()) * size_of(row_major.dtype()));
  }
  return bytes;
}

TEST_P(SavedOperations, ComeBackTheSame) {
  const TemporaryFolder folder;
  std::set<std::string> seen;
  for (const OpSample& sample : GetParam().samples) {
    SCOPED_TRACE(sample.label);
    manual_seed(1);
    const runtime::Graph graph = captured(sample, GetParam().differentiable, GetParam().dtypes.front());
    if (!seen.insert(operations_of(graph)).second) continue;
    save_package(folder / "graph.safetensors", graph);
    const runtime::Graph loaded = runtime::load_package(folder / "graph.safetensors").graph();
    EXPECT_EQ(to_string(loaded), to_string(graph));
    ASSERT_EQ(loaded.nodes().size(), graph.nodes().size());
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      const Operation &now = *loaded.nodes()[i].operation, &before = *graph.nodes()[i].operation;
      EXPECT_TRUE(typeid(now) == typeid(before)) << before.name();
      EXPECT_TRUE(attributes_of(now) == attributes_of(before)) << before.name();
    }
    EXPECT_EQ(bytes_of_run(loaded), bytes_of_run(graph));
  }
}

INSTANTIATE_TEST_SUITE_P(Each, SavedOperations, testing::ValuesIn(op_tests()),
                         [](const testing::TestParamInfo<OpTest>& tested) { return tested.param.name; });

}  // namespace
}  // namespace espalier::test
