#include <iostream>

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
  const Tensor tokens = models::generate(model.network, model.problem.input[0], start, flags.count,
                                         flags.sampling, static_cast<uint64_t>(flags.seed));
  std::vector<int64_t> ids = tokens.to_vector<int64_t>();
  if (unprompted) ids.erase(ids.begin());
  const std::string text = vocabulary.decode(ids);
  if (flags.json)
    std::cout << nlohmann::json{{"text", text}}.dump() << '\n';
  else
    std::cout << text << '\n';
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
