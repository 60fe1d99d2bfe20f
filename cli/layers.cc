#include "cli/layers.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <sstream>
#include <vector>

#include "cli/nearest.h"
#include "core/error.h"
#include "nn/activations.h"
#include "nn/batch_norm1d.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/dropout.h"
#include "nn/flatten.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/pooling.h"
#include "ops/mean.h"

namespace espalier::cli {
namespace {

/// A layer's text, taken apart.
class Description {
 public:
  Description(std::string_view text, size_t number) : where_("model, layer " + std::to_string(number)) {
    std::istringstream words{std::string(text)};
    words >> name_;
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals == word.npos)
        values_.push_back(word);
      else
        options_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }

  const std::string& name() const { return name_; }
  const std::string& where() const { return where_; }

  /// The value without a name at this place.
  int64_t count(size_t place, const char* meaning) {
    if (place >= values_.size()) throw ValueError(where_, "'" + name_ + "' lacks a number: its " + meaning);
    taken_ = std::max(taken_, place + 1);
    return whole(values_[place], meaning);
  }
  /// A number from 0 to 1.
  double share(size_t place, double missing) {
    if (place >= values_.size()) return missing;
    taken_ = std::max(taken_, place + 1);
    double value = 0;
    const char* const end = values_[place].data() + values_[place].size();
    const auto [stop, error] = std::from_chars(values_[place].data(), end, value);
    if (error != std::errc() || stop != end || !(value >= 0 && value <= 1))
      refuse(values_[place], "a number from 0 to 1");
    return value;
  }
  int64_t option(const std::string& option, int64_t missing) {
    const auto found = options_.extract(option);
    return found.empty() ? missing : whole(found.mapped(), option.c_str());
  }
  bool flag(const std::string& option, bool missing) {
    const auto found = options_.extract(option);
    if (found.empty()) return missing;
    if (found.mapped() != "true" && found.mapped() != "false") refuse(found.mapped(), "true or false");
    return found.mapped() == "true";
  }
  /// Throws where something is left that the layer did not ask for.
  void finish() const {
    if (taken_ < values_.size())
      throw ValueError(where_, "'" + name_ + "' has no use for '" + values_[taken_] + "'");
    if (!options_.empty())
      throw ValueError(where_, "'" + name_ + "' has no option '" + options_.begin()->first + "'");
  }

 private:
  [[noreturn]] void refuse(const std::string& text, const std::string& expected) const {
    throw ValueError(where_, "'" + name_ + "' has '" + text + "'; expected " + expected);
  }
  int64_t whole(const std::string& text, const char* meaning) const {
    constexpr int64_t kMost = 1 << 24;  // of features, kernels, strides; far beyond what fits into memory
    int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || value < 0 || value > kMost)
      refuse(text, std::string("a whole number, its ") + meaning);
    return value;
  }

  std::string name_, where_;
  std::vector<std::string> values_;
  std::map<std::string, std::string> options_;
  size_t taken_ = 0;
};

int64_t axis_size(const Description& layer, const Tensor& x, int64_t axis, int64_t rank) {
  if (x.rank() == rank || rank == 0) return x.size(axis);
  throw ShapeError(layer.where(), "'" + layer.name() + "' takes " +
                                      (rank == 4 ? "images [N, C, H, W]" : "rows [N, C]") +
                                      "; what comes in is " + describe(x));
}

/// Refuses a layer that no memory holds before it is made.
void check_weights(const Description& layer, double weights) {
  constexpr double kMost = 0x1p32;  // 16 GiB in f32
  if (weights <= kMost) return;
  throw ValueError(layer.where(), "'" + layer.name() + "' would have " + std::to_string(weights) +
                                      " weights, on inputs as they come in; expected at most 2^32");
}

nn::AnyLayer linear(Description& layer, const Tensor& x) {
  const int64_t out = layer.count(0, "features"), in = axis_size(layer, x, -1, 0);
  check_weights(layer, static_cast<double>(in) * static_cast<double>(out));
  return nn::Linear(in, out, layer.flag("bias", true));
}

