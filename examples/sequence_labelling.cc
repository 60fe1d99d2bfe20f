// Sequence labelling: an LSTM reads random strings of brackets and says, at each place, how many are open. It
// must count, which no window of fixed size can do.
//
//   build/release/examples/sequence_labelling

#include <cstdio>
#include <random>
#include <string>

#include <espalier/espalier.h>

using namespace espalier;

constexpr int64_t kDeepest = 7;

struct Tagger {
  Tensor operator()(const Tensor& symbols) const { return out(lstm(embedding(symbols)).output); }
  void visit(nn::Visitor& visitor) {
    visitor("embedding", embedding);
    visitor("lstm", lstm);
    visitor("out", out);
  }

  nn::Embedding embedding{2, 8};
  nn::LSTM lstm{8, 32};
  nn::Linear out{32, kDeepest + 1};
};

/// Strings of brackets (0 opens, 1 closes) of a length, and how many are open behind each.
data::Examples strings(std::mt19937_64& random, int64_t count, int64_t length) {
  std::vector<int64_t> symbols, depths;
  for (int64_t i = 0; i < count * length; ++i) {
    const int64_t depth = i % length == 0 ? 0 : depths.back();
    const bool closes = depth == kDeepest || (depth > 0 && random() % 2 == 1);
    symbols.push_back(closes);
    depths.push_back(depth + (closes ? -1 : 1));
  }
  return {from_values(symbols, {count, length}), from_values(depths, {count, length})};
}

int main() {
  manual_seed(1);
  std::mt19937_64 random(1);
  Tagger net;
  optim::AdamW adamw(net, {.learning_rate = 1e-2});
  constexpr int kSteps = 300;
  for (int step = 1; step <= kSteps; ++step) {
    const data::Examples batch = strings(random, 16, 30);
    const Tensor loss = cross_entropy(net(batch.inputs), batch.labels);
    adamw.zero_grad();
    backward(loss);
    optim::clip_grad_norm(adamw.parameters(), 1);
    adamw.step();
    if (step % 50 == 0) std::printf("step %3d  loss %.4f\n", step, loss.item());
  }
  const NoGrad no_grad;
  for (const int64_t length : {30, 120}) {
    const data::Examples test = strings(random, 64, length);
    const Tensor right = equal(argmax(net(test.inputs), -1), test.labels);
    std::printf("strings of %3lld brackets: %.2f %% of the places right\n", static_cast<long long>(length),
                100 * mean(cast(right, Dtype::f32)).item());
  }
  const data::Examples one = strings(random, 1, 30);
  const std::vector<int64_t> symbols = one.inputs.to_vector<int64_t>(),
                             said = argmax(net(one.inputs), -1).to_vector<int64_t>();
  std::string text, counts;
  for (size_t i = 0; i < symbols.size(); ++i) {
    text += symbols[i] == 0 ? '(' : ')';
    counts += static_cast<char>('0' + said[i]);
  }
  std::printf("%s\n%s\n", text.c_str(), counts.c_str());
}
