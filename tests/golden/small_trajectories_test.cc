// Ten training steps of small networks, which together use the layers, losses, optimisers and schedules,
// against what PyTorch computed in f32: trajectories/*.safetensors, written by trajectories/generate.py,
// which says how close can be asked for and puts it into each file.

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <espalier/espalier.h>
#include <gtest/gtest.h>

namespace {

using namespace espalier;

using File = std::map<std::string, Tensor>;

/// |a - b| / max(|b|, floor).
double relative_distance(const Tensor& a, const Tensor& b, double floor = 0) {
  const std::vector<float> got = a.to_vector<float>(), expected = b.to_vector<float>();
  double difference = 0, length = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - static_cast<double>(expected[i]), 2);
    length += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference) / std::max(std::sqrt(length), floor);
}

nn::StateMap under_name(const File& file, const std::string& prefix) {
  nn::StateMap result;
  for (const auto& [name, tensor] : file) {
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), tensor);
  }
  return result;
}

/// How a network is trained; all but the first two may be left out.
struct Training {
  std::function<Tensor(const File& file)> output = {};
  std::function<Tensor(const Tensor& output, const File& file)> loss;
  std::function<void()> before_step = {};            ///< clipping
  std::function<void(double loss)> after_step = {};  ///< the schedule
};

void expect_small_gradients(const nn::NamedTensors& parameters, const File& file, double ask) {
  double largest = 0;
  const nn::StateMap expected = under_name(file, "expected.grad.");
  for (const auto& [name, gradient] : expected)
    largest = std::max(largest, relative_distance(gradient, zeros(gradient.shape()), 1));
  ASSERT_EQ(expected.size(), parameters.size());
  for (const auto& [name, parameter] : parameters) {
    // Gradients that are zero up to rounding are measured against the others, as generate.py does.
    const double scale = 1e-3 * largest;
    EXPECT_LE(relative_distance(parameter.grad(), expected.at(name), scale), ask) << "gradient of " << name;
  }
}

void expect_close(double got, double expected, double ask, size_t step) {
  EXPECT_LE(std::abs(got - expected) / std::abs(expected), ask)
      << "loss of step " << step + 1 << ": " << got << " instead of " << expected;
}

File golden(const std::string& name) {
  return io::load_safetensors("tests/golden/trajectories/" + name + ".safetensors").tensors;
}

template <class Net>
Tensor output_of(const File& file, Net& net, const Training& training) {
  if constexpr (std::is_invocable_r_v<Tensor, Net&, const Tensor&>) {
    if (!training.output) return net(file.at("batch.x"));
  }
  return training.output(file);
}

/// Loads the initial weights, and takes ten steps.
template <class Net, class Optimiser>
void expect_small_trajectory(const File& file, Net& net, Optimiser& optimiser, const Training& training) {
  nn::load_state(net, under_name(file, "init."));
  const std::vector<double> losses = file.at("expected.losses").to_vector<double>();
  ASSERT_EQ(losses.size(), 10U);
  for (size_t step = 0; step < losses.size(); ++step) {
    const Tensor output = output_of(file, net, training);
    const Tensor loss = training.loss(output, file);
    optimiser.zero_grad();
    backward(loss);
    if (step == 0) {
      EXPECT_LE(relative_distance(output, file.at("expected.output")), file.at("ask.output").item())
          << "output";
      expect_small_gradients(nn::named_parameters(net), file, file.at("ask.grad").item());
    }
    if (training.before_step) training.before_step();
    optimiser.step();
    if (training.after_step) training.after_step(loss.item());
    expect_close(loss.item(), losses[step], file.at("ask.losses").item(), step);
  }
}

TEST(SmallTrajectory, Mlp) {
  const File file = golden("mlp");
  nn::Sequential net(nn::Linear(12, 24), nn::BatchNorm1d(24), nn::LeakyReLU(0.1), nn::Linear(24, 16),
                     nn::ELU(), nn::Linear(16, 5));
  optim::Rmsprop rmsprop(
      net, {.learning_rate = 2e-3, .alpha = 0.9, .epsilon = 1e-4, .momentum = 0.5, .centred = true});
  optim::Scheduler scheduler(rmsprop, optim::step_decay(3, 0.5));
  expect_small_trajectory(file, net, rmsprop,
                          {.loss =
                               [](const Tensor& output, const File& batch) {
                                 return cross_entropy(output, batch.at("batch.y"), {.label_smoothing = 0.1});
                               },
                           .after_step = [&](double) { scheduler.step(); }});
}

