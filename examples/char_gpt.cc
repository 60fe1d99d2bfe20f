// A GPT that learns a text letter by letter, by the recipe of nanoGPT's small character model (Karpathy,
// github.com/karpathy/nanoGPT, 4 layers, 128 wide, context 64), and then writes one of its own. The last
// tenth of the text is not learnt but read at the end: on tinyshakespeare the loss there is about 1.89 after
// 2,000 steps.
//
//   scripts/get-data tinyshakespeare data/tinyshakespeare
//   build/release/examples/char_gpt data/tinyshakespeare/input.txt
//   build/release/examples/char_gpt FILE --steps=2000 --seed=1 --precision=f32|bf16|f16 --page=run.html
//       --letters=500 --temperature=0.8 --top_k=0 --top_p=1       (0 and 1: every letter may be drawn)

#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <string>

#include <espalier/espalier.h>

using namespace espalier;

constexpr int64_t kContext = 64, kBatch = 12;

/// The options with their defaults; `--name=value` replaces one.
struct Options {
  std::map<std::string, std::string> values = {{"steps", "2000"}, {"seed", "1"},      {"precision", "f32"},
                                               {"page", ""},      {"letters", "500"}, {"temperature", "0.8"},
                                               {"top_k", "0"},    {"top_p", "1"}};

  Options(int argc, char** argv) {
    for (int i = 2; i < argc; ++i) {
      const std::string argument = argv[i];
      const size_t equals = std::min(argument.find('='), argument.size());
      const auto found =
          argument.starts_with("--") ? values.find(argument.substr(2, equals - 2)) : values.end();
      if (found == values.end() || equals == argument.size())
        throw ValueError("char_gpt", "'" + argument + "' is no option; see the head of examples/char_gpt.cc");
      found->second = argument.substr(equals + 1);
    }
    for (const char* name : {"steps", "seed", "letters", "temperature", "top_k", "top_p"}) number(name);
    precision();
  }
  const std::string& text(const std::string& name) const { return values.at(name); }
  double number(const std::string& name) const {
    double value = 0;
    const char *begin = text(name).data(), *end = begin + text(name).size();
    if (std::from_chars(begin, end, value).ptr != end || begin == end || !(value >= 0))
      throw ValueError("char_gpt", "--" + name + " is '" + text(name) + "'; expected a number from 0 up");
    return value;
  }
  int64_t count(const std::string& name) const { return static_cast<int64_t>(std::min(number(name), 1e9)); }
  std::optional<Dtype> precision() const {
    if (text("precision") == "f32") return {};
    if (text("precision") == "bf16") return Dtype::bf16;
    if (text("precision") == "f16") return Dtype::f16;
    throw ValueError("char_gpt", "--precision is '" + text("precision") + "'; expected f32, bf16 or f16");
  }
};

/// The mean loss over a text, read in pieces that lie side by side.
double loss_over(const models::Gpt& net, const Tensor& tokens) {
  const data::DataSet all = data::windows(tokens, kContext);
  std::vector<int64_t> starts;
  for (int64_t i = 0; i < all.size(); i += kContext) starts.push_back(i);
  data::Loader loader(data::subset(all, starts), {.batch_size = 64, .shuffle = false});
  double sum = 0, letters = 0;
  for (const data::Examples& batch : loader) {
    const auto count = static_cast<double>(batch.labels.numel());
    sum += count * cross_entropy(net(batch.inputs), batch.labels).item();
    letters += count;
  }
  return sum / letters;
}

std::string write(const models::Gpt& net, const io::Vocabulary& vocabulary, const Options& options) {
  const Tensor ids = models::generate(net, vocabulary.encode("\n"), options.count("letters"),
                                      {.temperature = options.number("temperature"),
                                       .top_k = options.count("top_k"),
                                       .top_p = options.number("top_p")},
                                      static_cast<uint64_t>(options.count("seed")));
  return vocabulary.decode(ids);
}

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::cerr << "usage: char_gpt FILE [--steps=2000] [--seed=1] ...; see the head of examples/char_gpt.cc\n";
    return 2;
  }
  const Options options(argc, argv);
  const std::string text = data::read_text(argv[1]);
  const auto vocabulary = io::Vocabulary::characters(text);
  const Tensor tokens = vocabulary.encode(text);
  const int64_t learnt = tokens.numel() * 9 / 10, steps = options.count("steps"),
                warm_up = std::min<int64_t>(100, steps / 10);
  const Tensor last_tenth = slice(tokens, 0, {.start = learnt});

  const auto seed = static_cast<uint64_t>(options.count("seed"));
  manual_seed(seed);
  models::Gpt net(4, 128, 4, kContext, vocabulary.size());
  const optim::AdamWOptions decayed{.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1};
  optim::AdamWOptions plain = decayed;
  plain.weight_decay = 0;
  optim::AdamW adamw(net, decayed, {{{"*.bias", "*ln_?.weight"}, plain}});
  optim::Scheduler scheduler(
      adamw, optim::sequential({optim::warm_up(warm_up), optim::cosine(steps - warm_up, 0.1)}, {warm_up}));
  data::Loader loader(data::windows(slice(tokens, 0, {0, learnt}), kContext),
                      {.batch_size = kBatch, .drop_last = true, .seed = seed});
  training::Trainer trainer(net, adamw, loader, [&](const data::Examples& batch) {
    return cross_entropy(net(batch.inputs), batch.labels);
  });
  trainer.with(scheduler).evaluate(
      [&] { return std::vector<io::Metric>{{"validation_loss", loss_over(net, last_tenth)}}; });
  const training::TrainingSummary summary = trainer.run({.steps = steps,
                                                         .clip_norm = 1,
                                                         .precision = options.precision(),
                                                         .evaluate_every = std::max<int64_t>(steps / 4, 1)});
  std::cout << summary << '\n';
  const std::string written = write(net, vocabulary, options);
  std::cout << written << '\n';
  if (!options.text("page").empty()) {
    std::map<std::string, std::string> recipe = options.values;
    recipe.erase("page");
    report::Page page =
        training::training_page("Character GPT, seed " + options.text("seed"), summary, recipe);
    page.heading("What it writes");
    page.verbatim(written);
    page.save(options.text("page"));
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
