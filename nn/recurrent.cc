#include "nn/recurrent.h"

#include <algorithm>
#include <functional>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/init.h"
#include "ops/concat.h"
#include "ops/dropout.h"
#include "ops/gru_cell.h"
#include "ops/linear.h"
#include "ops/lstm_cell.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/split.h"

namespace espalier::nn {

RecurrentWeights::RecurrentWeights(const char* layer, int64_t gates, int64_t in, int64_t width,
                                   const RecurrentOptions& options, const Generator& from)
    : options_(options) {
  if (in < 1 || width < 1 || options.layers < 1) {
    throw ValueError(layer, "an input of " + std::to_string(in) + ", a width of " + std::to_string(width) +
                                " and " + std::to_string(options.layers) +
                                " layers; expected at least 1 each");
  }
  if (!(options.dropout >= 0 && options.dropout <= 1))
    throw ValueError(layer, "dropout is " + std::to_string(options.dropout) + "; expected 0 to 1");
  const auto parameter = [&](const Shape& shape) {
    return make_parameter(uniform_by_fan_in(shape, width, from), layer);
  };
  for (int64_t i = 0; i < options.layers * directions(); ++i) {
    Direction made;
    made.weight_ih = parameter({gates * width, i < directions() ? in : directions() * width});
    made.weight_hh = parameter({gates * width, width});
    if (options.bias) {
      made.bias_ih = parameter({gates * width});
      made.bias_hh = parameter({gates * width});
    }
    all_.push_back(std::move(made));
  }
}

void RecurrentWeights::visit(Visitor& visitor) {
  for (size_t i = 0; i < all_.size(); ++i) {
    const auto per_layer = static_cast<size_t>(directions());
    const std::string suffix = "_l" + std::to_string(i / per_layer) + (i % per_layer == 1 ? "_reverse" : "");
    visitor("weight_ih" + suffix, all_[i].weight_ih);
    visitor("weight_hh" + suffix, all_[i].weight_hh);
    visitor("bias_ih" + suffix, all_[i].bias_ih);
    visitor("bias_hh" + suffix, all_[i].bias_hh);
  }
}

namespace {

/// The steps [N, C] of a sequence [N, T, C], as views. A split gives 32 parts at most, so it takes several.
std::vector<Tensor> steps_of(const Tensor& x) {
  std::vector<Tensor> steps;
  const int64_t length = x.size(1);
  constexpr int64_t kMostParts = 32;
  const int64_t size = length <= kMostParts ? 1 : (length + kMostParts - 1) / kMostParts;
  for (const Tensor& part : split(x, size, 1)) {
    if (size == 1) {
      steps.push_back(squeeze(part, 1));
    } else {
      const std::vector<Tensor> inside = steps_of(part);
      steps.insert(steps.end(), inside.begin(), inside.end());
    }
  }
  return steps;
}

/// The other way: [N, C] each to [N, T, C].
Tensor sequence_of(const std::vector<Tensor>& steps) {
  std::vector<Tensor> parts;
  for (const Tensor& step : steps) parts.push_back(unsqueeze(step, 1));
  return concat(parts, 1);
}

/// Takes a layer's weights, the gates' input parts of one step, and the states, which it replaces.
using Step =
    std::function<void(const RecurrentWeights::Direction&, const Tensor& from_input, Tensors& states)>;

/// Runs all layers; `states` are [layers * directions, N, H] each, the hidden one first, and become the last
/// ones.
Tensor run(const char* layer, const RecurrentWeights& weights, Tensor x, std::vector<Tensor>& states,
           bool training, const Step& step) {
  const auto expected = [&] {
    return "expected [N, T, " + std::to_string(weights.in()) + "] with T at least 1";
  };
  check_defined(layer, x);
  if (x.rank() != 3 || x.size(2) != weights.in() || x.size(1) < 1)
    throw ShapeError(layer, "x is " + describe(x) + "; " + expected());
  const int64_t batch = x.size(0), directions = weights.directions();
  const Shape shape{weights.layers() * directions, batch, weights.width()};
  for (Tensor& state : states) {
    if (!state.defined()) state = zeros(shape, x.dtype(), x.device());
    if (state.shape() != shape)
      throw ShapeError(layer, "a state is " + describe(state) + "; expected " + to_string(shape));
  }
  std::vector<std::vector<Tensor>> last(states.size());
  for (int64_t l = 0; l < weights.layers(); ++l) {
    if (l > 0 && training && weights.dropout() > 0) x = dropout(x, weights.dropout());
    std::vector<Tensor> outputs;
    for (int64_t direction = 0; direction < directions; ++direction) {
      const RecurrentWeights::Direction& own = weights.of(l, direction);
      std::vector<Tensor> steps = steps_of(linear(x, own.weight_ih, own.bias_ih));
      if (direction == 1) std::reverse(steps.begin(), steps.end());
      Tensors current;
      for (const Tensor& state : states) {
        const int64_t place = l * directions + direction;
        current.push_back(squeeze(slice(state, 0, {.start = place, .stop = place + 1}), 0));
      }
      std::vector<Tensor> hidden;
      for (const Tensor& from_input : steps) {
        step(own, from_input, current);
        hidden.push_back(current[0]);
      }
      if (direction == 1) std::reverse(hidden.begin(), hidden.end());
      outputs.push_back(sequence_of(hidden));
      for (size_t i = 0; i < states.size(); ++i) last[i].push_back(unsqueeze(current[i], 0));
    }
    x = directions == 1 ? outputs[0] : concat(outputs, 2);
  }
  for (size_t i = 0; i < states.size(); ++i) states[i] = concat(last[i], 0);
  return x;
}

}  // namespace

LSTM::LSTM(int64_t in, int64_t width, const RecurrentOptions& options, const Generator& from)
    : weights("LSTM", 4, in, width, options, from) {}

LstmOutput LSTM::operator()(const Tensor& x) const {
  return (*this)(x, {}, {});
}

LstmOutput LSTM::operator()(const Tensor& x, const Tensor& hidden, const Tensor& cell) const {
  std::vector<Tensor> states{hidden, cell};
  const Tensor output = run(
      "LSTM", weights, x, states, training,
      [](const RecurrentWeights::Direction& own, const Tensor& from_input, Tensors& state) {
        const LstmState next = lstm_cell(from_input, linear(state[0], own.weight_hh, own.bias_hh), state[1]);
        state[0] = next.hidden;
        state[1] = next.cell;
      });
  return {output, states[0], states[1]};
}

GRU::GRU(int64_t in, int64_t width, const RecurrentOptions& options, const Generator& from)
    : weights("GRU", 3, in, width, options, from) {}

GruOutput GRU::operator()(const Tensor& x) const {
  return (*this)(x, {});
}

GruOutput GRU::operator()(const Tensor& x, const Tensor& hidden) const {
  std::vector<Tensor> states{hidden};
  const Tensor output =
      run("GRU", weights, x, states, training,
          [](const RecurrentWeights::Direction& own, const Tensor& from_input, Tensors& state) {
            state[0] = gru_cell(from_input, linear(state[0], own.weight_hh, own.bias_hh), state[0]);
          });
  return {output, states[0]};
}

}  // namespace espalier::nn