TEST(SmallTrajectory, ConvNet) {
  const File file = golden("convnet");
  nn::Sequential net(nn::Conv2d(3, 8, 3, {.padding = 1}), nn::GroupNorm(4, 8), nn::SiLU(), nn::MaxPool2d(2),
                     nn::Conv2d(8, 12, 3, {.stride = 2, .padding = 1}), nn::Hardswish(),
                     nn::AdaptiveAvgPool2d({2, 2}), nn::Flatten(), nn::Linear(48, 4));
  optim::Sgd sgd(net, {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3, .nesterov = true});
  // PyTorch's cosine rises again after its last step; ours stays. In the tenth step it is behind the last.
  optim::Scheduler scheduler(sgd, optim::Schedule([](int64_t step) {
                               return 0.2 + 0.8 * 0.5 * (1 + std::cos(M_PI * static_cast<double>(step) / 8));
                             }));
  const Tensor weights = from_values<float>({1, 2, 0.5, 1.5}, {4});
  expect_small_trajectory(file, net, sgd,
                          {.loss =
                               [&](const Tensor& output, const File& batch) {
                                 return cross_entropy(output, batch.at("batch.y"),
                                                      {.weight = weights, .ignore_index = -100});
                               },
                           .after_step = [&](double) { scheduler.step(); }});
}

TEST(SmallTrajectory, Autoencoder) {
  const File file = golden("autoencoder");
  const Conv2dOptions halving{.stride = 2, .padding = 1};
  nn::Sequential net(nn::Conv2d(1, 6, 3, halving), nn::GELU(), nn::Conv2d(6, 8, 3, halving), nn::Tanh(),
                     nn::ConvTranspose2d(8, 6, 3, {.stride = 2, .padding = 1, .output_padding = 1}),
                     nn::GELU(GeluForm::tanh), nn::ConvTranspose2d(6, 1, 4, {.stride = 2, .padding = 1}),
                     nn::Sigmoid());
  optim::Adam adam(net, {.learning_rate = 5e-3});
  optim::Scheduler scheduler(adam, optim::exponential(0.9));
  expect_small_trajectory(
      file, net, adam,
      {.loss = [](const Tensor& output,
                  const File& batch) { return binary_cross_entropy(output, batch.at("batch.x")); },
       .after_step = [&](double) { scheduler.step(); }});
}

struct Tagger {
  Tensor operator()(const Tensor& x) const { return transpose(linear(lstm(embedding(x)).output), 1, 2); }
  void visit(nn::Visitor& visitor) {
    visitor("embedding", embedding);
    visitor("lstm", lstm);
    visitor("linear", linear);
  }
  nn::Embedding embedding{20, 8};
  nn::LSTM lstm{8, 6, {.layers = 2, .bidirectional = true}};
  nn::Linear linear{12, 5};
};

TEST(SmallTrajectory, Tagger) {
  const File file = golden("tagger");
  Tagger net;
  optim::AdamW adamw(net, {.learning_rate = 5e-3, .weight_decay = 0.1});
  optim::Scheduler scheduler(adamw, optim::sequential({optim::linear(0.25, 1, 4), optim::cosine(6)}, {4}));
  expect_small_trajectory(file, net, adamw,
                          {.loss =
                               [](const Tensor& output, const File& batch) {
                                 return cross_entropy(output, batch.at("batch.y"),
                                                      {.ignore_index = -100, .class_axis = 1});
                               },
                           .before_step = [&] { optim::clip_grad_norm(adamw.parameters(), 1); },
                           .after_step = [&](double) { scheduler.step(); }});
}

struct SequenceRegression {
  Tensor operator()(const Tensor& x) const { return linear(squeeze(gru(x).hidden, 0)); }
  void visit(nn::Visitor& visitor) {
    visitor("gru", gru);
    visitor("linear", linear);
  }
  nn::GRU gru{4, 10};
  nn::Linear linear{10, 1};
};

