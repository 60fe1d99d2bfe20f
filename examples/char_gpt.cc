// A GPT that learns a text letter by letter and goes on from a beginning. The text is a file, by default this
// project's licence.
//
//   build/release/examples/char_gpt [FILE] [STEPS]

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "examples/models/gpt.h"

using namespace espalier;

constexpr int64_t kContext = 64, kBatch = 12, kBytes = 256;

Tensor bytes_of(std::string_view text) {
  std::vector<int64_t> bytes;
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return from_values(bytes, {1, static_cast<int64_t>(bytes.size())});
}

/// Pieces of the text from random places, and the same one letter further on.
data::Examples random_pieces(const std::string& text, std::mt19937_64& random) {
  std::vector<Tensor> inputs, targets;
  for (int64_t i = 0; i < kBatch; ++i) {
    const size_t start = random() % (text.size() - kContext);
    inputs.push_back(bytes_of(std::string_view(text).substr(start, kContext)));
    targets.push_back(bytes_of(std::string_view(text).substr(start + 1, kContext)));
  }
  return {concat(inputs, 0), concat(targets, 0)};
}

/// Appends a letter drawn with the probabilities that the net gives at a temperature of 0.8.
void append_letter(const models::Gpt& net, std::string& text, std::mt19937_64& random) {
  const size_t seen = std::min<size_t>(text.size(), kContext);
  const Tensor logits = net(bytes_of(std::string_view(text).substr(text.size() - seen)));
  const std::vector<float> odds = softmax(slice(logits, 1, {.start = -1}) / 0.8, -1).to_vector<float>();
  std::discrete_distribution<int> letters(odds.begin(), odds.end());
  text += static_cast<char>(letters(random));
}

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : "LICENSE";
  const int64_t steps = argc > 2 ? std::atoll(argv[2]) : 400;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() <= static_cast<size_t>(kContext))
    throw IoError(path, "cannot be read, or is shorter than a context of 64 letters");

  manual_seed(1);
  std::mt19937_64 random(1);
  models::Gpt net(4, 128, 4, kContext, kBytes);
  optim::AdamW adamw(net, {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1});
  {
    report::Progress progress("training", steps);
    for (int64_t step = 1; step <= steps; ++step) {
      const data::Examples batch = random_pieces(text, random);
      const Tensor loss = cross_entropy(net(batch.inputs), batch.labels);
      adamw.zero_grad();
      backward(loss);
      optim::clip_grad_norm(adamw.parameters(), 1);
      adamw.step();
      progress.update(step, "loss " + report::fixed(loss.item(), 3));
    }
  }
  const NoGrad no_grad;
  std::string written = text.substr(0, 32);
  for (int i = 0; i < 400; ++i) append_letter(net, written, random);
  std::printf("%s\n", written.c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
