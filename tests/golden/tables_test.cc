// Result types, broadcast shapes and values at extreme inputs are PyTorch's: the files of tables/, written by
// tables/generate.py.

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <espalier/espalier.h>
#include <gtest/gtest.h>

namespace espalier {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

Dtype dtype_named(const std::string& name) {
  for (int i = 0; i < kDtypeCount; ++i) {
    if (to_string(static_cast<Dtype>(i)) == name) return static_cast<Dtype>(i);
  }
  throw ValueError("dtype_named", name);
}

TEST(ResultTypes, ArePyTorchs) {
  size_t pairs = 0;
  for (const std::string& line : lines_of("tests/golden/tables/result_types.txt")) {
    std::istringstream words(line);
    std::string a, b, first, second, third;
    words >> a >> b >> first >> second >> third;
    const Tensor x = zeros({2}, dtype_named(a)), x0 = zeros({}, dtype_named(a));
    if (b == "number") {
      EXPECT_EQ(to_string(result_type("test", x, true)), first) << line;
      EXPECT_EQ(to_string(result_type("test", x, 1)), second) << line;
      EXPECT_EQ(to_string(result_type("test", x, 1.5)), third) << line;
      EXPECT_EQ(to_string((x + 1.5).dtype()), third) << line;
      continue;
    }
    ++pairs;
    const Tensor y = zeros({2}, dtype_named(b)), y0 = zeros({}, dtype_named(b));
    EXPECT_EQ(to_string((x + y).dtype()), first) << line;
    EXPECT_EQ(to_string((x + y0).dtype()), second) << line;
    EXPECT_EQ(to_string((x0 + y0).dtype()), third) << line;
  }
  EXPECT_EQ(pairs, 100U);
}

Shape shape_of(const std::string& text) {
  Shape shape;
  std::istringstream sizes(text);
  for (std::string size; std::getline(sizes, size, ',');) shape.push_back(std::stoll(size));
  return shape;
}

TEST(BroadcastShapes, ArePyTorchs) {
  const std::vector<std::string> lines = lines_of("tests/golden/tables/broadcast_shapes.txt");
  EXPECT_EQ(lines.size(), 500U);
  for (const std::string& line : lines) {
    const size_t first = line.find(';'), second = line.find(';', first + 1);
    const Shape a = shape_of(line.substr(0, first)), b = shape_of(line.substr(first + 1, second - first - 1));
    const std::string expected = line.substr(second + 1);
    if (expected == "error") {
      EXPECT_THROW(broadcast_shapes(a, b, "test"), ShapeError) << line;
      EXPECT_THROW(zeros(a) + zeros(b), ShapeError) << line;
    } else {
      EXPECT_EQ(to_string((zeros(a) + zeros(b)).shape()), to_string(shape_of(expected))) << line;
    }
  }
}

using File = std::map<std::string, Tensor>;

/// What is computed under the name of each of the file's results.
std::map<std::string, std::function<Tensor(const File&)>> functions() {
  const auto of = [](const std::string& input, Tensor (*f)(const Tensor&)) {
    return [=](const File& file) { return f(file.at(input)); };
  };
  const auto rows = [&](Tensor (*f)(const Tensor&)) { return of("rows", f); };
  const auto flat = [&](Tensor (*f)(const Tensor&)) { return of("flat", f); };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const LossReduction none = LossReduction::none;
  return {
      {"softmax", rows([](const Tensor& x) { return softmax(x, 1); })},
      {"log_softmax", rows([](const Tensor& x) { return log_softmax(x, 1); })},
      {"logsumexp", rows([](const Tensor& x) { return logsumexp(x, {1}); })},
      {"layer_norm",
       [](const File& f) { return layer_norm(f.at("rows"), {4}, f.at("weight"), f.at("bias"), 1e-5); }},
      {"rms_norm", [](const File& f) { return rms_norm(f.at("rows"), {4}, f.at("weight"), 1e-6); }},
      {"group_norm",
       [](const File& f) {
         return group_norm(reshape(slice(f.at("rows"), 0, {.stop = 16}), {1, 16, 2, 2}), 4, {}, {}, 1e-5);
       }},
      {"variance", rows([](const Tensor& x) { return variance(x, {1}); })},
      {"standard_deviation", rows([](const Tensor& x) { return standard_deviation(x, {1}); })},
      {"norm2", rows([](const Tensor& x) { return vector_norm(x, 2, {1}); })},
      {"norm1", rows([](const Tensor& x) { return vector_norm(x, 1, {1}); })},
      {"norm_inf", rows([](const Tensor& x) { return vector_norm(x, kInfinity, {1}); })},
      {"sum", rows([](const Tensor& x) { return sum(x, {1}); })},
      {"mean", rows([](const Tensor& x) { return mean(x, {1}); })},
      {"product", rows([](const Tensor& x) { return product(x, {1}); })},
      {"max", rows([](const Tensor& x) { return max(x, {1}); })},
      {"min", rows([](const Tensor& x) { return min(x, {1}); })},
      {"argmax", rows([](const Tensor& x) { return argmax(x, 1); })},
      {"cumsum", rows([](const Tensor& x) { return cumsum(x, 1); })},
      {"cross_entropy",
       [=](const File& f) { return cross_entropy(f.at("rows"), f.at("labels"), {.reduction = none}); }},
      {"cross_entropy_smooth",
       [=](const File& f) {
         return cross_entropy(f.at("rows"), f.at("labels"), {.label_smoothing = 0.1, .reduction = none});
       }},
      {"nll_loss",
       [=](const File& f) { return nll_loss(f.at("rows"), f.at("labels"), {.reduction = none}); }},
      {"bce",
       [=](const File& f) {
         return binary_cross_entropy(slice(f.at("probabilities"), 0, {.stop = 7}),
                                     slice(f.at("answers"), 0, {.stop = 7}), {.reduction = none});
       }},
      {"bce_logits",
       [=](const File& f) {
         return binary_cross_entropy_with_logits(f.at("others"), f.at("answers"), {.reduction = none});
       }},
      {"mse", [=](const File& f) { return mse_loss(f.at("others"), f.at("answers"), none); }},
      {"l1", [=](const File& f) { return l1_loss(f.at("others"), f.at("answers"), none); }},
      {"huber",
       [=](const File& f) { return huber_loss(f.at("others"), f.at("answers"), {.reduction = none}); }},
      {"kl_div", [=](const File& f) { return kl_div(f.at("others"), f.at("answers"), {.reduction = none}); }},
      {"sigmoid", flat(sigmoid)},
      {"tanh", flat(tanh)},
      {"silu", flat(silu)},
      {"softplus", flat([](const Tensor& x) { return softplus(x); })},
      {"gelu", flat(gelu)},
      {"gelu_exact", flat(gelu_exact)},
      {"elu", flat([](const Tensor& x) { return elu(x); })},
      {"exp", flat(exp)},
      {"log", flat(log)},
      {"log1p", flat(log1p)},
      {"expm1", flat(expm1)},
      {"rsqrt", flat(rsqrt)},
      {"sqrt", flat(sqrt)},
      {"reciprocal", flat(reciprocal)},
      {"erf", flat(erf)},
      {"relu", flat(relu)},
      {"round", flat(round)},
      {"sign", flat(sign)},
      {"hardswish", flat(hardswish)},
  };
}

/// The elements in which we differ, and why.
bool differs_on_purpose(const std::string& name, size_t i) {
  // PyTorch's formulas give NaN for infinities, where GELU has limits: as the headers say.
  if (name == "gelu" || name == "gelu_exact") return i == 6 || i == 7;
  // Variances that overflow: 0 instead of NaN, as the header says; and equal elements have none to overflow.
  if (name == "layer_norm") return i < 12;
  // Squares of 1e-30 vanish in f32; ours add up in f64.
  return name == "norm2" && i == 15;
}

TEST(ExtremeInputs, GiveWhatPyTorchGives) {
  const File file = io::load_safetensors("tests/golden/tables/extremes.safetensors").tensors;
  const auto computed = functions();
  EXPECT_EQ(computed.size() + 8, file.size()) << "eight of the file's tensors are inputs";
  for (const auto& [name, function] : computed) {
    const Tensor got = function(file);
    const Tensor& wanted = file.at(name);
    ASSERT_EQ(describe(got), describe(wanted)) << name;
    if (wanted.dtype() == Dtype::i64) {
      EXPECT_EQ(got.to_vector<int64_t>(), wanted.to_vector<int64_t>()) << name;
      continue;
    }
    const std::vector<float> values = got.to_vector<float>(), expected = wanted.to_vector<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      const double value = static_cast<double>(values[i]), want = static_cast<double>(expected[i]);
      if (value == want || (std::isnan(value) && std::isnan(want)) || differs_on_purpose(name, i)) continue;
      // Sums in another order and functions by other polynomials: some units in the last place; where terms
      // cancel, of the largest term, which is up to four here.
      EXPECT_LE(std::abs(value - want), 2e-6 * std::max(std::abs(want), 1e-30))
          << name << ", element " << i << ": " << value << " instead of " << want;
    }
  }
}

}  // namespace
}  // namespace espalier