nn::AnyLayer conv(Description& layer, const Tensor& x) {
  const int64_t out = layer.count(0, "channels"), kernel = layer.count(1, "kernel's side");
  const Conv2dOptions options{.stride = layer.option("stride", 1),
                              .padding = layer.option("padding", 0),
                              .groups = layer.option("groups", 1)};
  const int64_t in = axis_size(layer, x, 1, 4);
  check_weights(layer, static_cast<double>(in) * static_cast<double>(out) * static_cast<double>(kernel) *
                           static_cast<double>(kernel));
  return nn::Conv2d(in, out, kernel, options, layer.flag("bias", true));
}

nn::AnyLayer batch_norm(Description& layer, const Tensor& x) {
  if (x.rank() == 4) return nn::BatchNorm2d(x.size(1));
  return nn::BatchNorm1d(axis_size(layer, x, 1, 2));
}

nn::AnyLayer max_pool(Description& layer, const Tensor&) {
  const int64_t kernel = layer.count(0, "side");
  return nn::MaxPool2d(kernel,
                       {.stride = layer.option("stride", kernel), .padding = layer.option("padding", 0)});
}

nn::AnyLayer average_pool(Description& layer, const Tensor&) {
  const int64_t kernel = layer.count(0, "side");
  return nn::AvgPool2d(kernel,
                       {.stride = layer.option("stride", kernel), .padding = layer.option("padding", 0)});
}

using Make = std::function<nn::AnyLayer(Description&, const Tensor&)>;

template <class L>
Make plain(const L& layer) {
  return [layer](Description&, const Tensor&) { return nn::AnyLayer(layer); };
}

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> all = {
      {"linear", linear},
      {"conv", conv},
      {"batch_norm", batch_norm},
      {"layer_norm",
       [](Description& layer, const Tensor& x) { return nn::LayerNorm(axis_size(layer, x, -1, 0)); }},
      {"max_pool", max_pool},
      {"average_pool", average_pool},
      {"global_average_pool", plain([](const Tensor& x) { return mean(x, {2, 3}); })},
      {"dropout", [](Description& layer, const Tensor&) { return nn::Dropout(layer.share(0, 0.5)); }},
      {"flatten", plain(nn::Flatten())},
      {"relu", plain(nn::ReLU())},
      {"leaky_relu", plain(nn::LeakyReLU())},
      {"gelu", plain(nn::GELU())},
      {"silu", plain(nn::SiLU())},
      {"elu", plain(nn::ELU())},
      {"tanh", plain(nn::Tanh())},
      {"sigmoid", plain(nn::Sigmoid())},
  };
  return all;
}

/// Gives a layer tensors without memory, and its mode for evaluation.
class OnMeta final : public nn::Visitor {
 public:
  void run(nn::AnyLayer& layer) { layer.visit(*this); }

 private:
  void on_tensor(const std::string&, Tensor& tensor, Kind) override {
    tensor = empty(tensor.shape(), tensor.dtype(), kMeta);
  }
};

/// The layer, and what it makes of `x`, a tensor on the meta device.
nn::AnyLayer make_layer(std::string_view text, size_t number, Tensor& x) {
  Description description(text, number);
  const auto maker = makers().find(description.name());
  if (maker == makers().end()) {
    std::vector<std::string> known;
    for (const auto& [name, make] : makers()) known.push_back(name);
    throw ValueError(description.where(), "'" + description.name() + "' is no layer; there are " +
                                              listing(known) + did_you_mean(description.name(), known));
  }
  try {
    nn::AnyLayer layer = maker->second(description, x);
    description.finish();
    nn::AnyLayer shape_rule = layer;
    OnMeta().run(shape_rule);
    x = shape_rule(x);
    return layer;
  } catch (const ShapeError& error) {
    if (error.where() == description.where()) throw;
    throw ShapeError(description.where(), "'" + std::string(text) + "': " + error.what());
  }
}

}  // namespace

Layers make_layers(std::string_view text, const Shape& input) {
  Shape batch{2};  // of several examples: batch norm wants more than one
  for (const int64_t size : input) batch.push_back(size);
  Tensor x = empty(batch, Dtype::f32, kMeta);
  nn::Sequential net;
  for (size_t number = 1;; ++number) {
    const size_t comma = std::min(text.find(','), text.size());
    net.append(make_layer(text.substr(0, comma), number, x));
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  Shape output = x.shape();
  output.erase(0);
  return {std::move(net), output};
}

}  // namespace espalier::cli
