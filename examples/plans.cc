// Plans: the same training loop and the same answers, written once as plain code and run twice, eagerly and
// as a plan. Prints how far the losses are apart (runtime::Equality says why they may be), how much faster
// the plan is, and what the captured network looks like before and after the passes.
//
//   build/release/examples/plans

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

/// A network in training.
struct Trainee {
  models::Mlp net;
  optim::Adam adam{net, {.learning_rate = 1e-3}};

  Tensor step(const Tensor& x, const Tensor& y) {
    const Tensor loss = cross_entropy(net(x), y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    return loss;
  }
};

/// Seconds that `passes` over the training digits take; the losses go to `losses`.
double train(const std::function<Tensor(const Tensor&, const Tensor&)>& step, int passes,
             std::vector<double>& losses) {
  data::Loader loader(data::digits().train, {.batch_size = 32, .drop_last = true, .seed = 1});
  const auto start = std::chrono::steady_clock::now();
  while (loader.epoch() < passes) {
    for (const data::Examples& batch : loader)
      losses.push_back(step(flatten(batch.inputs, 1), batch.labels).item());
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int main() {
  manual_seed(1);
  Trainee eager{.net = models::Mlp({64, 64, 10})}, planned{.net = nn::clone(eager.net)};
  auto step = runtime::compile([&](const Tensor& x, const Tensor& y) { return planned.step(x, y); },
                               planned.net, planned.adam);
  std::vector<double> eager_losses, planned_losses;
  const double eager_time =
      train([&](const Tensor& x, const Tensor& y) { return eager.step(x, y); }, 20, eager_losses);
  const double planned_time =
      train([&](const Tensor& x, const Tensor& y) { return step(x, y); }, 20, planned_losses);
  double apart = 0;
  for (size_t i = 0; i < eager_losses.size(); ++i)
    apart = std::max(apart, std::abs(planned_losses[i] - eager_losses[i]) / eager_losses[i]);
  std::printf(
      "%zu steps; losses differ by %.1g of themselves at most; the plan takes %.2f of the eager time, "
      "capture included\n\n",
      eager_losses.size(), apart, planned_time / eager_time);

  const data::Split digits = data::digits();
  const Tensor images = flatten(digits.test.inputs, 1);
  const runtime::Graph graph = runtime::capture(planned.net, {images}, runtime::State(planned.net));
  const runtime::Graph best = runtime::optimise(runtime::freeze(graph));
  std::cout << "as captured:\n" << graph << "\nwith constant weights, after the passes:\n" << best << '\n';

  runtime::Runner runner(std::make_shared<const runtime::Plan>(best));
  const Tensor right = equal(argmax(runner.run({&images, 1})[0], 1), digits.test.labels);
  std::printf("%.1f %% of the test digits are right\n", 100 * mean(cast(right, Dtype::f32)).item());
}
