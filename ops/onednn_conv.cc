// Convolutions: the cache, and one run (copies in, the library's code, copies out).

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "ops/onednn_conv_internal.h"

namespace espalier::onednn {
namespace {

struct ConvKey {
  ConvProblem problem;
  int threads;
  friend bool operator==(const ConvKey&, const ConvKey&) = default;
};

size_t hash_value(const ConvKey& key) {
  const ConvProblem& p = key.problem;
  Hash hash;
  hash(static_cast<int64_t>(p.direction) | static_cast<int64_t>(p.method) << 4 |
       static_cast<int64_t>(p.input_layout) << 8 | static_cast<int64_t>(p.output_layout) << 10 |
       p.bias << 12 | p.relu << 13 | p.accumulate << 14 | p.inference << 15 | p.narrow << 16 |
       static_cast<int64_t>(key.threads) << 17);
  hash(p.batch)(p.in_channels)(p.out_channels)(p.groups);
  for (size_t i = 0; i < 2; ++i) {
    // Small numbers, packed: a hash costs a few nanoseconds a word.
    hash(p.input[i])(p.kernel[i] ^ p.stride[i] << 12 ^ p.dilation[i] << 24 ^ p.pad_before[i] << 36 ^
                     p.pad_after[i] << 48);
  }
  return hash.value();
}

std::string text(const ConvProblem& p) {
  const auto pair = [](const std::array<int64_t, 2>& v) {
    return std::to_string(v[0]) + " x " + std::to_string(v[1]);
  };
  return std::string(p.narrow ? "bf16 " : "") + "input [" + std::to_string(p.batch) + ", " +
         std::to_string(p.in_channels) + ", " + pair(p.input) + "], " + std::to_string(p.out_channels) +
         " filters " + pair(p.kernel) + ", groups " + std::to_string(p.groups) + ", stride " +
         pair(p.stride) + ", dilation " + pair(p.dilation) + ", padding " + pair(p.pad_before) + " and " +
         pair(p.pad_after);
}

void check_problem(const ConvProblem& p) {
  const auto out = p.output();
  const bool fits = p.batch > 0 && p.groups > 0 && p.in_channels > 0 && p.out_channels > 0 &&
                    p.in_channels % p.groups == 0 && p.out_channels % p.groups == 0 && out[0] > 0 &&
                    out[1] > 0;
  if (!fits) throw ShapeError("conv2d", "there is nothing to compute or the sizes do not fit: " + text(p));
  if (p.accumulate && p.direction == ConvDirection::kBackwardData) {
    throw ShapeError("conv2d", "the gradient of the input cannot be accumulated here; add it afterwards");
  }
}

std::unique_ptr<ConvPlan> make(const ConvKey& key) {
  const ConvProblem& p = key.problem;
  check_problem(p);
  if (p.method != ConvMethod::kAuto) {
    if (auto plan = make_conv_plan(p, p.method, key.threads)) return plan;
  } else {
    for (const ConvMethod method : conv_methods(p)) {
      if (auto plan = make_conv_plan(p, method, key.threads)) return plan;
    }
  }
  throw DeviceError("conv2d", "oneDNN " + version() + " declined: " + text(p));
}

void* at(void* scratch, size_t offset) {
  return static_cast<char*>(scratch) + offset;
}

}  // namespace

std::array<int64_t, 2> ConvProblem::output() const {
  std::array<int64_t, 2> size{};
  for (size_t i = 0; i < 2; ++i) {
    const int64_t room = input[i] + pad_before[i] + pad_after[i] - dilation[i] * (kernel[i] - 1) - 1;
    size[i] = room < 0 || stride[i] < 1 || dilation[i] < 1 || kernel[i] < 1 ? 0 : room / stride[i] + 1;
  }
  return size;
}

void ConvPlan::run(const void* in, const void* filters, const void* shift, const void* out, bool packed,
                   void* scratch) const {
  const TeamScope team(threads);
  void* const library = at(scratch, library_offset);
  const auto enter = [&](const ConvOperand& o, const void* data) -> const void* {
    if (!o.copied || data == nullptr) return data;
    void* const inside = at(scratch, o.offset);
    if (o.in) o.in.run(data, inside, library);
    return inside;
  };
  const void* const input_data = enter(input, in);
  const void* const weights_data = packed ? filters : enter(weights, filters);
  const void* const bias_data = enter(bias, shift);
  const void* const output_data = enter(output, out);
  primitive->run({input_data, weights_data, bias_data, output_data, library});
  const auto leave = [&](const ConvOperand& o, const void* data, const void* inside) {
    if (o.out && data != nullptr) o.out.run(inside, data, library);
  };
  leave(input, in, input_data);
  leave(weights, filters, weights_data);
  leave(bias, shift, bias_data);
  leave(output, out, output_data);
}

std::shared_ptr<const Convolution> Convolution::get(const ConvProblem& problem) {
  static auto* const cache = new Cache<ConvKey, Convolution>;  // never destroyed, as the engine
  const TeamScope team;
  const ConvKey key{problem, team.threads()};
  return cache->get(key, [&] { return std::shared_ptr<const Convolution>(new Convolution(make(key))); });
}

Convolution::Convolution(std::unique_ptr<const ConvPlan> plan) : plan_(std::move(plan)) {}
Convolution::~Convolution() = default;

size_t Convolution::scratch_bytes() const {
  return plan_->scratch_bytes;
}
size_t Convolution::packed_bytes() const {
  return plan_->weights.inside.get_size();
}
const std::string& Convolution::implementation() const {
  return plan_->implementation;
}

void Convolution::forward(const void* input, const void* weights, const void* bias, void* output,
                          void* scratch) const {
  plan_->run(input, weights, bias, output, false, scratch);
}

void Convolution::backward_data(const void* grad_output, const void* weights, void* grad_input,
                                void* scratch) const {
  plan_->run(grad_input, weights, nullptr, grad_output, false, scratch);
}

void Convolution::backward_weights(const void* input, const void* grad_output, void* grad_weights,
                                   void* grad_bias, void* scratch) const {
  plan_->run(input, grad_weights, grad_bias, grad_output, false, scratch);
}

void Convolution::forward_packed(const void* input, const void* packed, const void* bias, void* output,
                                 void* scratch) const {
  plan_->run(input, packed, bias, output, true, scratch);
}

void Convolution::pack(const void* weights, void* packed) const {
  const ConvOperand& w = plan_->weights;
  const TeamScope team(plan_->threads);
  if (w.copied) {
    const Scratch scratch(w.in.scratch_bytes);
    w.in.run(weights, packed, scratch.get());
  } else {
    std::copy_n(static_cast<const char*>(weights), w.inside.get_size(), static_cast<char*>(packed));
  }
}

}  // namespace espalier::onednn
