#include <iostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/model_file.h"
#include "core/create.h"
#include "core/error.h"
#include "data/text.h"
#include "models/generate.h"

namespace espalier::cli {
namespace {

Exit continue_text(const Model& model, const PredictFlags& flags) {
  if (flags.inputs.size() > 1)
    throw ValueError("predict", "a text model goes on from one text file at a time");
  std::string prompt = flags.inputs.empty() ? flags.prompt : data::read_text(flags.inputs[0]) + flags.prompt;
  if (!model.problem.vocabulary) throw FormatError(model.file, "is a text model without a vocabulary");
  const io::Vocabulary& vocabulary = *model.problem.vocabulary;
  const bool unprompted = prompt.empty();
  // Without a beginning, the text begins as one behind a line's end does or, where there is no such
  // character, the first.
  const Tensor start = !unprompted                                               ? vocabulary.encode(prompt)
                       : vocabulary.characters().find('\n') != std::string::npos ? vocabulary.encode("\n")
                                                                                 : zeros({1}, Dtype::i64);
  const auto* const gpt = model.network.as<models::Gpt>();
  if (!gpt) throw ValueError("predict", model.file + " is a text model that is no GPT");
  // Letters are printed as they come; the first one says that there is nothing to complain of.
  std::string before = prompt;
  const auto print = [&](int64_t, int64_t token) {
    if (!flags.json)
      std::cout << std::exchange(before, {}) << vocabulary.decode(std::span(&token, 1)) << std::flush;
  };
  const Tensor tokens = models::generate(*gpt, std::span(&start, 1),
                                         {.count = flags.count,
                                          .sampling = flags.sampling,
                                          .seed = static_cast<uint64_t>(flags.seed),
                                          .on_token = print})[0];
  if (flags.json) {
    std::vector<int64_t> ids = tokens.to_vector<int64_t>();
    if (unprompted) ids.erase(ids.begin());
    std::cout << nlohmann::json{{"text", vocabulary.decode(ids)}}.dump() << '\n';
  } else {
    std::cout << before << '\n';
  }
  return Exit::done;
}

}  // namespace

Exit predict(const PredictFlags& flags) {
  const Model model = open_model(flags.model);
  if (model.problem.kind == Problem::Kind::text) return continue_text(model, flags);
  if (flags.inputs.empty()) throw ValueError("predict", "expected files to read: images, or arrays in .npy");

  const NoGrad no_grad;
  Answers answers(model.problem, flags.top);
  for (const std::string& file : flags.inputs) {
    const Tensor inputs = read_inputs(model.recipe, model.problem, file);
    answers.add(file, model.network(prepare(model.recipe, model.problem, {inputs, {}}).inputs));
  }
  answers.print(flags.json);
  return Exit::done;
}

}  // namespace espalier::cli
