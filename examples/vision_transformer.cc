// A vision transformer: a digit is cut into 16 patches of 2 x 2 pixels, which attend to each other and to a
// token that stands for the whole (Dosovitskiy et al., "An image is worth 16x16 words", 2021).
//
//   build/release/examples/vision_transformer

#include <cstdio>

#include "examples/digits/training.h"

using namespace espalier;

struct VisionTransformer {
  static constexpr int64_t kWidth = 48, kPatches = 16;

  VisionTransformer()
      : class_token(make_parameter(normal({1, 1, kWidth}, 0, 0.02), "VisionTransformer")),
        positions(make_parameter(normal({1, kPatches + 1, kWidth}, 0, 0.02), "VisionTransformer")) {
    for (int i = 0; i < 3; ++i) {
      blocks.emplace_back(kWidth, 4,
                          nn::TransformerOptions{.feedforward = 4 * kWidth,
                                                 .dropout = 0.1,
                                                 .activation = [](const Tensor& x) { return gelu(x); },
                                                 .norm_first = true});
    }
  }

  Tensor operator()(const Tensor& images) const {
    const Tensor patches = transpose(flatten(patch(images), 2), 1, 2);  // [N, patches, width]
    const Tensor first = expand(class_token, {images.size(0), -1, -1});
    Tensor x = concat({first, patches}, 1) + positions;
    for (const nn::TransformerEncoderLayer& block : blocks) x = block(x);
    return head(norm(squeeze(slice(x, 1, {.stop = 1}), 1)));
  }
  void visit(nn::Visitor& visitor) {
    visitor("class_token", class_token);
    visitor("positions", positions);
    visitor("patch", patch);
    visitor("blocks", blocks);
    visitor("norm", norm);
    visitor("head", head);
  }

  Tensor class_token, positions;
  nn::Conv2d patch{1, kWidth, 2, {.stride = 2}};
  std::vector<nn::TransformerEncoderLayer> blocks;
  nn::LayerNorm norm{kWidth};
  nn::Linear head{kWidth, 10};
};

int main() {
  manual_seed(1);
  const data::Split data = data::digits();
  VisionTransformer net;
  const digits::Record record = digits::fit_with_progress(net, data, {.epochs = 30});
  std::printf("%.2f %% of the test digits are right\n", 100 * record.accuracies.back());
}
