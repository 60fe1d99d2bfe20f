#include "runtime/quantize.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "ops/copy.h"
#include "ops/flip.h"
#include "ops/int8_conv2d.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/int8_linear.h"
#include "ops/int8_max_pool2d.h"
#include "ops/max_pool2d.h"
#include "ops/mean.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "runtime/quantizable_internal.h"
#include "runtime/readers_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// A weight in 8 bits: each output channel, along axis 0, has a scale of its own.
struct QuantizedWeight {
  Tensor values, scales;
};

constexpr double kLargestWeight = 127;  // -128 is left out, so that the range is symmetric

QuantizedWeight quantized_weight(const Tensor& weight, const std::string& name) {
  const Tensor from = contiguous(weight);
  const int64_t outputs = weight.size(0), each = weight.numel() / outputs;
  QuantizedWeight made{empty(weight.shape(), Dtype::i8), empty({outputs})};
  const auto* x = from.data<float>();
  auto* q = made.values.mutable_data<int8_t>();
  auto* const scales = made.scales.mutable_data<float>();
  for (int64_t o = 0; o < outputs; ++o) {
    double largest = 0;
    for (int64_t i = 0; i < each; ++i) {
      if (!std::isfinite(x[i]))
        throw ValueError("quantize", "the weight " + name + " holds a number that is not finite");
      largest = std::max(largest, std::abs(static_cast<double>(x[i])));
    }
    // A channel of zeros, or of next to nothing, has any scale.
    const auto scale = static_cast<float>(largest / kLargestWeight);
    scales[o] = std::isnormal(scale) ? scale : 1;
    for (int64_t i = 0; i < each; ++i)
      *q++ = static_cast<int8_t>(
          std::clamp(std::nearbyint(static_cast<double>(*x++) / scales[o]), -kLargestWeight, kLargestWeight));
  }
  return made;
}

/// Operations that put out some of the numbers that they read, and zeros: of 8-bit integers they do the same.
bool only_moves(const Node& node, const Readers& readers) {
  if (const auto* pad = as<Pad>(node)) return pad->value().to_double() == 0;
  if (const auto* pool = as<MaxPool2d>(node)) {
    // Windows without pixels give -inf, and indices are not known of bytes.
    return readers.none(node.outputs[1]) && (pool->padding() == 0 || pool->dilation() == 1);
  }
  return as<Slice>(node) || as<Reshape>(node) || as<Permute>(node) || as<Flip>(node) || as<Copy>(node);
}

/// What such a node does of bytes with this zero point.
std::shared_ptr<const Operation> on_bytes(const Node& node, int64_t zero_point) {
  if (const auto* pad = as<Pad>(node))
    return std::make_shared<Pad>(pad->before(), pad->between(), pad->after(), zero_point);
  if (const auto* pool = as<MaxPool2d>(node)) {
    const MaxPool2dOptions options{pool->stride(), pool->padding(), pool->dilation()};
    return std::make_shared<Int8MaxPool2d>(pool->kernel(), options);
  }
  return node.operation;
}

/// Whether the node makes one number of each channel of images: what reads 8 bits and puts out f32.
bool is_global_pooling(const Graph& graph, const Node& node) {
  const auto* mean = as<Mean>(node);
  return mean && graph.value(node.inputs[0]).type.rank() == 4 && mean->reduced_axes(4) == Dims{2, 3};
}

class GraphQuantizer {
 public:
  GraphQuantizer(const Graph& graph, const Quantizations& quantizations, std::span<const ValueId> in_f32)
      : graph_(graph),
        known_(quantizations),
        in_f32_(in_f32),
        readers_(graph),
        rewriter_(graph),
        values_(graph.values().size()) {
    for (const auto& [id, quantization] : known_) {
      if (graph.value(id).type.dtype() != Dtype::f32) {
        throw ValueError("quantize", "value " + graph.name_of(id) + " is " + type_text(graph.value(id).type) +
                                         "; expected f32");
      }
      check_quantization("quantize", quantization, Dtype::u8);
    }
  }

  Graph run() {
    find_wanted();
    size_t layers = 0;
    for (const Node& node : graph_.nodes()) {
      if (const auto layer = chosen_layer(node)) {
        add_layer(*layer);
        ++layers;
      } else if (only_moves(node, readers_) && of(node.inputs[0]).bytes != kAbsent &&
                 of(node.outputs[0]).wanted) {
        move_bytes(node);
      } else if (is_global_pooling(graph_, node) && of(node.inputs[0]).bytes != kAbsent) {
        pool_bytes(node);
      } else {
        for (const ValueId id : node.inputs) need_numbers(id);
        rewriter_.keep(node);
      }
    }
    if (layers == 0 && in_f32_.empty()) {
      throw ValueError("quantize",
                       "nothing is quantised: no convolution or linear layer has constant weights in f32 "
                       "and a quantisation of its input");
    }
    for (const ValueId id : graph_.outputs()) need_numbers(id);
    for (const StateUpdate& update : graph_.updates()) need_numbers(update.value);
    for (const StateUpdate& gradient : graph_.gradients()) need_numbers(gradient.value);
    return rewriter_.finish();
  }

