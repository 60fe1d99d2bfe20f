// Models as ONNX files, with inputs and what Espalier computes of them.

#include "tests/counterparts/onnx.h"

#include <cmath>
#include <iostream>
#include <set>
#include <stdexcept>

#include <espalier/espalier.h>

namespace espalier {
namespace {

/// Writes NAME.onnx, and NAME.npz with `input` and `output`.
template <class Net>
void write_model(const std::filesystem::path& folder, const std::string& name, Net net, const Tensor& input) {
  nn::eval(net);
  const NoGrad no_grad;
  // Weights as training leaves them: a fresh batch norm or bias would hide what is left out.
  for (const nn::StateEntry& entry : nn::entries(net)) {
    const bool positive = entry.name.ends_with("var");
    const Tensor change = uniform(entry.tensor.shape(), positive ? 0.5 : -0.2, positive ? 1.5 : 0.2);
    copy_(entry.tensor, positive ? change : entry.tensor + change);
  }
  runtime::save_onnx(runtime::capture(net, {input}, runtime::State(net)), folder / (name + ".onnx"));
  io::save_npz(folder / (name + ".npz"), {{"input", input}, {"output", contiguous(net(input))}});
}

/// A function of one tensor, as a model without weights.
void write_function(const std::filesystem::path& folder, const std::string& name,
                    const std::function<Tensor(const Tensor&)>& f, const Tensor& input) {
  runtime::save_onnx(runtime::capture(f, {input}), folder / (name + ".onnx"));
  io::save_npz(folder / (name + ".npz"), {{"input", input}, {"output", contiguous(f(input))}});
}

/// Separable convolutions, as in MobileNet.
nn::Sequential separable_net() {
  return nn::Sequential(nn::Conv2d(3, 8, 3, {.stride = 2, .padding = 1}), nn::BatchNorm2d(8), nn::ReLU(),
                        nn::Conv2d(8, 8, 3, {.padding = 1, .groups = 8}), nn::ReLU(),
                        nn::MaxPool2d(3, {.stride = 2, .padding = 1}), nn::Conv2d(8, 16, 1), nn::GELU(),
                        nn::AvgPool2d(2), nn::Flatten(), nn::Linear(int64_t{16} * 4 * 4, 10));
}

using Arrays = std::map<std::string, Tensor>;

/// The arrays called PREFIX0, PREFIX1, ...
std::vector<Tensor> numbered(const Arrays& arrays, const std::string& prefix) {
  std::vector<Tensor> found;
  for (auto next = arrays.find(prefix + "0"); next != arrays.end();
       next = arrays.find(prefix + std::to_string(found.size())))
    found.push_back(next->second);
  return found;
}

runtime::OnnxOptions options_of(const Arrays& arrays) {
  constexpr std::string_view kPrefix = "size:";
  runtime::OnnxOptions options;
  for (const auto& [name, size] : arrays) {
    if (name.starts_with(kPrefix))
      options.sizes[name.substr(kPrefix.size())] = static_cast<int64_t>(size.item());
  }
  return options;
}

/// The norm of the difference by that of what is expected; where that is 0, of the difference.
double apart(const Tensor& found, const Tensor& expected) {
  const Tensor wanted = cast(expected, Dtype::f64);
  const double norm = vector_norm(wanted).item(), off = vector_norm(cast(found, Dtype::f64) - wanted).item();
  return norm > 0 ? off / norm : off;
}

/// Runs a graph; returns the largest distance of its outputs.
double largest_distance(const runtime::Graph& graph, const Arrays& arrays) {
  runtime::verify(graph);
  runtime::Runner runner(std::make_shared<const runtime::Plan>(runtime::optimise(runtime::freeze(graph))));
  const std::vector<Tensor> expected = numbered(arrays, "output");
  const std::vector<Tensor> found = runner.run(numbered(arrays, "input"));
  if (found.size() != expected.size()) throw std::runtime_error("another number of outputs");
  double largest = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (describe(found[i]) != describe(expected[i]))
      throw std::runtime_error(describe(found[i]) + " instead of " + describe(expected[i]));
    const double distance = apart(found[i], expected[i]);
    if (std::isnan(distance)) throw std::runtime_error("not numbers");
    largest = std::max(largest, distance);
  }
  return largest;
}

}  // namespace

