// Speaks the protocol of the program `peers`, which measures this library against others side by side:
//
//   peer_workloads [--eager] WORKLOAD --threads N --data FILE
//
// Runs plans, or (--eager) plain code. WORKLOAD is train/NAME or infer/NAME. FILE is a safetensors file with
// the initial weights (init.*) and eight batches (batch.I.x, batch.I.y). Prints `ready`, then answers each
// line of its input: `check` with the losses (or outputs) of the eight batches as JSON, a number of seconds
// with `MEDIAN COUNT`, the median time of a step in microseconds and the number of steps. Exits with 3 for a
// workload that it does not know.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

namespace {

constexpr int kBatches = 8;
constexpr int kUnknownWorkload = 3;

/// The content of the data file.
struct Data {
  nn::StateMap init;
  std::vector<data::Examples> batches;
  Tensor tokens;  ///< what to go on with when decoding is checked
  bool eager = false;
};

Data load(const std::string& path, bool eager) {
  const std::map<std::string, Tensor> tensors = io::load_safetensors(path).tensors;
  Data data;
  data.eager = eager;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("init.")) data.init.emplace(name.substr(5), tensor);
  }
  for (int i = 0; i < kBatches; ++i) {
    const std::string batch = "batch." + std::to_string(i);
    data.batches.push_back({tensors.at(batch + ".x"), tensors.at(batch + ".y")});
  }
  if (const auto found = tensors.find("decode.tokens"); found != tensors.end()) data.tokens = found->second;
  return data;
}

/// A workload brought to life: step(i) works on batch i; check() starts afresh from the file's weights.
struct Job {
  std::function<void(int)> step;
  std::function<std::string()> check;
};

std::string json(const std::vector<double>& values) {
  std::string text = "[";
  for (const double value : values) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.9g", text.size() > 1 ? ", " : "", value);
    text += number;
  }
  return text + "]";
}

template <class Net>
Net fresh(const std::function<Net()>& make, const nn::StateMap& init) {
  Net net = make();
  nn::load_state(net, init);
  return net;
}

template <class Net>
using OptimiserOf = std::unique_ptr<optim::Optimiser> (*)(Net&);

/// `f` as it is, or as plans.
runtime::Function runnable(runtime::Function f, const runtime::State& state, bool eager) {
  if (eager) return f;
  const auto plans = std::make_shared<runtime::CompiledFunction>(std::move(f), state);
  return [plans](Inputs inputs) { return plans->run(inputs); };
}

/// A net in training.
template <class Net>
class Training {
 public:
  Training(Net start, OptimiserOf<Net> optimiser_of, bool eager)
      : net_(std::move(start)),
        optimiser_(optimiser_of(net_)),
        step_(runnable(
            runtime::as_function([this](const Tensor& x, const Tensor& y) { return plain_step(x, y); }),
            runtime::State(net_, *optimiser_), eager)) {}

  double step(const data::Examples& batch) {
    const Tensor inputs[] = {batch.inputs, batch.labels};
    return step_(inputs)[0].item();
  }

 private:
  Tensor plain_step(const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net_(x), y);
    optimiser_->zero_grad();
    backward(loss);
    optimiser_->step();
    return loss;
  }

  Net net_;
  std::unique_ptr<optim::Optimiser> optimiser_;
  runtime::Function step_;
};

template <class Net>
Job train(const Data& data, const std::function<Net()>& make, OptimiserOf<Net> optimiser_of) {
  const auto begin = [=] {
    return std::make_shared<Training<Net>>(fresh(make, data.init), optimiser_of, data.eager);
  };
  return {[=, training = begin()](int i) { training->step(data.batches[static_cast<size_t>(i)]); },
          [=] {
            const auto training = begin();
            std::vector<double> losses;
            for (const data::Examples& batch : data.batches) losses.push_back(training->step(batch));
            return json(losses);
          }};
}

/// The job of computing `answer` of batches.
Job inference(const std::function<Tensor(const Tensor&)>& answer, const Data& data) {
  return {[=, batches = data.batches](int i) { answer(batches[static_cast<size_t>(i)].inputs); },
          [=, batches = data.batches] {
            std::string text = "[";
            for (const data::Examples& batch : batches) {
              const std::vector<float> values = answer(batch.inputs).to_vector<float>();
              text += (text.size() > 1 ? ", " : "") + json({values.begin(), values.end()});
            }
            return text + "]";
          }};
}

