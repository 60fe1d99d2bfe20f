// ONNX models that are read: what becomes of their parts, and what is refused. What operators compute, ONNX
// Runtime judges (tests/counterparts).

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "ops/cast.h"
#include "runtime/onnx.h"
#include "runtime/runner.h"
#include "tests/runtime/onnx_builder.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using espalier::test::onnx_tensor_message;
using espalier::test::OnnxBuilder;
using espalier::test::TemporaryFolder;
using espalier::test::wire_message;
using testing::ElementsAre;
using testing::HasSubstr;

Graph parsed_onnx(const std::string& bytes, const OnnxOptions& options = {}) {
  return parse_onnx({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, options);
}

std::string import_refusal(const std::string& bytes, const OnnxOptions& options = {}) {
  return message_of<FormatError>([&] { parsed_onnx(bytes, options); });
}

Tensor run_first(const Graph& graph, const std::vector<Tensor>& inputs) {
  return Runner(std::make_shared<const Plan>(graph)).run(inputs)[0];
}

/// y = x + w.
OnnxBuilder sum_model(const Tensor& w, const std::vector<OnnxBuilder::Size>& sizes = {2, 3}) {
  OnnxBuilder model;
  model.input("x", sizes).tensor("w", w).node("Add", {"x", "w"}, {"y"}).output("y");
  return model;
}

std::vector<std::string> state_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId id : graph.states()) names.push_back(graph.value(id).name);
  return names;
}

TEST(OnnxImport, TakesWeightsForStatesAndNumbersForConstants) {
  OnnxBuilder model = sum_model(full({3}, 2.0));
  model.tensor("half", full({}, 0.5))
      .tensor("unused", ones({2}))
      .tensor("two", from_values<int64_t>({0, 1}, {2}));
  model.node("Mul", {"y", "half"}, {"z"}).node("Gather", {"z", "two"}, {"g"}, {{"axis", int64_t{1}}});
  model.output("g");
  const Graph graph = parsed_onnx(model.bytes());
  EXPECT_THAT(state_names(graph), ElementsAre("w"));
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
  EXPECT_EQ(graph.outputs().size(), 2U);
  EXPECT_THAT(run_first(graph, {ones({2, 3})}).to_vector<float>(), testing::Each(3));
}

TEST(OnnxImport, TakesConstantNodesForInitializers) {
  OnnxBuilder model;
  const std::string value = onnx_tensor_message("", OnnxBuilder::kF32, full({3}, 2.0));
  model.input("x", {2, 3}).node("Add", {"x", "w"}, {"y"}).output("y");
  // A Constant's value is a tensor, which the builder has no attribute for.
  std::string bytes = model.bytes();
  const std::string constant = wire_message([&](io::WireWriter& to) {
    to.message(onnx_graph::kNode, [&] {
      to.bytes(onnx_node::kOutput, "w");
      to.bytes(onnx_node::kType, "Constant");
      to.message(onnx_node::kAttribute, [&] {
        to.bytes(onnx_attribute::kName, "value");
        to.bytes(onnx_attribute::kTensor, value);
        to.integer(onnx_attribute::kType, onnx_attribute::kTensorType);
      });
    });
  });
  io::WireWriter(bytes).bytes(onnx_model::kGraph, constant);  // a second part of the graph
  const Graph graph = parsed_onnx(bytes);
  EXPECT_THAT(state_names(graph), ElementsAre("w"));
  EXPECT_THAT(run_first(graph, {ones({2, 3})}).to_vector<float>(), testing::Each(3));
}

TEST(OnnxImport, ComputesShapesWhileItReads) {
  OnnxBuilder model;  // x [4, 6] to [4 * 6 / 8, 8] by its shape
  model.input("x", {4, 6})
      .tensor("first", from_values<int64_t>({0}, {1}))
      .tensor("second", from_values<int64_t>({1}, {1}));
  model.tensor("eight", from_values<int64_t>({8}, {1}));
  model.node("Shape", {"x"}, {"shape"})
      .node("Gather", {"shape", "first"}, {"a"})
      .node("Gather", {"shape", "second"}, {"b"});
  model.node("Mul", {"a", "b"}, {"count"}).node("Div", {"count", "eight"}, {"rows"});
  model.node("Concat", {"rows", "eight"}, {"wanted"}, {{"axis", int64_t{0}}})
      .node("Reshape", {"x", "wanted"}, {"y"});
  model.output("y");
  const Graph graph = parsed_onnx(model.bytes());
  EXPECT_EQ(graph.nodes().size(), 1U);
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.shape(), (Shape{3, 8}));
}