void check_onnx_models(const std::filesystem::path& folder) {
  // The same f32 arithmetic, summed in other orders, through twenty layers at most.
  constexpr double kMost = 1e-5;
  std::set<std::filesystem::path> models;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") models.insert(entry.path());
  }
  int failed = 0;
  if (models.empty()) throw std::runtime_error("there are no models");
  for (std::filesystem::path model : models) {
    const std::string name = model.stem().string();
    try {
      const Arrays arrays = io::load_npz(std::filesystem::path(model).replace_extension(".npz"));
      const runtime::Graph graph = runtime::load_onnx(model, options_of(arrays));
      const std::string bytes = runtime::to_onnx(graph);
      const runtime::Graph again =
          runtime::parse_onnx({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
      const std::filesystem::path package = model.replace_extension(".safetensors");
      runtime::save_package(package, graph);
      double largest = 0;
      for (const runtime::Graph& one : {graph, again, runtime::load_package(package).graph()})
        largest = std::max(largest, largest_distance(one, arrays));
      std::cout << name << ": " << graph.nodes().size() << " operations, " << largest << " apart\n";
      if (largest > kMost) throw std::runtime_error(std::to_string(largest) + " apart");
    } catch (const std::exception& error) {
      std::cerr << name << ": " << error.what() << '\n';
      ++failed;
    }
  }
  if (failed > 0) throw std::runtime_error(std::to_string(failed) + " models compute something else");
}

void write_onnx_models(const std::filesystem::path& folder) {
  manual_seed(1);
  const Tensor images = normal({2, 3, 32, 32}), tokens = random_integers({2, 12}, 0, 50);
  write_model(folder, "mlp", models::Mlp({64, 32, 10}), normal({5, 64}));
  write_model(folder, "seed_net", models::SeedNet(), images);
  write_model(folder, "resnet20", models::ResNetCifar(3), images);
  write_model(folder, "separable", separable_net(), images);
  write_model(folder, "gpt", models::Gpt(2, 32, 4, 16, 50), tokens);

  const Tensor x = uniform({3, 4, 5}, 0.5, 2);
  write_function(
      folder, "arithmetic",
      [](const Tensor& t) {
        return (t * 2 - 1) / (t + 0.5) + power(t, 1.5) - maximum(t, full({5}, 1.0)) +
               minimum(t, full({4, 1}, 1.2));
      },
      x);
  write_function(
      folder, "functions",
      [](const Tensor& t) {
        return exp(-t) + log(t) + sqrt(t) + rsqrt(t) + tanh(t) + sigmoid(t) + erf(t) + abs(sin(t)) + silu(t) +
               gelu_exact(t) + softplus(t) + floor(t) + round(t) + reciprocal(t) + elu(t - 1, 0.7) +
               leaky_relu(t - 1, 0.3) + clamp(t, 0.8, 1.5) + softplus(t, 2);
      },
      x);
  write_function(
      folder, "reductions",
      [](const Tensor& t) {
        return sum(t, {1}, true) + mean(t, {0, 2}, true) + max(t, {-1}, true) + min(t, {0}, true) +
               logsumexp(t, {2}, true) + softmax(t, 1) + log_softmax(t, -1);
      },
      x);
  write_function(
      folder, "shapes",
      [](const Tensor& t) {
        const Tensor turned = permute(t, {2, 0, 1});
        const Tensors halves = split(turned, 2, 2);
        const Tensor joined = concat({halves[1], halves[0]}, 2);
        return pad(at(joined, Range{.start = 0, .stop = 5, .step = 2}), {1, 0, 0}, {0, 2, 0}) +
               expand(reshape(at(t, 0, Range{0, 4}, 0), {4, 1, 1}), {4, 5, 4});
      },
      x);
  write_function(
      folder, "choices",
      [](const Tensor& t) {
        const Tensor small = logical_and(less(t, 1.5), logical_not(equal(t, 1)));
        return where(logical_or(small, greater(t, 1.9)), t, 0 - t) + cast(not_equal(t, 0), Dtype::f32);
      },
      x);
}

}  // namespace espalier