TEST(SmallTrajectory, SequenceRegression) {
  const File file = golden("sequence_regression");
  SequenceRegression net;
  optim::Adagrad adagrad(net, {.learning_rate = 0.05, .rate_decay = 0.01});
  optim::Scheduler scheduler(adagrad, optim::multi_step({3, 7}, 0.3));
  expect_small_trajectory(
      file, net, adagrad,
      {.loss = [](const Tensor& output,
                  const File& batch) { return huber_loss(output, batch.at("batch.y"), {.delta = 0.5}); },
       .after_step = [&](double) { scheduler.step(); }});
}

struct Encoder {
  Tensor operator()(const Tensor& x, const Tensor& seen) const {
    return linear(mean(layer(embedding(x), {.mask = unsqueeze(unsqueeze(seen, 1), 1)}), {1}));
  }
  void visit(nn::Visitor& visitor) {
    visitor("embedding", embedding);
    visitor("layer", layer);
    visitor("linear", linear);
  }
  nn::Embedding embedding{30, 16};
  nn::TransformerEncoderLayer layer{16, 4, {.feedforward = 32, .dropout = 0, .activation = nn::GELU()}};
  nn::Linear linear{16, 3};
};

TEST(SmallTrajectory, Encoder) {
  const File file = golden("encoder");
  Encoder net;
  optim::AdamW adamw(net, {.learning_rate = 0.01, .beta1 = 0.95, .weight_decay = 0.01});
  const optim::OneCycle cycle = optim::one_cycle({.steps = 12});
  optim::Scheduler scheduler(adamw, cycle.rate, cycle.momentum);
  const Tensor weights = from_values<float>({1, 3, 0.5}, {3});
  expect_small_trajectory(
      file, net, adamw,
      {.output = [&](const File& batch) { return net(batch.at("batch.x"), batch.at("batch.seen")); },
       .loss =
           [&](const Tensor& output, const File& batch) {
             return binary_cross_entropy_with_logits(output, batch.at("batch.y"), {.pos_weight = weights});
           },
       .after_step = [&](double) { scheduler.step(); }});
}

struct Decoder {
  Tensor operator()(const Tensor& x, const Tensor& memory) const {
    return transpose(linear(norm(layer(x, memory))), 1, 2);
  }
  void visit(nn::Visitor& visitor) {
    visitor("layer", layer);
    visitor("norm", norm);
    visitor("linear", linear);
  }
  nn::TransformerDecoderLayer layer{12, 3, {.feedforward = 24, .dropout = 0, .norm_first = true}};
  nn::LayerNorm norm{12};
  nn::Linear linear{12, 7};
};

TEST(SmallTrajectory, Decoder) {
  const File file = golden("decoder");
  Decoder net;
  optim::Adam adam(net, {.learning_rate = 2e-3, .beta1 = 0.8, .beta2 = 0.95, .amsgrad = true});
  optim::Scheduler scheduler(adam, optim::polynomial(12, 2));
  expect_small_trajectory(
      file, net, adam,
      {.output = [&](const File& batch) { return net(batch.at("batch.x"), batch.at("batch.memory")); },
       .loss =
           [](const Tensor& output, const File& batch) {
             return cross_entropy(output, batch.at("batch.y"), {.class_axis = 1});
           },
       .after_step = [&](double) { scheduler.step(); }});
}

TEST(SmallTrajectory, Waveform) {
  const File file = golden("waveform");
  nn::Sequential net(nn::Conv1d(2, 6, 5, {.stride = 2, .padding = 2}), nn::Softplus(),
                     nn::Conv1d(6, 4, 3, {.dilation = 2}), nn::Hardtanh(-1, 1), nn::Flatten(),
                     nn::Linear(28, 3));
  optim::Adadelta adadelta(net, {.learning_rate = 1, .rho = 0.9});
  optim::ReduceOnPlateau plateau(adadelta, {.factor = 0.5, .patience = 1});
  expect_small_trajectory(
      file, net, adadelta,
      {.loss = [](const Tensor& output, const File& batch) { return l1_loss(output, batch.at("batch.y")); },
       .after_step = [&](double loss) { plateau.step(loss); }});
}

struct Gated {
  Tensor operator()(const Tensor& x) const { return log_softmax(down(glu(up(norm(x)))), 1); }
  void visit(nn::Visitor& visitor) {
    visitor("norm", norm);
    visitor("up", up);
    visitor("down", down);
  }
  nn::RMSNorm norm{10, 1e-6};
  nn::Linear up{10, 32}, down{16, 6};
};

