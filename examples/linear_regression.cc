// Fits a line to noisy points with tensors and gradients only: no layer, no optimiser.
//
//   build/release/examples/linear_regression

#include <cstdio>

#include <espalier/espalier.h>

using namespace espalier;

int main() {
  manual_seed(7);
  const Tensor x = uniform({256, 1}, -1, 1);
  const Tensor y = x * 3.0 + 0.5 + normal({256, 1}, 0, 0.1);

  Tensor slope = requires_grad_(zeros({1}));
  Tensor offset = requires_grad_(zeros({1}));
  constexpr double kRate = 0.5;
  for (int step = 0; step <= 30; ++step) {
    const Tensor residual = x * slope + offset - y;
    const Tensor loss = mean(residual * residual);
    for (Tensor* parameter : {&slope, &offset}) parameter->set_grad({});
    backward(loss);
    for (Tensor* parameter : {&slope, &offset}) {
      const NoGrad no_grad;
      accumulate_(*parameter, parameter->grad() * -kRate);
    }
    if (step % 10 == 0) {
      std::printf("step %2d  loss %.4f  y = %.3f x + %.3f\n", step, loss.item(), slope.item(), offset.item());
    }
  }
}