TEST(OnnxImport, FillsFreeAxesByName) {
  const OnnxBuilder model = sum_model(ones({3}), {"batch", "time", 3});
  const Graph graph = parsed_onnx(model.bytes(), {.sizes = {{"batch", 2}, {"time", 5}}});
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.shape(), (Shape{2, 5, 3}));
  EXPECT_EQ(parsed_onnx(model.bytes(), {.sizes = {{"time", 5}}, .batch = 4}),
            parsed_onnx(model.bytes(), {.sizes = {{"batch", 4}, {"time", 5}}}));
  const auto complaint = [&](const OnnxOptions& options) {
    return message_of<ValueError>([&] { parsed_onnx(model.bytes(), options); });
  };
  EXPECT_EQ(complaint({.batch = 2}),
            "[model] axis 1 of input 'x' has no size but a name, 'time'; give its size by that name "
            "(OnnxOptions::sizes; --size of the program)");
  EXPECT_THAT(complaint({.sizes = {{"batch", 2}, {"time", 5}, {"tmie", 5}}}),
              HasSubstr("no free axis 'tmie'"));
  EXPECT_THAT(import_refusal(model.bytes(), {.sizes = {{"batch", -1}, {"time", 5}}}), HasSubstr("input 'x'"));
  EXPECT_EQ(parsed_onnx(sum_model(ones({3}), {"", 3}).bytes(), {.sizes = {{"x[0]", 7}}}),
            parsed_onnx(sum_model(ones({3}), {7, 3}).bytes()));
}

/// A tensor of type `type` with the field that `fill` writes, read as what a model puts out.
GraphFamily loaded_onnx_family(const OnnxBuilder& model, const OnnxOptions& options = {}) {
  const TemporaryFolder folder;
  std::ofstream(folder / "model.onnx", std::ios::binary) << model.bytes();
  return load_onnx_family(folder / "model.onnx", options);
}

TEST(OnnxImport, LeavesFirstAxesFree) {
  const OnnxBuilder model = sum_model(ones({3}), {"N", "time", 3});
  const GraphFamily family = loaded_onnx_family(model, {.sizes = {{"time", 5}}});
  ASSERT_EQ(family.axes().size(), 1U);
  EXPECT_EQ(family.axes()[0].name, "batch");
  for (const int64_t batch : {1, 2, 6}) {
    EXPECT_EQ(family.at({{"batch", batch}}),
              parsed_onnx(model.bytes(), {.sizes = {{"N", batch}, {"time", 5}}}));
  }
  EXPECT_TRUE(loaded_onnx_family(model, {.sizes = {{"N", 4}, {"time", 5}}}).axes().empty());
  EXPECT_TRUE(loaded_onnx_family(sum_model(ones({3}))).axes().empty());
  OnnxBuilder flat;
  flat.input("x", {"N", 3}).tensor("rest", from_values<int64_t>({4, 3}, {2}));
  flat.node("Reshape", {"x", "rest"}, {"y"}).output("y");
  EXPECT_THROW(loaded_onnx_family(flat), Error);  // 4 rows are the only ones that it takes
}

Tensor read_tensor(int64_t type, const std::vector<int64_t>& sizes,
                   const std::function<void(io::WireWriter&)>& fill) {
  OnnxBuilder model;
  model.tensor(wire_message([&](io::WireWriter& to) {
    for (const int64_t size : sizes) to.integer(onnx_tensor::kSize, size);
    to.integer(onnx_tensor::kType, type);
    to.bytes(onnx_tensor::kName, "t");
    fill(to);
  }));
  model.output("t", type);
  return run_first(parsed_onnx(model.bytes()), {});
}

/// 1, 2, 300 in a packed field of varints.
void packed_integers(io::WireWriter& to, unsigned field) {
  to.bytes(field, "\x01\x02\xac\x02");
}

