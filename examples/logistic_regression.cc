// Logistic regression: is a handwritten digit an 8? One linear layer, the binary cross-entropy of its logit,
// and an L2 penalty; prints how often it is right, and its weights as a picture.
//
//   build/release/examples/logistic_regression

#include <cstdio>
#include <iostream>

#include <espalier/espalier.h>

using namespace espalier;

/// 1 for an 8, else 0, as a column of numbers.
Tensor is_eight(const Tensor& labels) {
  return unsqueeze(cast(equal(labels, 8), Dtype::f32), 1);
}

int main() {
  manual_seed(1);
  const data::Split digits = data::digits();
  nn::Linear model(64, 1);
  optim::Sgd sgd(model, {.learning_rate = 0.5, .momentum = 0.9});
  const auto logits_of = [&](const data::Examples& examples) { return model(flatten(examples.inputs, 1)); };
  data::Loader loader(digits.train, {.batch_size = 64, .seed = 1});
  while (loader.epoch() < 20) {
    for (const data::Examples& batch : loader) {
      const Tensor loss = binary_cross_entropy_with_logits(logits_of(batch), is_eight(batch.labels)) +
                          optim::l2("weight", 1e-3)(model);
      sgd.zero_grad();
      backward(loss);
      sgd.step();
    }
  }
  const NoGrad no_grad;
  const Tensor said = greater(logits_of(digits.test), 0), right = is_eight(digits.test.labels);
  std::printf(
      "%.1f %% of the test digits are told from or as an 8 rightly; saying never would be right for %.1f "
      "%%\n",
      100 * mean(cast(equal(cast(said, Dtype::f32), right), Dtype::f32)).item(),
      100 * mean(1 - right).item());
  const Tensor picture = sigmoid(model.weight * 2);  // bright: ink here speaks for an 8
  const std::string caption = "weights";
  report::print_images(std::cout, reshape(picture, {1, 1, 8, 8}), std::span(&caption, 1), false);
}
