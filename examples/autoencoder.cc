// An autoencoder: digits of 64 pixels squeezed into 8 numbers by convolutions and drawn again by transposed
// ones. Prints the reconstruction error and some digits beside what became of them.
//
//   build/release/examples/autoencoder

#include <cstdio>
#include <iostream>

#include <espalier/espalier.h>

using namespace espalier;

struct Autoencoder {
  Tensor encode(const Tensor& images) const { return code(flatten(relu(conv2(relu(conv1(images)))), 1)); }
  Tensor decode(const Tensor& codes) const {
    const Tensor features = reshape(relu(spread(codes)), {codes.size(0), 32, 2, 2});
    return sigmoid(up2(relu(up1(features))));
  }
  Tensor operator()(const Tensor& images) const { return decode(encode(images)); }
  void visit(nn::Visitor& visitor) {
    visitor("conv1", conv1);
    visitor("conv2", conv2);
    visitor("code", code);
    visitor("spread", spread);
    visitor("up1", up1);
    visitor("up2", up2);
  }

  nn::Conv2d conv1{1, 16, 3, {.stride = 2, .padding = 1}}, conv2{16, 32, 3, {.stride = 2, .padding = 1}};
  nn::Linear code{128, 8}, spread{8, 128};
  nn::ConvTranspose2d up1{32, 16, 4, {.stride = 2, .padding = 1}}, up2{16, 1, 4, {.stride = 2, .padding = 1}};
};

int main() {
  manual_seed(1);
  const data::Split digits = data::digits();
  Autoencoder net;
  optim::Adam adam(net, {.learning_rate = 2e-3});
  constexpr int64_t kEpochs = 40;
  data::Loader loader(digits.train, {.batch_size = 64, .seed = 1});
  {
    report::Progress progress("training", kEpochs);
    while (loader.epoch() < kEpochs) {
      double total = 0;
      for (const auto& [images, labels] : loader) {
        const Tensor loss = mse_loss(net(images), images);
        adam.zero_grad();
        backward(loss);
        adam.step();
        total += loss.item();
      }
      progress.update(loader.epoch(), "loss " + report::fixed(total / static_cast<double>(loader.size()), 4));
    }
  }
  const NoGrad no_grad;
  const Tensor& images = digits.test.inputs;
  const Tensor average = mean(digits.train.inputs, {0}, true);
  std::printf("mean squared error on the test digits: %.4f; of the average digit: %.4f\n",
              mse_loss(net(images), images).item(), mse_loss(expand(average, images.shape()), images).item());
  const Tensor some = slice(images, 0, {.stop = 6});
  report::print_images(std::cout, some, {}, false);
  report::print_images(std::cout, net(some), {}, false);
}
