#include "tests/runtime/steady/workloads.h"

#include <memory>
#include <utility>

#include "autograd/autograd.h"
#include "models/bert.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/dropout.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/gelu.h"
#include "ops/mse_loss.h"
#include "ops/random.h"
#include "ops/reshape.h"
#include "ops/sample_token.h"
#include "optim/adam.h"
#include "optim/clip.h"
#include "optim/lion.h"
#include "optim/sgd.h"

namespace espalier::test {
namespace {

/// A GPT's parts with dropout where GPT-2 has it, around the blocks.
struct DroppedGpt {
  explicit DroppedGpt(const Generator& generator)
      : tokens(65, 64), block(64, 4), drop(0.1, generator), head(64, 65) {}

  Tensor operator()(const Tensor& text) const { return head(drop(block(drop(tokens(text))))); }
  void visit(nn::Visitor& visitor) {
    visitor("tokens", tokens);
    visitor("block", block);
    visitor("drop", drop);
    visitor("head", head);
  }

  nn::Embedding tokens;
  models::GptBlock block;
  nn::Dropout drop;
  nn::Linear head;
};

/// Forward, backward, clipping and a step.
template <class Net, class Optimiser>
Workload training_steps(std::string name, std::shared_ptr<Net> net, std::shared_ptr<Optimiser> optimiser,
                        Tensor x, Tensor y) {
  nn::train(*net);
  runtime::State state(*net, *optimiser);
  return {.name = "training steps of " + std::move(name),
          .f = runtime::as_function([net = std::move(net), optimiser = std::move(optimiser)](
                                        const Tensor& in, const Tensor& labels) {
            Tensor loss = cross_entropy((*net)(in), labels);
            optimiser->zero_grad();
            backward(loss);
            optim::clip_grad_norm(*net, 1.0);
            optimiser->step();
            return loss;
          }),
          .state = std::move(state),
          .inputs = {std::move(x), std::move(y)},
          .training = true};
}

template <class Net>
Workload inference(std::string name, std::shared_ptr<Net> net, Tensor x) {
  nn::eval(*net);
  runtime::State state(*net);
  return {.name = "inference with " + std::move(name),
          .f = runtime::as_function([net = std::move(net)](const Tensor& in) { return (*net)(in); }),
          .state = std::move(state),
          .inputs = {std::move(x)},
          .training = false};
}

/// Steps with both optimisers, then inference.
template <class Make>
void add_all(std::vector<Workload>& all, const std::string& name, const Make& make, const Tensor& x,
             const Tensor& y) {
  auto net = make();
  const auto sgd =
      std::make_shared<optim::Sgd>(*net, optim::SgdOptions{.learning_rate = 0.01, .momentum = 0.9});
  all.push_back(training_steps(name + " with SGD", net, sgd, x, y));
  net = make();
  const auto adam = std::make_shared<optim::AdamW>(*net);
  all.push_back(training_steps(name + " with AdamW", net, adam, x, y));
  all.push_back(inference(name, make(), x));
}

}  // namespace

std::vector<Workload> steady_workloads() {
  std::vector<Workload> all;
  const auto labels = [](const Shape& shape) { return random_integers(shape, 0, 10); };
  add_all(
      all, "an MLP", [] { return std::make_shared<models::Mlp>(std::vector<int64_t>{256, 512, 10}); },
      normal({64, 256}), labels({64}));
  const Tensor images = normal({8, 3, 32, 32});
  add_all(all, "three convolutions", [] { return std::make_shared<models::SeedNet>(); }, images, labels({8}));
  add_all(all, "ResNet-20", [] { return std::make_shared<models::ResNetCifar>(3); }, images, labels({8}));
  const Tensor text = random_integers({2, 96}, 0, 65), next = random_integers({2, 96}, 0, 65);
  add_all(all, "a GPT", [] { return std::make_shared<models::Gpt>(2, 64, 4, 96); }, text, next);

  const auto gpt = std::make_shared<models::Gpt>(2, 64, 4, 96);
  const auto cache = std::make_shared<models::GptCache>(*gpt, 2);
  all.push_back(
      {.name = "tokens that a GPT goes on by",
       .f = runtime::as_function([gpt, cache](const Tensor& tokens) { return (*gpt)(tokens, *cache); }),
       .state = runtime::State(*gpt, *cache),
       .inputs = {random_integers({2, 1}, 0, 65)},
       .training = false});

  const auto drawn_cache = std::make_shared<models::GptCache>(*gpt, 2);
  const Tensor last = zeros({2}, Dtype::i64), generators = zeros({2, 2}, Dtype::i64);
  runtime::State drawn_state(*gpt, *drawn_cache);
  drawn_state.add("last", last).add("generators", generators);
  all.push_back({.name = "tokens that a GPT draws",
                 .f = runtime::as_function([=](Inputs) {
                   const Tensor logits = (*gpt)(unsqueeze(last, 1), *drawn_cache);
                   copy_(last,
                         sample_token(logits, {.temperature = 0.8, .top_k = 40, .top_p = 0.9}, generators));
                 }),
                 .state = std::move(drawn_state),
                 .inputs = {},
                 .training = false});

  const auto bert = std::make_shared<models::Bert>(models::BertOptions{
      .vocabulary = 65, .width = 64, .layers = 2, .heads = 4, .feedforward = 128, .positions = 96});
  const auto lion = std::make_shared<optim::Lion>(*bert);
  all.push_back({.name = "training steps of a BERT with padding",
                 .f = runtime::as_function(
                     [bert, lion](const Tensor& tokens, const Tensor& seen, const Tensor& states) {
                       Tensor loss = mse_loss((*bert)(tokens, seen), states);
                       lion->zero_grad();
                       backward(loss);
                       lion->step();
                       return loss;
                     }),
                 .state = runtime::State(*bert, *lion),
                 .inputs = {text, less(next, 50), normal({2, 96, 64})},
                 .training = true});

  const auto narrow = [](const Tensor& x, const Tensor& y) {
    return cast(gelu(cast(x, Dtype::f32) + y), Dtype::bf16);
  };
  all.push_back({.name = "elements that are converted on the way",
                 .f = runtime::as_function(narrow),
                 .state = {},
                 .inputs = {cast(normal({96, 640}), Dtype::bf16), normal({640})},
                 .training = false});

  const Generator generator(1);
  const auto net = std::make_shared<DroppedGpt>(generator);
  const auto adam = std::make_shared<optim::AdamW>(*net);
  all.push_back(training_steps("a GPT with dropout", net, adam, text, next));
  all.back().state.add("generator", generator.state());
  return all;
}

}  // namespace espalier::test
