// An encoder of BERT's type with weights loaded by name. With a file (all-MiniLM-L6-v2's model.safetensors,
// say) its sizes are read off the tensors; without one a small net with random weights is saved and loaded
// again. Prints the embedding of token numbers, the mean over the sequence at length 1.
//
//   build/release/examples/bert_encoder [model.safetensors HEADS TOKEN...]

#include <cstdio>
#include <cstdlib>

#include <espalier/espalier.h>

using namespace espalier;

/// The sizes that a file's tensors have.
models::BertOptions sizes_of(const nn::StateMap& weights, int64_t heads) {
  const Tensor words = weights.at("embeddings.word_embeddings.weight");
  models::BertOptions options{
      .vocabulary = words.size(0), .width = words.size(1), .layers = 0, .heads = heads};
  while (weights.contains("encoder.layer." + std::to_string(options.layers) + ".output.dense.weight"))
    ++options.layers;
  options.feedforward = weights.at("encoder.layer.0.output.dense.weight").size(1);
  options.positions = weights.at("embeddings.position_embeddings.weight").size(0);
  options.segments = weights.at("embeddings.token_type_embeddings.weight").size(0);
  return options;
}

int main(int argc, char** argv) try {
  std::string path = "bert.safetensors";
  int64_t heads = 4;
  std::vector<int64_t> tokens = {101, 7592, 2088, 102};
  if (argc > 2) {
    path = argv[1];
    heads = std::atoll(argv[2]);
    if (argc > 3) tokens.clear();
    for (int i = 3; i < argc; ++i) tokens.push_back(std::atoll(argv[i]));
  } else {
    manual_seed(1);
    models::Bert small(
        {.vocabulary = 8000, .width = 64, .layers = 2, .heads = heads, .feedforward = 256, .positions = 64});
    io::save_safetensors(path, nn::state(small));
  }
  const nn::StateMap weights = io::load_safetensors(path).tensors;
  models::Bert bert(sizes_of(weights, heads));
  nn::load_state(bert, weights);
  std::printf("%zu tensors loaded by name from %s\n", weights.size(), path.c_str());

  const NoGrad no_grad;
  const auto length = static_cast<int64_t>(tokens.size());
  const Tensor states = bert(from_values(tokens, {1, length}), ones({1, length}, Dtype::boolean));
  const Tensor average = mean(states, {1});
  const std::vector<float> embedding = (average / sqrt(sum(average * average))).to_vector<float>();
  std::printf("embedding of %lld numbers: %.6f %.6f %.6f ...\n", static_cast<long long>(embedding.size()),
              static_cast<double>(embedding[0]), static_cast<double>(embedding[1]),
              static_cast<double>(embedding[2]));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
