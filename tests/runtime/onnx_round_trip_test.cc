// Graphs that are written as ONNX models and read again compute what they did.

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/bert.h"
#include "models/data_parallel_net.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "models/two_branch_net.h"
#include "nn/state.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/argmax.h"
#include "ops/at.h"
#include "ops/cast.h"
#include "ops/clamp.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/cumsum.h"
#include "ops/divide.h"
#include "ops/elu.h"
#include "ops/erf.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/hardtanh.h"
#include "ops/index_select.h"
#include "ops/isfinite.h"
#include "ops/log.h"
#include "ops/logical.h"
#include "ops/logsumexp.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/maximum.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/power.h"
#include "ops/product.h"
#include "ops/random.h"
#include "ops/reciprocal.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/round.h"
#include "ops/sigmoid.h"
#include "ops/silu.h"
#include "ops/softmax.h"
#include "ops/softplus.h"
#include "ops/split.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/tanh.h"
#include "ops/triangle.h"
#include "ops/trigonometry.h"
#include "ops/vector_norm.h"
#include "ops/where.h"
#include "runtime/capture.h"
#include "runtime/onnx.h"
#include "runtime/package.h"
#include "runtime/runner.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using Made = std::vector<Tensor>;

Graph read_again(const Graph& graph) {
  const std::string bytes = to_onnx(graph);
  return parse_onnx({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

Made run_once(const Graph& graph, Inputs inputs) {
  return Runner(std::make_shared<const Plan>(graph)).run(inputs);
}

void expect_same_answers(const Graph& graph, const Graph& again, Inputs inputs) {
  verify(again);
  ASSERT_EQ(again.inputs().size(), graph.inputs().size());
  for (size_t i = 0; i < graph.inputs().size(); ++i)
    EXPECT_EQ(again.value(again.inputs()[i]).name, graph.value(graph.inputs()[i]).name);
  const Made expected = run_once(graph, inputs), found = run_once(again, inputs);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(describe(found[i]), describe(expected[i]));
    const Tensor wanted = cast(expected[i], Dtype::f64);
    // Operations that are taken apart round at other places: some units of f32's last place, which are 6e-8.
    EXPECT_LE(vector_norm(cast(found[i], Dtype::f64) - wanted).item(),
              1e-6 * vector_norm(wanted).item() + 1e-30);
  }
}

template <class Net>
void expect_net_same(Net net, const std::vector<Tensor>& inputs) {
  nn::eval(net);
  const NoGrad no_grad;
  for (const nn::StateEntry& entry :
       nn::entries(net)) {  // not as they begin: fresh norms and biases do nothing
    if (!is_floating(entry.tensor.dtype())) continue;
    const bool positive = entry.name.ends_with("var");
    const Tensor change = uniform(entry.tensor.shape(), positive ? 0.5 : -0.2, positive ? 1.5 : 0.2);
    copy_(entry.tensor, positive ? change : entry.tensor + change);
  }
  const Graph graph = capture(net, Inputs(inputs), State(net));
  const Graph again = read_again(graph);
  expect_same_answers(graph, again, inputs);
  const std::vector<ValueId>& states = again.states();
  EXPECT_EQ(states.size(), graph.states().size());
  for (const ValueId id : graph.states()) {
    EXPECT_TRUE(std::any_of(states.begin(), states.end(), [&](ValueId state) {
      return again.value(state).name == graph.value(id).name;
    })) << graph.value(id).name;
  }
  const test::TemporaryFolder folder;
  save_package(folder / "net.safetensors", again);
  expect_same_answers(graph, load_package(folder / "net.safetensors").graph(), inputs);
}

TEST(OnnxRoundTrip, KeepsNetworks) {
  manual_seed(1);
  const Tensor images = normal({2, 3, 32, 32});
  expect_net_same(models::Mlp({64, 32, 10}), {normal({5, 64})});
  expect_net_same(models::SeedNet(), {images});
  expect_net_same(models::ResNetCifar(1), {images});
  expect_net_same(models::TwoBranchNet<models::Mlp>{models::Mlp({8, 3}), models::Mlp({8, 4, 3})},
                  {normal({5, 8})});
  expect_net_same(models::DataParallelNet<models::Mlp>{models::Mlp({8, 3})}, {normal({5, 8})});
  expect_net_same(models::Gpt(1, 32, 4, 16, 50), {random_integers({2, 12}, 0, 50)});
}

TEST(OnnxRoundTrip, KeepsNetworksOfSeveralInputs) {
  manual_seed(1);
  const models::BertOptions small{.vocabulary = 40,
                                  .width = 16,
                                  .layers = 1,
                                  .heads = 2,
                                  .feedforward = 32,
                                  .positions = 12,
                                  .segments = 2};
  expect_net_same(models::Bert(small), {random_integers({2, 12}, 0, 40), less(uniform({2, 12}), 0.7)});
}

struct Operator {
  const char* name;
  std::function<Tensor(const Tensor&)> f;  ///< of f32[3, 4, 5] between 0.5 and 2
};

const std::vector<Operator>& operators() {
  using T = const Tensor&;
  static const std::vector<Operator> all = {
      {"add", [](T t) { return t + t * 2; }},
      {"argmax", [](T t) { return argmax(t, 1); }},
      {"argmin", [](T t) { return argmin(t, -1, true); }},
      {"casts", [](T t) { return cast(cast(t * 3, Dtype::i32), Dtype::f64); }},
      {"ceil and floor", [](T t) { return ceil(t) * 10 + floor(t); }},
      {"clamp", [](T t) { return clamp(t, 0.8, {}) + clamp(t, {}, 1.5) + clamp(t, 0.9, 1.1); }},
      {"comparisons", [](T t) { return where(less(t, 1), equal(t, t), not_equal(t, 1.5)); }},
      {"concat", [](T t) { return concat({t, t * 2}, 1); }},
      {"copy", [](T t) { return copy(t); }},
      {"cumsum", [](T t) { return cumsum(t, 1) + cumsum(cast(t * 2, Dtype::i32), 0); }},
      {"divide", [](T t) { return 1 / t + t / full({5}, 3.0); }},
      {"elu", [](T t) { return elu(t - 1, 0.7) + selu(t - 1); }},
      {"exp and log", [](T t) { return exp(-t) + log(t); }},
      {"erf", [](T t) { return erf(t); }},
      {"expand", [](T t) { return expand(reshape(t, {1, 60}), {3, 60}); }},
      {"flip", [](T t) { return flip(t, {0, 2}); }},
      {"gather", [](T t) { return gather(t, 1, argmax(t, 1, true)); }},
      {"gelu", [](T t) { return gelu(t) + gelu_exact(t); }},
      {"hard functions", [](T t) { return hardswish(t * 3 - 4) + hardtanh(t, 1, 1.5); }},
      {"index_select", [](T t) { return index_select(t, 1, from_values<int64_t>({3, 0, 3}, {3})); }},
      {"isinf and isnan", [](T t) { return logical_or(isinf(1 / floor(t)), isnan(sqrt(t - 1))); }},
      {"leaky_relu", [](T t) { return leaky_relu(t - 1, 0.3); }},
      {"logic",
       [](T t) { return logical_xor(logical_and(less(t, 1), less(t, 2)), logical_not(less(t, 1.5))); }},
      {"logsumexp", [](T t) { return logsumexp(t, {0, 2}, true); }},
      {"matmul", [](T t) { return matmul(t, transpose(t, 1, 2)); }},
      {"max and min", [](T t) { return max(t, {1}) + min(t, {-2}); }},
      {"maximum and minimum", [](T t) { return maximum(t, full({5}, 1.0)) + minimum(t, full({4, 1}, 1.2)); }},
      {"mean", [](T t) { return mean(t, {0, 2}, true) + mean(t) + sum(t, {}, true); }},
      {"pad", [](T t) { return pad(t, {1, 0, 2}, {0, 2, 0}, 0.5); }},
      {"permute", [](T t) { return permute(t, {2, 0, 1}); }},
      {"power", [](T t) { return power(t, 1.5) + power(t, t); }},
      {"product",
       [](T t) { return product(t, {1}) + cast(product(cast(t * 2, Dtype::i32), {1}), Dtype::f32); }},
      {"reciprocal", [](T t) { return reciprocal(t); }},
      {"relu", [](T t) { return relu(t - 1); }},
      {"reshape", [](T t) { return reshape(t, {5, -1}); }},
      {"round and sign", [](T t) { return round(t * 2) + sign(t - 1); }},
      {"sigmoid and tanh", [](T t) { return sigmoid(t) + tanh(t) + silu(t); }},
      {"sin and cos", [](T t) { return sin(t) + cos(t); }},
      {"slice", [](T t) { return at(t, 1, kEllipsis, Range{.start = 1, .stop = 5, .step = 2}); }},
      {"softmax", [](T t) { return softmax(t, 1) + log_softmax(t, -1); }},
      {"softplus", [](T t) { return softplus(t) + softplus(t, 2); }},
      {"split", [](T t) { return split(t, 2, 2)[2] + sum(split(t, 2, 1)[1]); }},
      {"sqrt", [](T t) { return sqrt(t) + rsqrt(t); }},
      {"subtract", [](T t) { return t - 1 - abs(t - 2); }},
      {"sum", [](T t) { return sum(t, {1}) + cast(sum(cast(t * 2, Dtype::i32), {1}), Dtype::f32); }},
      {"triangles", [](T t) { return tril(t, 1) - triu(t); }},
  };
  return all;
}

TEST(OnnxRoundTrip, KeepsEachOperator) {
  manual_seed(2);
  const Tensor x = uniform({3, 4, 5}, 0.5, 2);
  for (const Operator& one : operators()) {
    SCOPED_TRACE(one.name);
    const Graph graph = capture(one.f, {x});
    const Graph again = read_again(graph);
    expect_same_answers(graph, again, Inputs(&x, 1));
    // What is read can be written and read once more, now without a change.
    EXPECT_EQ(to_string(read_again(again)), to_string(again));
  }
}

}  // namespace
}  // namespace espalier::runtime
