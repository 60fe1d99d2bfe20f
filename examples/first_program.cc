#include <cstdio>

#include <espalier/espalier.h>

using namespace espalier;

int main() {
  const data::Split digits = data::digits();
  nn::Sequential net(nn::Linear(64, 128), relu, nn::Linear(128, 10));
  optim::AdamW adamw(net, {.learning_rate = 3e-3});
  data::Loader loader(digits.train, {.batch_size = 32, .seed = 1});
  while (loader.epoch() < 20) {
    for (const data::Examples& batch : loader) {
      const Tensor loss = cross_entropy(net(flatten(batch.inputs, 1)), batch.labels);
      adamw.zero_grad();
      backward(loss);
      adamw.step();
    }
  }
  const Tensor right = equal(argmax(net(flatten(digits.test.inputs, 1)), 1), digits.test.labels);
  std::printf("%.1f %% of the test digits are right\n", 100 * mean(cast(right, Dtype::f32)).item());
  io::save_safetensors("first.safetensors", nn::state(net));
}