template <class Net>
Job infer(const Data& data, const std::function<Net()>& make) {
  const auto net = std::make_shared<Net>(fresh(make, data.init));
  nn::eval(*net);
  const runtime::Function forward = runnable(
      runtime::as_function([net](const Tensor& x) { return (*net)(x); }), runtime::State(*net), data.eager);
  return inference(
      [forward](const Tensor& x) {
        const NoGrad no_grad;
        return forward(Inputs(&x, 1))[0];
      },
      data);
}

/// Inference with 8-bit integers, calibrated on the batches.
template <class Net>
Job infer_int8(const Data& data, const std::function<Net()>& make) {
  if (data.eager) throw ValueError("--eager", "is for f32; quantised graphs run as plans");
  Net net = fresh(make, data.init);
  nn::eval(net);
  const Tensor& example = data.batches[0].inputs;
  const runtime::Graph graph = runtime::optimise(runtime::freeze(
      runtime::capture([&](const Tensor& x) { return net(x); }, {example}, runtime::State(net))));
  std::vector<std::vector<Tensor>> batches;
  for (const data::Examples& batch : data.batches) batches.push_back({batch.inputs});
  const runtime::Graph quantized = runtime::quantize(graph, runtime::calibrate(graph, batches));
  const auto runner = std::make_shared<runtime::Runner>(std::make_shared<const runtime::Plan>(quantized));
  return inference([runner](const Tensor& x) { return runner->run(Inputs(&x, 1))[0]; }, data);
}

/// A language model that goes on with a text a token at a time.
class Decoding {
 public:
  Decoding(models::Gpt gpt, bool eager)
      : gpt_(std::move(gpt)),
        cache_(gpt_),
        next_(runnable(runtime::as_function([this](const Tensor& tokens) { return gpt_(tokens, cache_); }),
                       runtime::State(gpt_, cache_), eager)) {}

  /// The logits behind the next tokens, i64 [1, T].
  std::vector<float> logits(const Tensor& tokens) {
    length_ += tokens.size(1);
    return next_(Inputs(&tokens, 1))[0].to_vector<float>();
  }

  /// The most probable token, or the first one behind `prompt` where the context is full.
  void step(const Tensor& prompt) {
    const bool full = length_ == 0 || length_ == gpt_.length();
    if (full) {
      cache_.clear();
      length_ = 0;
    }
    const std::vector<float> found = logits(full ? prompt : full_like(token_, best_));
    best_ = std::max_element(found.begin(), found.end()) - found.begin();
  }

 private:
  models::Gpt gpt_;
  models::GptCache cache_;
  runtime::Function next_;
  const Tensor token_ = zeros({1, 1}, Dtype::i64);
  int64_t length_ = 0, best_ = 0;
};

Job decode(const Data& data, const std::function<models::Gpt()>& make) {
  const auto begin = [=] { return std::make_shared<Decoding>(fresh(make, data.init), data.eager); };
  return {[=, decoding = begin()](int i) { decoding->step(data.batches[static_cast<size_t>(i)].inputs); },
          [=] {
            const auto decoding = begin();
            const auto text = [](const std::vector<float>& values) {
              return json({values.begin(), values.end()});
            };
            std::string lists = "[" + text(decoding->logits(data.batches[0].inputs));
            for (int64_t i = 0; i < data.tokens.size(1); ++i)
              lists += ", " + text(decoding->logits(at(data.tokens, kAll, Range{i, i + 1})));
            return lists + "]";
          }};
}

template <class Net>
std::unique_ptr<optim::Optimiser> sgd(Net& net) {
  return std::make_unique<optim::Sgd>(
      net, optim::SgdOptions{.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-2});
}
template <class Net>
std::unique_ptr<optim::Optimiser> adam(Net& net) {
  return std::make_unique<optim::Adam>(net, optim::AdamOptions{.learning_rate = 1e-3});
}
template <class Net>
std::unique_ptr<optim::Optimiser> adamw(Net& net) {
  return std::make_unique<optim::AdamW>(
      net, optim::AdamWOptions{.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1});
}

using models::Gpt, models::Mlp, models::ResNetCifar, models::SeedNet;