TEST(OnnxImport, ReadsEveryEncodingOfTensors) {
  using namespace onnx_tensor;
  const auto numbers = [](const Tensor& tensor) { return cast(tensor, Dtype::f64).to_vector<double>(); };
  EXPECT_THAT(numbers(read_tensor(1, {2},
                                  [](auto& to) {
                                    to.f32(kFloats, 1);
                                    to.f32(kFloats, -2);
                                  })),
              ElementsAre(1, -2));
  EXPECT_THAT(numbers(read_tensor(11, {2}, [](auto& to) { to.f64s(kDoubles, std::vector<double>{0.1, 3}); })),
              ElementsAre(0.1, 3));
  EXPECT_THAT(numbers(read_tensor(7, {3}, [](auto& to) { packed_integers(to, kIntegers64); })),
              ElementsAre(1, 2, 300));
  EXPECT_THAT(numbers(read_tensor(13, {3}, [](auto& to) { packed_integers(to, kUnsigned64); })),
              ElementsAre(1, 2, 300));
  EXPECT_THAT(numbers(read_tensor(6, {3}, [](auto& to) { packed_integers(to, kIntegers32); })),
              ElementsAre(1, 2, 300));
  EXPECT_THAT(numbers(read_tensor(3, {2},
                                  [](auto& to) {
                                    to.integer(kIntegers32, -128);
                                    to.integer(kIntegers32, 127);
                                  })),
              ElementsAre(-128, 127));
  EXPECT_THAT(numbers(read_tensor(2, {1}, [](auto& to) { to.integer(kIntegers32, 255); })), ElementsAre(255));
  EXPECT_THAT(
      numbers(read_tensor(9, {2}, [](auto& to) { to.bytes(kIntegers32, std::string_view("\x01\x00", 2)); })),
      ElementsAre(1, 0));
  EXPECT_THAT(numbers(read_tensor(10, {1}, [](auto& to) { to.integer(kIntegers32, 0xc000); })),
              ElementsAre(-2));  // f16
  EXPECT_THAT(numbers(read_tensor(16, {1}, [](auto& to) { to.integer(kIntegers32, 0xc000); })),
              ElementsAre(-2));  // bf16
  EXPECT_THAT(
      numbers(read_tensor(10, {1}, [](auto& to) { to.bytes(kRaw, std::string_view("\x00\xc0", 2)); })),
      ElementsAre(-2));
  EXPECT_THAT(numbers(read_tensor(1, {0, 3}, [](auto&) {})), ElementsAre());
}

TEST(OnnxImport, RefusesTensorsThatDoNotAddUp) {
  using namespace onnx_tensor;
  const auto refusal = [](int64_t type, const std::vector<int64_t>& sizes,
                          const std::function<void(io::WireWriter&)>& fill) {
    return message_of<FormatError>([&] { read_tensor(type, sizes, fill); });
  };
  EXPECT_EQ(refusal(1, {2}, [](auto& to) { to.f32(kFloats, 1); }),
            "[model] tensor 't': tensor 't' of shape [2] has 1 elements, not 2");
  EXPECT_THAT(refusal(1, {2}, [](auto& to) { to.bytes(kRaw, "seven b"); }), HasSubstr("has 7 bytes, not 8"));
  EXPECT_THAT(refusal(1, {int64_t{1} << 40, int64_t{1} << 40}, [](auto&) {}), HasSubstr("tensor 't'"));
  EXPECT_THAT(refusal(1, {int64_t{1} << 40}, [](auto&) {}), HasSubstr("has 0 elements"));
  EXPECT_THAT(refusal(1, {-1}, [](auto&) {}), HasSubstr("tensor 't'"));
  EXPECT_THAT(refusal(1, {1, 1, 1, 1, 1, 1, 1, 1, 1}, [](auto&) {}), HasSubstr("tensor 't'"));
  EXPECT_THAT(refusal(3, {1}, [](auto& to) { to.integer(kIntegers32, 128); }),
              HasSubstr("has an element 128"));
  EXPECT_THAT(refusal(9, {1}, [](auto& to) { to.bytes(kRaw, "\x02"); }), HasSubstr("other than 0 and 1"));
  EXPECT_THAT(refusal(8, {1}, [](auto&) {}), HasSubstr("type 8"));
  EXPECT_THAT(refusal(1, {1}, [](auto& to) { to.bytes(kStrings, "s"); }), HasSubstr("strings"));
}

/// A model whose tensor w is in another file.
std::string external_model(const std::string& location, const std::string& offset,
                           const std::string& length) {
  OnnxBuilder model = sum_model(ones({}));
  model.tensor(wire_message([&](io::WireWriter& to) {
    using namespace onnx_tensor;
    to.integer(kSize, 3);
    to.integer(kType, OnnxBuilder::kF32);
    to.bytes(kName, "far");
    to.integer(kLocation, 1);
    const std::pair<std::string, std::string> entries[] = {
        {"location", location}, {"offset", offset}, {"length", length}};
    for (const auto& [key, value] : entries) {
      to.message(kExternal, [&, &key = key, &value = value] {
        to.bytes(onnx_entry::kKey, key);
        to.bytes(onnx_entry::kValue, value);
      });
    }
  }));
  model.node("Add", {"y", "far"}, {"z"}).output("z");
  return model.bytes();
}