 private:
  /// What is known of a value of the old graph.
  struct Known {
    bool wanted = false;      ///< a layer reads it in 8 bits
    ValueId bytes = kAbsent;  ///< it in 8 bits, in the new graph
    Quantization quantization = {};
    bool numbers_missing = false;  ///< there are only the bytes
  };

  Known& of(ValueId id) { return values_[static_cast<size_t>(id)]; }

  std::optional<QuantizableLayer> chosen_layer(const Node& node) const {
    const auto layer = quantizable_layer(graph_, node);
    const auto has = [&](ValueId id) { return id == kAbsent || known_.contains(id); };
    if (!layer || std::find(in_f32_.begin(), in_f32_.end(), layer->y) != in_f32_.end()) return {};
    return has(layer->x) && has(layer->residual) ? layer : std::nullopt;
  }

  void find_wanted() {
    for (size_t i = graph_.nodes().size(); i-- > 0;) {
      const Node& node = graph_.nodes()[i];
      if (const auto layer = chosen_layer(node)) {
        of(layer->x).wanted = true;
        if (layer->residual != kAbsent) of(layer->residual).wanted = true;
      } else if (is_global_pooling(graph_, node) ||
                 (only_moves(node, readers_) && of(node.outputs[0]).wanted)) {
        of(node.inputs[0]).wanted = true;
      }
    }
  }

  void set_bytes(ValueId id, ValueId bytes, const Quantization& quantization) {
    of(id) = {of(id).wanted, bytes, quantization, true};
  }

  /// Sees to it that the new graph has the value in f32.
  void need_numbers(ValueId id) {
    if (id == kAbsent || !of(id).numbers_missing) return;
    const ValueId bytes[] = {of(id).bytes};
    rewriter_.replace(id, rewriter_.to().add(Dequantize(of(id).quantization), bytes)[0]);
    of(id).numbers_missing = false;
  }

  /// The value in 8 bits.
  ValueId bytes_of(ValueId id) {
    Known& value = of(id);
    if (value.bytes == kAbsent) {
      value.quantization = known_.at(id);
      value.bytes = rewriter_.add(Quantize(value.quantization, Dtype::u8), {id})[0];
    }
    return value.bytes;
  }

  void add_layer(const QuantizableLayer& layer) {
    const QuantizedWeight weight =
        quantized_weight(*constant(graph_, layer.weight), graph_.name_of(layer.weight));
    const ValueId residual = layer.residual == kAbsent ? kAbsent : bytes_of(layer.residual);
    const ValueId inputs[] = {bytes_of(layer.x), rewriter_.to().add_constant(weight.values),
                              rewriter_.to().add_constant(weight.scales), rewriter_.now(layer.bias),
                              residual};
    Int8Options options{.input = of(layer.x).quantization, .relu = layer.relu};
    if (residual != kAbsent) options.residual = of(layer.residual).quantization;
    const auto output = known_.find(layer.y);
    const bool bytes = of(layer.y).wanted && output != known_.end();
    if (bytes) {
      options.output_dtype = Dtype::u8;
      options.output = output->second;
    }
    const ValueId y = layer.conv ? rewriter_.to().add(Int8Conv2d({*layer.conv, options}), inputs)[0]
                                 : rewriter_.to().add(Int8Linear(options), inputs)[0];
    if (bytes)
      set_bytes(layer.y, y, options.output);
    else
      rewriter_.replace(layer.y, y);
  }

  void move_bytes(const Node& node) {
    const Known& from = of(node.inputs[0]);
    const ValueId inputs[] = {from.bytes};
    const ValueId made = rewriter_.to().add(on_bytes(node, from.quantization.zero_point), inputs)[0];
    set_bytes(node.outputs[0], made, from.quantization);
  }

  void pool_bytes(const Node& node) {
    const Known& from = of(node.inputs[0]);
    const ValueId inputs[] = {from.bytes};
    const bool keepdim = graph_.value(node.outputs[0]).type.rank() == 4;
    const Int8GlobalAvgPool2d pool(from.quantization, keepdim);
    rewriter_.replace(node.outputs[0], rewriter_.to().add(pool, inputs)[0]);
  }

  const Graph& graph_;
  const Quantizations& known_;
  std::span<const ValueId> in_f32_;
  const Readers readers_;
  Rewriter rewriter_;
  std::vector<Known> values_;
};

}  // namespace

Graph quantize(const Graph& graph, const Quantizations& quantizations, std::span<const ValueId> in_f32) {
  return GraphQuantizer(graph, quantizations, in_f32).run();
}

}  // namespace espalier::runtime
