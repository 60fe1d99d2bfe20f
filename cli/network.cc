#include <sstream>
#include <string>
#include <vector>

#include "cli/layers.h"
#include "cli/nearest.h"
#include "cli/problem.h"
#include "core/error.h"
#include "models/gpt.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/init.h"
#include "nn/state.h"

namespace espalier::cli {
namespace {

nn::AnyLayer make_gpt(const Recipe& recipe, const Problem& problem) {
  const auto layers = static_cast<double>(recipe.layers), width = static_cast<double>(recipe.width),
             tokens = static_cast<double>(recipe.context + problem.outputs);
  constexpr double kMost = 0x1p32;  // 16 GiB in f32
  if (12 * layers * width * width + tokens * width > kMost)
    throw ValueError("model",
                     "gpt would have more than 2^32 weights; expected fewer layers or a smaller width");
  return models::Gpt(static_cast<int>(recipe.layers), recipe.width, recipe.heads, recipe.context,
                     problem.outputs);
}

nn::AnyLayer make_resnet(int blocks, const Problem& problem) {
  models::ResNetCifar net(blocks, problem.outputs, problem.input[0]);
  for (auto& [name, weight] : nn::named_parameters(net)) {
    if (weight.rank() == 4) nn::kaiming_normal_(weight);
  }
  return net;
}

/// The networks that are no more than layers, as text.
std::string layers_of(const Recipe& recipe, const Problem& problem) {
  const std::string outputs = std::to_string(problem.outputs);
  if (recipe.model == "mlp") {
    std::string text = problem.input.rank() > 1 ? "flatten, " : "";
    std::istringstream widths(recipe.hidden);
    for (std::string width; std::getline(widths, width, ',');) text += "linear " + width + ", relu, ";
    return text + "linear " + outputs;
  }
  if (recipe.model == "lenet5")  // as Caffe and Han et al. (2015) have it
    return "conv 20 5, max_pool 2, conv 50 5, max_pool 2, flatten, linear 500, relu, linear " + outputs;
  return recipe.model;
}

bool needs_images(const std::string& model) {
  return model == "lenet5" || model == "article" || model == "resnet20" || model == "resnet56";
}

}  // namespace

nn::AnyLayer make_network(const Recipe& recipe, const Problem& problem) {
  const bool text = problem.kind == Problem::Kind::text;
  if (text != (recipe.model == "gpt"))
    throw ValueError("model", text ? "is '" + recipe.model + "'; texts are learnt by gpt"
                                   : "gpt learns texts; data = " + recipe.data + " is none");
  if (needs_images(recipe.model) && problem.input.rank() != 3) {
    throw ValueError("model", recipe.model + " takes images [C, H, W]; data = " + recipe.data +
                                  " has examples " + to_string(problem.input));
  }
  if (text) return make_gpt(recipe, problem);
  if (recipe.model == "article")
    return models::SeedNet({.channels = problem.input[0], .classes = problem.outputs});
  if (recipe.model == "resnet20") return make_resnet(3, problem);
  if (recipe.model == "resnet56") return make_resnet(9, problem);

  const std::string layers = layers_of(recipe, problem);
  if (layers == recipe.model && layers.find_first_of(" ,") == layers.npos) {
    static const std::vector<std::string> names = {"mlp", "lenet5", "article", "resnet20", "resnet56", "gpt"};
    if (const std::string hint = did_you_mean(layers, names); !hint.empty())
      throw ValueError("model", "'" + layers + "' is no model" + hint);
  }
  Layers made = make_layers(layers, problem.input);
  if (made.output != Shape{problem.outputs}) {
    throw ValueError("model", "puts out " + to_string(made.output) + " for an example; the data asks for " +
                                  std::to_string(problem.outputs) + " numbers, so end in 'linear " +
                                  std::to_string(problem.outputs) + "'");
  }
  return std::move(made.net);
}

}  // namespace espalier::cli