void write_onnx_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

TEST(OnnxImport, ReadsElementsInOtherFiles) {
  const TemporaryFolder folder;
  std::string elements = "....";
  for (const float value : {5.0F, 6.0F, 7.0F}) io::WireWriter(elements).f32(1, value);
  elements.erase(4, 1).erase(8, 1).erase(12, 1);  // the keys of the fields
  write_onnx_file(folder / "weights/far.bin", elements);
  for (const bool aligned : {true, false}) {
    write_onnx_file(folder / "weights/far.bin", aligned ? elements : elements.substr(1));
    write_onnx_file(folder / "model.onnx", external_model("weights/far.bin", aligned ? "4" : "3", "12"));
    const Graph graph = load_onnx(folder / "model.onnx");
    const std::vector<Tensor> made =
        Runner(std::make_shared<const Plan>(graph)).run(std::vector{zeros({2, 3})});
    EXPECT_THAT(made[1].to_vector<float>(), ElementsAre(6, 7, 8, 6, 7, 8));
  }
}

TEST(OnnxImport, RefusesOtherFilesOutsideItsFolder) {
  const TemporaryFolder folder;
  const std::filesystem::path model = folder / "inside/model.onnx", secret = folder / "secret";
  write_onnx_file(secret, std::string(12, '\0'));
  write_onnx_file(folder / "inside/short", std::string(11, '\0'));
  std::filesystem::create_symlink(secret, folder / "inside/link");
  std::filesystem::create_directory_symlink(folder.path(), folder / "inside/up");
  const auto refusal = [&](const std::string& location, const char* offset = "0", const char* length = "12") {
    write_onnx_file(model, external_model(location, offset, length));
    return message_of<FormatError>([&] { load_onnx(model); });
  };
  for (const std::string& outside : {std::string("../secret"), secret.string(), std::string("link"),
                                     std::string("up/secret"), std::string("a/../../secret"), std::string()})
    EXPECT_THAT(refusal(outside), HasSubstr("no file of the model's folder")) << outside;
  EXPECT_THAT(refusal("short"), HasSubstr("which has 11 (is it cut short?)"));
  EXPECT_THAT(refusal("short", "18446744073709551615"), HasSubstr("which has 11"));
  EXPECT_THAT(refusal("short", "0", "8"), HasSubstr("takes 12 bytes; it is said to have 8"));
  EXPECT_THAT(refusal("short", "-1"), HasSubstr("no number"));
  write_onnx_file(model, external_model("none", "0", "12"));
  EXPECT_THAT(message_of<IoError>([&] { load_onnx(model); }), HasSubstr("none"));
  EXPECT_THAT(import_refusal(external_model("short", "0", "12")), HasSubstr("load_onnx"));
}

TEST(OnnxImport, RefusesWhatItDoesNotKnowByNode) {
  const auto refusal = [](const char* type, const std::vector<OnnxBuilder::Attribute>& attributes = {},
                          const char* domain = "") {
    OnnxBuilder model;
    model.input("x", {2, 3}).node(type, {"x"}, {"y"}, attributes, domain).output("y");
    return import_refusal(model.bytes());
  };
  EXPECT_EQ(
      refusal("Frobnicate", {}, "com.acme"),
      "[model] node 0, Frobnicate 'the Frobnicate': is an operator that is not known, of domain 'com.acme'");
  EXPECT_THAT(refusal("Relu", {}, "com.acme"), HasSubstr("of domain 'com.acme'"));
  EXPECT_THAT(refusal("Relu", {{"slope", 0.5F}}),
              HasSubstr("node 0, Relu 'the Relu': has an attribute 'slope'"));
  EXPECT_THAT(refusal("Softmax", {{"axis", 0.5F}}), HasSubstr("attribute axis of another kind"));
  EXPECT_THAT(refusal("Softmax", {{"axis", int64_t{7}}}), HasSubstr("node 0, Softmax"));
  EXPECT_THAT(refusal("Add"), HasSubstr("has no input 1"));
  OnnxBuilder model = sum_model(ones({3}));
  model.node("Relu", {"y", "w"}, {"z"});
  EXPECT_THAT(import_refusal(model.bytes()), HasSubstr("node 1, Relu 'the Relu': has an input 1"));
}

