// Reads weights that PyTorch wrote: a transformer encoder whose tensors are found by their PyTorch names in a
// safetensors file, which also holds a batch and what PyTorch computed for it.
//
//   build/release/examples/read_pytorch_weights [tests/golden/trajectories/encoder.safetensors]

#include <cstdio>

#include <espalier/espalier.h>

using namespace espalier;

/// The members have the names that they have in the Python class.
struct Encoder {
  Tensor operator()(const Tensor& tokens, const Tensor& seen) const {
    const Tensor mask = unsqueeze(unsqueeze(seen, 1), 1);  // [N, 1, 1, T]: for all heads and queries
    return linear(mean(layer(embedding(tokens), {.mask = mask}), {1}));
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

int main(int argc, char** argv) try {
  const char* path = argc > 1 ? argv[1] : "tests/golden/trajectories/encoder.safetensors";
  const auto file = io::load_safetensors(path).tensors;
  nn::StateMap weights;
  for (const auto& [name, tensor] : file) {
    if (name.starts_with("init.")) weights[name.substr(5)] = tensor;
  }
  Encoder net;
  nn::load_state(net, weights);
  const NoGrad no_grad;
  const Tensor ours = net(file.at("batch.x"), file.at("batch.seen")), theirs = file.at("expected.output");
  std::printf("%zu tensors by name; the largest difference from PyTorch's output is %.1e\n", weights.size(),
              max(abs(ours - theirs)).item());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