const std::map<std::string, std::function<Job(const Data&)>>& workloads() {
  static const auto digits_mlp = [] { return Mlp({64, 64, 10}); };
  static const auto mlp = [] { return Mlp({784, 1024, 1024, 10}); };
  static const auto seednet = [] { return SeedNet(); };
  static const auto resnet20 = [] { return ResNetCifar(3); };
  static const auto gpt_nano = [] { return Gpt(4, 128, 4, 64); };
  static const auto gpt_mini = [] { return Gpt(6, 384, 6, 256); };
  static const std::map<std::string, std::function<Job(const Data&)>> jobs = {
      {"train/digits-mlp", [](const Data& data) { return train<Mlp>(data, digits_mlp, adam<Mlp>); }},
      {"train/mlp", [](const Data& data) { return train<Mlp>(data, mlp, sgd<Mlp>); }},
      {"train/seednet", [](const Data& data) { return train<SeedNet>(data, seednet, sgd<SeedNet>); }},
      {"train/resnet20",
       [](const Data& data) { return train<ResNetCifar>(data, resnet20, sgd<ResNetCifar>); }},
      {"train/gpt-nano", [](const Data& data) { return train<Gpt>(data, gpt_nano, adamw<Gpt>); }},
      {"train/gpt-mini", [](const Data& data) { return train<Gpt>(data, gpt_mini, adamw<Gpt>); }},
      {"infer/digits-mlp-1", [](const Data& data) { return infer<Mlp>(data, digits_mlp); }},
      {"infer/mlp-1", [](const Data& data) { return infer<Mlp>(data, mlp); }},
      {"infer/mlp-64", [](const Data& data) { return infer<Mlp>(data, mlp); }},
      {"infer/seednet-1", [](const Data& data) { return infer<SeedNet>(data, seednet); }},
      {"infer/resnet20-1", [](const Data& data) { return infer<ResNetCifar>(data, resnet20); }},
      {"infer/resnet20-64", [](const Data& data) { return infer<ResNetCifar>(data, resnet20); }},
      {"infer/mlp-int8-1", [](const Data& data) { return infer_int8<Mlp>(data, mlp); }},
      {"infer/seednet-int8-1", [](const Data& data) { return infer_int8<SeedNet>(data, seednet); }},
      {"infer/resnet20-int8-1", [](const Data& data) { return infer_int8<ResNetCifar>(data, resnet20); }},
      {"infer/gpt-mini-prefill", [](const Data& data) { return infer<Gpt>(data, gpt_mini); }},
      {"decode/gpt-nano", [](const Data& data) { return decode(data, gpt_nano); }},
      {"decode/gpt-mini", [](const Data& data) { return decode(data, gpt_mini); }},
  };
  return jobs;
}

/// Runs steps for `seconds`, at least three: the median in microseconds and their number.
std::string measure(const Job& job, double seconds, int& next) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (times.size() < 3 || Clock::now() < end) {
    const Clock::time_point start = Clock::now();
    job.step(next);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    next = (next + 1) % kBatches;
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return std::to_string(*middle) + " " + std::to_string(times.size());
}

int run(int argc, char** argv) {
  const std::string usage = "usage: peer_workloads [--eager] WORKLOAD --threads N --data FILE";
  const bool eager = argc > 1 && std::string(argv[1]) == "--eager";
  if (eager) {
    --argc;
    ++argv;
  }
  if (argc != 6 || std::string(argv[2]) != "--threads" || std::string(argv[4]) != "--data")
    throw ValueError("peer_workloads", usage);
  const auto found = workloads().find(argv[1]);
  if (found == workloads().end()) return kUnknownWorkload;
  set_num_threads(std::atoi(argv[3]));
  const Job job = found->second(load(argv[5], eager));
  int next = 0;
  measure(job, 0.3, next);  // warms up caches and primitives
  std::cout << "ready" << '\n' << std::flush;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "check") {
      std::cout << job.check() << '\n' << std::flush;
      continue;
    }
    const double seconds = std::atof(line.c_str());
    if (!(seconds > 0))
      throw ValueError("peer_workloads",
                       "cannot use the line '" + line + "'; expected check or a number of seconds");
    std::cout << measure(job, seconds, next) << '\n' << std::flush;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