TEST(OnnxImport, RefusesInconsistentGraphs) {
  OnnxBuilder circle;
  circle.input("x", {2, 3}).node("Add", {"x", "b"}, {"a"}).node("Relu", {"a"}, {"b"}).output("b");
  EXPECT_EQ(import_refusal(circle.bytes()),
            "[model] node 0, Add 'the Add': reads 'b', which nothing before it makes");
  EXPECT_THAT(import_refusal(sum_model(ones({4})).bytes()), HasSubstr("node 0, Add 'the Add': [add]"));
  EXPECT_THAT(import_refusal(sum_model(ones({3})).tensor("w", ones({3})).bytes()),
              HasSubstr("tensor 'w': 'w' is the name of something before it"));
  EXPECT_THAT(import_refusal(sum_model(ones({3})).node("Relu", {"x"}, {"y"}).bytes()),
              HasSubstr("node 1, Relu 'the Relu': 'y' is the name"));
  EXPECT_THAT(import_refusal(sum_model(ones({3})).input("x", {2, 3}).bytes()),
              HasSubstr("input 'x': 'x' is the name"));
  EXPECT_NO_THROW(
      parsed_onnx(sum_model(ones({3})).input("w", {3}).bytes()));  // as versions of IR before 4 have it
  EXPECT_THAT(import_refusal(sum_model(ones({3})).output("none").bytes()),
              HasSubstr("output 'none': reads 'none'"));
  EXPECT_THAT(import_refusal(sum_model(ones({3})).output("x", OnnxBuilder::kI64).bytes()),
              HasSubstr("said to be of i64, but is f32[2, 3]"));
  EXPECT_THAT(import_refusal(sum_model(ones({3}), {int64_t{1} << 62, 3}).bytes()), HasSubstr("input 'x'"));
  OnnxBuilder nothing;
  EXPECT_THAT(import_refusal(nothing.input("x", {1}).bytes()), HasSubstr("puts nothing out"));
  OnnxBuilder by_value;
  by_value.input("x", {2, 3})
      .input("shape", {2}, OnnxBuilder::kI64)
      .node("Reshape", {"x", "shape"}, {"y"})
      .output("y");
  EXPECT_THAT(import_refusal(by_value.bytes()),
              HasSubstr("node 0, Reshape 'the Reshape': depends by its input 1"));
}

TEST(OnnxImport, RefusesOtherVersions) {
  const OnnxBuilder model = sum_model(ones({3}));
  for (const auto& [operators, ir] :
       {std::pair(12, 8), std::pair(27, 8), std::pair(17, 2), std::pair(17, 14)})
    EXPECT_THAT(import_refusal(model.bytes(operators, ir)), HasSubstr("version")) << operators << ' ' << ir;
  EXPECT_NO_THROW(parsed_onnx(model.bytes(13, 3)));
  EXPECT_NO_THROW(parsed_onnx(model.bytes(26, 13)));
}

TEST(OnnxImport, RefusesWhatIsCutShort) {
  const std::string whole = sum_model(ones({3})).bytes();
  for (size_t size = 0; size < whole.size(); ++size) import_refusal(whole.substr(0, size));
  EXPECT_NO_THROW(parsed_onnx(whole));
  EXPECT_THAT(import_refusal("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), HasSubstr("more than 64 bits"));
  EXPECT_THAT(import_refusal(std::string("\x3a\xff\xff\xff\xff\x0f", 6)), HasSubstr("4294967295 bytes"));
}

TEST(OnnxImport, ComputesNoConstantsBeyondItsBudget) {
  OnnxBuilder model;
  model.tensor("shape", from_values<int64_t>({1 << 20, 1 << 10}, {2})).tensor("one", ones({}));
  model.node("Expand", {"one", "shape"}, {"wide"}).node("Relu", {"wide"}, {"y"}).output("y");
  EXPECT_EQ(
      import_refusal(model.bytes()),
      "[model] node 1, Relu 'the Relu': a constant of shape [1048576, 1024] is to be computed, for which "
      "OnnxOptions::most_computed is too small");
  OnnxBuilder range;
  range.tensor("zero", zeros({}, Dtype::i64))
      .tensor("far", full({}, int64_t{1} << 60, Dtype::i64))
      .tensor("one", ones({}, Dtype::i64));
  range.node("Range", {"zero", "far", "one"}, {"y"}).output("y", OnnxBuilder::kI64);
  EXPECT_THAT(import_refusal(range.bytes()), HasSubstr("node 0, Range"));
  OnnxBuilder zero;
  zero.tensor("n", zeros({}, Dtype::i64)).node("Div", {"n", "n"}, {"y"}).output("y", OnnxBuilder::kI64);
  EXPECT_THAT(import_refusal(zero.bytes()), HasSubstr("node 0, Div 'the Div': divides by zero"));
}

}  // namespace
}  // namespace espalier::runtime
