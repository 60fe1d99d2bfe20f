// Times a step of every optimiser, and clipping and averaging, on the parameters of two published nets:
// ResNet-20 for CIFAR-10 (65 tensors, 0.27 million numbers) and a GPT of 6 layers and 384 channels on
// characters (76 tensors, 10.7 million).
//
//   build/release/bench/optim_bench --benchmark_filter=resnet20

#include <functional>
#include <memory>

#include <benchmark/benchmark.h>

#include "autograd/autograd.h"
#include "optim/adadelta.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/average.h"
#include "optim/clip.h"
#include "optim/lion.h"
#include "optim/muon.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace espalier {
namespace {

std::vector<Shape> resnet20() {
  std::vector<Shape> shapes = {{16, 3, 3, 3}, {16}, {16}};
  int64_t channels = 16;
  for (const int64_t width : {16, 32, 64}) {
    for (int block = 0; block < 3; ++block) {
      for (int convolution = 0; convolution < 2; ++convolution) {
        shapes.insert(shapes.end(), {{width, channels, 3, 3}, {width}, {width}});
        channels = width;
      }
    }
  }
  shapes.insert(shapes.end(), {{10, 64}, {10}});
  return shapes;
}

std::vector<Shape> gpt() {
  constexpr int64_t kWidth = 384;
  std::vector<Shape> shapes = {{65, kWidth}, {256, kWidth}};
  for (int layer = 0; layer < 6; ++layer) {
    shapes.insert(shapes.end(), {{kWidth},
                                 {kWidth},
                                 {3 * kWidth, kWidth},
                                 {3 * kWidth},
                                 {kWidth, kWidth},
                                 {kWidth},
                                 {kWidth},
                                 {kWidth},
                                 {4 * kWidth, kWidth},
                                 {4 * kWidth},
                                 {kWidth, 4 * kWidth},
                                 {kWidth}});
  }
  shapes.insert(shapes.end(), {{kWidth}, {kWidth}});
  return shapes;
}

/// Parameters with gradients, all of small numbers.
struct Net {
  explicit Net(const std::vector<Shape>& shapes) {
    for (const Shape& shape : shapes) {
      Tensor parameter = requires_grad_(full(shape, 0.1F));
      parameter.set_grad(full(shape, 0.01F));
      tensors.push_back(parameter);
    }
  }
  void visit(nn::Visitor& visitor) {
    for (size_t i = 0; i < tensors.size(); ++i) visitor(std::to_string(i), tensors[i]);
  }

  std::vector<Tensor> tensors;
};

template <class O, class Options>
std::function<void()> step(Net& net, const Options& options) {
  const auto optimiser = std::make_shared<O>(net, options);
  return [optimiser] { optimiser->step(); };
}

struct Job {
  const char* name;
  std::function<std::function<void()>(Net&)> make;
};

const std::vector<Job>& jobs() {
  using namespace optim;  // NOLINT(google-build-using-namespace)
  // Rates of 0 would be as fast, but these keep the numbers from growing over millions of steps.
  static const std::vector<Job> list = {
      {"sgd", [](Net& net) { return step<Sgd>(net, SgdOptions{.learning_rate = 1e-9, .momentum = 0.9}); }},
      {"adam", [](Net& net) { return step<Adam>(net, AdamOptions{.learning_rate = 1e-9}); }},
      {"adamw", [](Net& net) { return step<AdamW>(net, AdamWOptions{.learning_rate = 1e-9}); }},
      {"amsgrad",
       [](Net& net) { return step<Adam>(net, AdamOptions{.learning_rate = 1e-9, .amsgrad = true}); }},
      {"rmsprop", [](Net& net) { return step<Rmsprop>(net, RmspropOptions{.learning_rate = 1e-9}); }},
      {"rmsprop_centred",
       [](Net& net) {
         return step<Rmsprop>(net, RmspropOptions{.learning_rate = 1e-9, .momentum = 0.9, .centred = true});
       }},
      {"adagrad", [](Net& net) { return step<Adagrad>(net, AdagradOptions{.learning_rate = 1e-9}); }},
      {"adadelta", [](Net& net) { return step<Adadelta>(net, AdadeltaOptions{.learning_rate = 1e-9}); }},
      {"lion", [](Net& net) { return step<Lion>(net, LionOptions{.learning_rate = 1e-9}); }},
      {"muon", [](Net& net) { return step<Muon>(net, MuonOptions{.learning_rate = 1e-9}); }},
      {"clip_grad_norm",
       [](Net& net) {
         return [parameters = nn::parameters(net)] { optim::clip_grad_norm(parameters, 1e-3); };
       }},
      {"average",
       [](Net& net) {
         const auto average = std::make_shared<WeightAverage>(net);
         return [average] { average->update(); };
       }},
  };
  return list;
}

void run(benchmark::State& state, const Job& job, const std::vector<Shape>& shapes) {
  Net net(shapes);
  const std::function<void()> once = job.make(net);
  once();
  for (auto _ : state) once();  // NOLINT(clang-analyzer-deadcode.DeadStores)
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  using namespace espalier;  // NOLINT(google-build-using-namespace)
  for (const Job& job : jobs()) {
    for (const auto& [net, shapes] : {std::pair("resnet20", resnet20()), std::pair("gpt", gpt())}) {
      const std::string name = std::string(job.name) + "/" + net;
      benchmark::RegisterBenchmark(name.c_str(), run, job, shapes)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