TEST(SmallTrajectory, Gated) {
  const File file = golden("gated");
  Gated net;
  optim::Lion lion(net, {.learning_rate = 1e-3, .weight_decay = 0.1});
  optim::Scheduler scheduler(lion, optim::cosine_restarts(4));
  expect_small_trajectory(
      file, net, lion,
      {.loss =
           [](const Tensor& output, const File& batch) {
             return kl_div(output, batch.at("batch.y"), {.reduction = LossReduction::sum}) / output.size(0);
           },
       .after_step = [&](double) { scheduler.step(); }});
}

TEST(SmallTrajectory, Triplet) {
  const File file = golden("triplet");
  nn::Sequential net(nn::Linear(8, 16), nn::Hardsigmoid(), nn::Linear(16, 4));
  optim::Sgd sgd(net, {.learning_rate = 0.1, .momentum = 0.9});
  optim::Scheduler scheduler(sgd, optim::linear(1, 0.1, 8));
  expect_small_trajectory(file, net, sgd,
                          {.loss =
                               [&](const Tensor& output, const File& batch) {
                                 const Tensor positive = net(batch.at("batch.positive")),
                                              negative = net(batch.at("batch.negative"));
                                 return triplet_margin_loss(output, positive, negative, {.margin = 0.7}) +
                                        cosine_embedding_loss(output, negative, full({6}, -1),
                                                              {.margin = 0.1});
                               },
                           .after_step = [&](double) { scheduler.step(); }});
}

struct Separable {
  Tensor operator()(const Tensor& images) const {
    const Tensor x = relu6(bn1(depthwise(images)));
    return log_softmax(linear(mean(hardswish(bn2(pointwise(x))), {2, 3})), 1);
  }
  void visit(nn::Visitor& visitor) {
    visitor("depthwise", depthwise);
    visitor("bn1", bn1);
    visitor("pointwise", pointwise);
    visitor("bn2", bn2);
    visitor("linear", linear);
  }
  nn::Conv2d depthwise{6, 6, 3, {.padding = 1, .groups = 6}, false}, pointwise{6, 12, 1, {}, false};
  nn::BatchNorm2d bn1{6}, bn2{12};
  nn::Linear linear{12, 4};
};

TEST(SmallTrajectory, Separable) {
  const File file = golden("separable");
  Separable net;
  optim::AdamW adamw(net, {.learning_rate = 3e-3, .weight_decay = 0.05});
  expect_small_trajectory(
      file, net, adamw,
      {.loss = [](const Tensor& output, const File& batch) { return nll_loss(output, batch.at("batch.y")); },
       .before_step = [&] { optim::clip_grad_norm(adamw.parameters(), 0.5); }});
}

TEST(SmallTrajectory, Projection) {
  const File file = golden("projection");
  nn::Sequential net(nn::Linear(10, 20, false), nn::SiLU(), nn::Linear(20, 3, false));
  optim::Muon muon(net, {.learning_rate = 0.02, .momentum = 0.9, .weight_decay = 0.1});
  expect_small_trajectory(file, net, muon, {.loss = [](const Tensor& output, const File& batch) {
                            return smooth_l1_loss(output, batch.at("batch.y"), {.beta = 0.5});
                          }});
}

TEST(SmallTrajectory, Logistic) {
  const File file = golden("logistic");
  nn::Sequential net(nn::Linear(6, 1));
  nn::load_state(net, under_name(file, "init."));
  optim::Lbfgs lbfgs(net, {.learning_rate = 1, .max_iterations = 4});
  const std::vector<double> losses = file.at("expected.losses").to_vector<double>();
  const auto penalised_loss = [&] {
    return binary_cross_entropy_with_logits(net(file.at("batch.x")), file.at("batch.y")) +
           optim::elastic_net("*.weight", 0.01, 0.02)(net);
  };
  for (size_t step = 0; step < losses.size(); ++step) {
    const Tensor loss = lbfgs.step([&] {
      lbfgs.zero_grad();
      const Tensor value = penalised_loss();
      backward(value);
      return value;
    });
    expect_close(loss.item(), losses[step], file.at("ask.losses").item(), step);
  }
}

}  // namespace
