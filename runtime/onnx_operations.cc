// Which of ONNX's operators (https://onnx.ai/onnx/operators/) compute what an operation does.

#include <algorithm>
#include <limits>
#include <map>

#include "core/error.h"
#include "ops/cast.h"
#include "runtime/onnx_writer_internal.h"

namespace espalier::runtime {
namespace {

using Names = std::vector<std::string>;
using Integers = std::vector<int64_t>;

/// A node that is being written, with what its operation says of itself.
class Writing {
 public:
  Writing(OnnxWriter& to, const Node& node)
      : to_(to), node_(node), attributes_(attributes_of(*node.operation)) {}

  OnnxWriter& to() const { return to_; }
  const Node& node() const { return node_; }
  const Tensor& type(size_t input) const { return to_.graph().value(node_.inputs[input]).type; }
  const Tensor& made(size_t output = 0) const { return to_.graph().value(node_.outputs[output]).type; }
  bool has(size_t input) const { return input < node_.inputs.size() && node_.inputs[input] != kAbsent; }
  std::string input(size_t i) const { return to_.name_of(node_.inputs[i]); }
  std::string output(size_t i = 0) const { return to_.name_of(node_.outputs[i]); }
  Names inputs() const {
    Names names;
    for (size_t i = 0; i < node_.inputs.size(); ++i) names.push_back(input(i));
    return names;
  }

  /// Whether output `i` is read or put out.
  bool is_used(size_t i) const {
    const ValueId id = node_.outputs[i];
    const std::vector<ValueId>& outputs = to_.graph().outputs();
    return to_.graph().reads(id) || std::find(outputs.begin(), outputs.end(), id) != outputs.end();
  }

  /// Input `i` as elements of a type, by a Cast where it has another.
  std::string input_as(size_t i, Dtype dtype) const {
    if (type(i).dtype() == dtype) return input(i);
    const Value& value = to_.graph().value(node_.inputs[i]);
    if (value.origin == Value::Origin::constant) return to_.initializer(cast(value.tensor.detach(), dtype));
    return to_.compute("Cast", {input(i)}, {{"to", onnx_type(dtype)}});
  }

  template <class T>
  T attribute(std::string_view name) const {
    for (const Attribute& one : attributes_) {
      if (one.name != name) continue;
      if (const auto* value = std::get_if<T>(&one.value)) return *value;
      if constexpr (std::is_same_v<T, double>) {  // a number that is whole
        if (const auto* whole = std::get_if<int64_t>(&one.value)) return static_cast<double>(*whole);
      }
    }
    refuse("has no attribute " + std::string(name) + " of the kind that is looked for");
  }

  bool has_attribute(std::string_view name) const {
    return std::any_of(attributes_.begin(), attributes_.end(), [&](const Attribute& one) {
      return one.name == name && !std::holds_alternative<std::monostate>(one.value);
    });
  }

  [[noreturn]] void refuse(const std::string& why) const { throw ValueError(kOnnx, where() + why); }

 private:
  std::string where() const { return std::string(node_.operation->name()) + ' '; }

  OnnxWriter& to_;
  const Node& node_;
  Attributes attributes_;
};

using Write = void (*)(const Writing&);

/// An operator with the same name for it, and the same inputs.
template <const char* kType>
void write_as(const Writing& w) {
  w.to().add(kType, w.inputs(), {w.output()});
}

/// An elementwise operation: its inputs in the type of its result.
template <const char* kType>
void write_elementwise(const Writing& w) {
  Names inputs;
  for (size_t i = 0; i < w.node().inputs.size(); ++i) inputs.push_back(w.input_as(i, w.made().dtype()));
  w.to().add(kType, inputs, {w.output()});
}

/// A comparison: of two inputs of one type.
Names compared(const Writing& w) {
  const bool scalar = w.type(1).rank() == 0;
  const Dtype dtype = scalar ? w.type(0).dtype() : w.type(1).dtype();
  if (!scalar && w.type(0).rank() > 0 && w.type(0).dtype() != dtype) w.refuse("compares two types");
  return {w.input_as(0, dtype), w.input_as(1, dtype)};
}

template <const char* kType>
void write_comparison(const Writing& w) {
  w.to().add(kType, compared(w), {w.output()});
}

void write_not_equal(const Writing& w) {
  w.to().add("Not", {w.to().compute("Equal", compared(w))}, {w.output()});
}

void write_rsqrt(const Writing& w) {
  w.to().add("Reciprocal", {w.to().compute("Sqrt", w.inputs())}, {w.output()});
}

void write_where(const Writing& w) {
  const Dtype dtype = w.made().dtype();
  w.to().add("Where", {w.input(0), w.input_as(1, dtype), w.input_as(2, dtype)}, {w.output()});
}

void write_cast(const Writing& w) {
  w.to().add("Cast", w.inputs(), {w.output()}, {{"to", onnx_type(w.made().dtype())}});
}

/// ln(1 + e^(beta x)) / beta; where it is x itself, e^x is beyond what f32 sees beside 1.
void write_softplus(const Writing& w) {
  const auto beta = w.attribute<double>("beta");
  if (beta == 1) return w.to().add("Softplus", w.inputs(), {w.output()});
  const std::string factor = w.to().initializer(full({}, beta, w.made().dtype()));
  const std::string grown = w.to().compute("Softplus", {w.to().compute("Mul", {w.input(0), factor})});
  w.to().add("Div", {grown, factor}, {w.output()});
}

void write_leaky_relu(const Writing& w) {
  w.to().add("LeakyRelu", w.inputs(), {w.output()},
             {{"alpha", static_cast<float>(w.attribute<double>("slope"))}});
}

void write_elu(const Writing& w) {
  if (w.attribute<double>("rate") != 1) w.refuse("has an exponential of another rate than 1");
  w.to().add("Selu", w.inputs(), {w.output()},
             {{"alpha", static_cast<float>(w.attribute<double>("alpha"))},
              {"gamma", static_cast<float>(w.attribute<double>("scale"))}});
}

void write_clamp(const Writing& w) {
  Names inputs = {w.input(0)};
  for (const char* bound : {"low", "high"}) {
    inputs.push_back(w.has_attribute(bound)
                         ? w.to().initializer(full({}, w.attribute<double>(bound), w.made().dtype()))
                         : std::string());
  }
  w.to().add("Clip", inputs, {w.output()});
}

void write_linear(const Writing& w) {
  const bool bias = w.has(2);
  if (w.type(0).rank() == 2) {
    Names inputs = {w.input(0), w.input(1)};
    if (bias) inputs.push_back(w.input(2));
    w.to().add("Gemm", inputs, {w.output()}, {{"transB", int64_t{1}}});
    return;
  }
  const std::string turned = w.to().compute("Transpose", {w.input(1)}, {{"perm", Integers{1, 0}}});
  if (!bias) return w.to().add("MatMul", {w.input(0), turned}, {w.output()});
  w.to().add("Add", {w.to().compute("MatMul", {w.input(0), turned}), w.input(2)}, {w.output()});
}

/// The same padding at both ends of each axis, as ONNX writes it.
Integers both_ends(Integers padding) {
  const size_t axes = padding.size();
  for (size_t i = 0; i < axes; ++i) padding.push_back(padding[i]);
  return padding;
}

void write_conv2d(const Writing& w) {
  Names inputs = {w.input(0), w.input(1)};
  if (w.has(2)) inputs.push_back(w.input(2));
  w.to().add("Conv", inputs, {w.output()},
             {{"strides", w.attribute<Integers>("stride")},
              {"pads", both_ends(w.attribute<Integers>("padding"))},
              {"dilations", w.attribute<Integers>("dilation")},
              {"group", w.attribute<int64_t>("groups")}});
}

void write_batch_norm(const Writing& w) {
  if (w.attribute<bool>("training")) w.refuse("is in training; put the model into evaluation mode");
  const Shape channels = {w.type(0).size(1)};
  const Dtype dtype = w.type(0).dtype();
  Names inputs = {w.input(0)};
  for (size_t i = 1; i < 5; ++i) {
    const bool none = i == 2 || i == 3;  // a bias or a mean
    inputs.push_back(w.has(i) ? w.input(i)
                              : w.to().initializer(none ? zeros(channels, dtype) : ones(channels, dtype)));
  }
  w.to().add("BatchNormalization", inputs, {w.output()},
             {{"epsilon", static_cast<float>(w.attribute<double>("eps"))}});
}

void write_layer_norm(const Writing& w) {
  const int64_t axes = w.attribute<int64_t>("axes");
  Shape shape;
  for (int i = w.type(0).rank() - static_cast<int>(axes); i < w.type(0).rank(); ++i)
    shape.push_back(w.type(0).size(i));
  Names inputs = {w.input(0), w.has(1) ? w.input(1) : w.to().initializer(ones(shape, w.type(0).dtype()))};
  if (w.has(2)) inputs.push_back(w.input(2));
  w.to().add("LayerNormalization", inputs, {w.output()},
             {{"axis", -axes}, {"epsilon", static_cast<float>(w.attribute<double>("epsilon"))}});
}

void write_max_pool2d(const Writing& w) {
  w.to().add("MaxPool", w.inputs(), {w.output()},
             {{"kernel_shape", w.attribute<Integers>("kernel")},
              {"strides", w.attribute<Integers>("stride")},
              {"pads", both_ends(w.attribute<Integers>("padding"))},
              {"dilations", w.attribute<Integers>("dilation")}});
}

void write_avg_pool2d(const Writing& w) {
  w.to().add("AveragePool", w.inputs(), {w.output()},
             {{"kernel_shape", w.attribute<Integers>("kernel")},
              {"strides", w.attribute<Integers>("stride")},
              {"pads", both_ends(w.attribute<Integers>("padding"))},
              {"count_include_pad", int64_t{w.attribute<bool>("count_include_pad")}}});
}

void write_adaptive_avg_pool2d(const Writing& w) {
  if (w.attribute<Integers>("size") != Integers{1, 1}) w.refuse("puts out more than one element a channel");
  w.to().add("GlobalAveragePool", w.inputs(), {w.output()});
}

/// The axes of a reduction, none meaning all.
Integers reduced_axes(const Writing& w) {
  Integers axes = w.attribute<Integers>("axes");
  if (!axes.empty()) return axes;
  for (int64_t i = 0; i < w.type(0).rank(); ++i) axes.push_back(i);
  return axes;
}

void write_sum(const Writing& w) {
  w.to().add("ReduceSum", {w.input_as(0, w.made().dtype()), w.to().numbers(reduced_axes(w))}, {w.output()},
             {{"keepdims", int64_t{w.attribute<bool>("keepdim")}}});
}

template <const char* kType>
void write_reduction(const Writing& w) {
  w.to().add(kType, {w.input_as(0, w.made().dtype())}, {w.output()},
             {{"axes", reduced_axes(w)}, {"keepdims", int64_t{w.attribute<bool>("keepdim")}}});
}

void write_concat(const Writing& w) {
  Names inputs;
  for (size_t i = 0; i < w.node().inputs.size(); ++i) inputs.push_back(w.input_as(i, w.made().dtype()));
  w.to().add("Concat", inputs, {w.output()}, {{"axis", w.attribute<int64_t>("axis")}});
}

template <const char* kType>
void write_along_axis(const Writing& w) {
  w.to().add(kType, w.inputs(), {w.output()}, {{"axis", w.attribute<int64_t>("axis")}});
}

void write_reshape(const Writing& w) {
  const Shape& shape = w.made().shape();
  w.to().add("Reshape", {w.input(0), w.to().numbers(Integers(shape.begin(), shape.end()))}, {w.output()},
             {{"allowzero", int64_t{1}}});
}

void write_expand(const Writing& w) {
  const Shape& shape = w.made().shape();
  w.to().add("Expand", {w.input(0), w.to().numbers(Integers(shape.begin(), shape.end()))}, {w.output()});
}

void write_permute(const Writing& w) {
  w.to().add("Transpose", w.inputs(), {w.output()}, {{"perm", w.attribute<Integers>("axes")}});
}

void write_slice(const Writing& w) {
  Integers axes, starts = w.attribute<Integers>("starts"), stops = w.attribute<Integers>("stops"),
                 steps = w.attribute<Integers>("steps");
  for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  w.to().add("Slice",
             {w.input(0), w.to().numbers(starts), w.to().numbers(stops), w.to().numbers(axes),
              w.to().numbers(steps)},
             {w.output()});
}

/// Backwards, from the last element to the one before the first.
void write_flip(const Writing& w) {
  const auto axes = w.attribute<Integers>("axes");
  const Integers last(axes.size(), -1), end(axes.size(), std::numeric_limits<int64_t>::min());
  w.to().add(
      "Slice",
      {w.input(0), w.to().numbers(last), w.to().numbers(end), w.to().numbers(axes), w.to().numbers(last)},
      {w.output()});
}

void write_split(const Writing& w) {
  const auto axis = w.attribute<int64_t>("axis");
  Integers sizes;
  Names parts;
  for (size_t i = 0; i < w.node().outputs.size(); ++i) {
    sizes.push_back(w.made(i).size(static_cast<int>(axis)));
    parts.push_back(w.output(i));
  }
  w.to().add("Split", {w.input(0), w.to().numbers(sizes)}, parts, {{"axis", axis}});
}

void write_pad(const Writing& w) {
  Integers ends = w.attribute<Integers>("before");
  for (const int64_t inner : w.attribute<Integers>("between")) {
    if (inner != 0) w.refuse("pads between elements");
  }
  for (const int64_t after : w.attribute<Integers>("after")) ends.push_back(after);
  const Tensor value = full({}, w.attribute<double>("value"), w.type(0).dtype());
  w.to().add("Pad", {w.input(0), w.to().numbers(ends), w.to().initializer(value)}, {w.output()});
}

template <const char* kType>
void write_place(const Writing& w) {
  w.to().add(
      kType, w.inputs(), {w.output()},
      {{"axis", w.attribute<Integers>("axes").at(0)}, {"keepdims", int64_t{w.attribute<bool>("keepdim")}}});
}

template <bool upper>
void write_triangle(const Writing& w) {
  const std::string diagonal = w.to().initializer(full({}, w.attribute<int64_t>("diagonal"), Dtype::i64));
  w.to().add("Trilu", {w.input(0), diagonal}, {w.output()}, {{"upper", int64_t{upper}}});
}

void write_cumsum(const Writing& w) {
  const std::string axis = w.to().initializer(full({}, w.attribute<int64_t>("axis"), Dtype::i64));
  w.to().add("CumSum", {w.input_as(0, w.made().dtype()), axis}, {w.output()},
             {{"reverse", int64_t{w.attribute<bool>("reverse")}}});
}

void write_embedding(const Writing& w) {
  w.to().add("Gather", w.inputs(), {w.output()}, {{"axis", int64_t{0}}});
}

// NOLINTBEGIN(bugprone-macro-parentheses): `how` names a template.
#define ESPALIER_ONNX(operation, how, type) \
  {operation, [] {                          \
     static constexpr char kType[] = type;  \
     return static_cast<Write>(how<kType>); \
   }()}
// NOLINTEND(bugprone-macro-parentheses)

const std::map<std::string_view, Write>& writers() {
  static const std::map<std::string_view, Write> all = {
      ESPALIER_ONNX("abs", write_as, "Abs"),
      ESPALIER_ONNX("add", write_elementwise, "Add"),
      ESPALIER_ONNX("argmax", write_place, "ArgMax"),
      ESPALIER_ONNX("argmin", write_place, "ArgMin"),
      ESPALIER_ONNX("ceil", write_as, "Ceil"),
      ESPALIER_ONNX("copy", write_as, "Identity"),
      ESPALIER_ONNX("cos", write_as, "Cos"),
      ESPALIER_ONNX("divide", write_elementwise, "Div"),
      ESPALIER_ONNX("equal", write_comparison, "Equal"),
      ESPALIER_ONNX("erf", write_as, "Erf"),
      ESPALIER_ONNX("exp", write_as, "Exp"),
      ESPALIER_ONNX("floor", write_as, "Floor"),
      ESPALIER_ONNX("gather", write_along_axis, "GatherElements"),
      ESPALIER_ONNX("hardswish", write_as, "HardSwish"),
      ESPALIER_ONNX("index_select", write_along_axis, "Gather"),
      ESPALIER_ONNX("isinf", write_as, "IsInf"),
      ESPALIER_ONNX("isnan", write_as, "IsNaN"),
      ESPALIER_ONNX("less", write_comparison, "Less"),
      ESPALIER_ONNX("less_equal", write_comparison, "LessOrEqual"),
      ESPALIER_ONNX("log", write_as, "Log"),
      ESPALIER_ONNX("log_softmax", write_along_axis, "LogSoftmax"),
      ESPALIER_ONNX("logical_and", write_as, "And"),
      ESPALIER_ONNX("logical_not", write_as, "Not"),
      ESPALIER_ONNX("logical_or", write_as, "Or"),
      ESPALIER_ONNX("logical_xor", write_as, "Xor"),
      ESPALIER_ONNX("logsumexp", write_reduction, "ReduceLogSumExp"),
      ESPALIER_ONNX("matmul", write_as, "MatMul"),
      ESPALIER_ONNX("max", write_reduction, "ReduceMax"),
      ESPALIER_ONNX("maximum", write_elementwise, "Max"),
      ESPALIER_ONNX("mean", write_reduction, "ReduceMean"),
      ESPALIER_ONNX("min", write_reduction, "ReduceMin"),
      ESPALIER_ONNX("minimum", write_elementwise, "Min"),
      ESPALIER_ONNX("multiply", write_elementwise, "Mul"),
      ESPALIER_ONNX("negate", write_as, "Neg"),
      ESPALIER_ONNX("power", write_elementwise, "Pow"),
      ESPALIER_ONNX("product", write_reduction, "ReduceProd"),
      ESPALIER_ONNX("reciprocal", write_as, "Reciprocal"),
      ESPALIER_ONNX("relu", write_as, "Relu"),
      ESPALIER_ONNX("round", write_as, "Round"),
      ESPALIER_ONNX("sigmoid", write_as, "Sigmoid"),
      ESPALIER_ONNX("sign", write_as, "Sign"),
      ESPALIER_ONNX("sin", write_as, "Sin"),
      ESPALIER_ONNX("softmax", write_along_axis, "Softmax"),
      ESPALIER_ONNX("sqrt", write_as, "Sqrt"),
      ESPALIER_ONNX("subtract", write_elementwise, "Sub"),
      ESPALIER_ONNX("tanh", write_as, "Tanh"),
      {"adaptive_avg_pool2d", write_adaptive_avg_pool2d},
      {"avg_pool2d", write_avg_pool2d},
      {"batch_norm", write_batch_norm},
      {"cast", write_cast},
      {"clamp", write_clamp},
      {"concat", write_concat},
      {"conv2d", write_conv2d},
      {"cumsum", write_cumsum},
      {"elu", write_elu},
      {"embedding", write_embedding},
      {"expand", write_expand},
      {"flip", write_flip},
      {"hardtanh", write_clamp},
      {"layer_norm", write_layer_norm},
      {"leaky_relu", write_leaky_relu},
      {"linear", write_linear},
      {"max_pool2d", write_max_pool2d},
      {"not_equal", write_not_equal},
      {"pad", write_pad},
      {"permute", write_permute},
      {"reshape", write_reshape},
      {"rsqrt", write_rsqrt},
      {"slice", write_slice},
      {"softplus", write_softplus},
      {"split", write_split},
      {"sum", write_sum},
      {"tril", write_triangle<false>},
      {"triu", write_triangle<true>},
      {"where", write_where},
  };
  return all;
}

}  // namespace

bool write_onnx_node(OnnxWriter& to, const Node& node) {
  const auto found = writers().find(node.operation->name());
  if (found == writers().end()) return false;
  const Writing writing(to, node);
  // Indices, statistics: what comes beside the result is not written.
  for (size_t i = 1; i < node.outputs.size() && found->second != write_split; ++i) {
    if (writing.is_used(i)) writing.refuse("puts out more than ONNX's operator, and it is used");
  }
  found->second(writing);
  return true;
}

}  // namespace espalier::runtime
