#include "ops/einsum.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/matmul.h"
#include "ops/permute.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Small integers, so that products add up without rounding.
Tensor einsum_numbers(const Shape& shape, int64_t step) {
  Tensor result = empty(shape, Dtype::f64);
  for (int64_t i = 0; i < result.numel(); ++i)
    result.mutable_data<double>()[i] = static_cast<double>(i * step % 7 - 3);
  return result;
}

std::vector<Tensor> operands_of(const std::vector<Shape>& shapes) {
  std::vector<Tensor> operands;
  for (size_t i = 0; i < shapes.size(); ++i)
    operands.push_back(einsum_numbers(shapes[i], static_cast<int64_t>(2 * i + 3)));
  return operands;
}

/// What letters alone mean: the sum over all values of all indices. `terms` ends with the result's.
Array einsum_reference(const std::vector<std::string>& terms, const std::vector<Tensor>& operands) {
  std::map<char, int64_t> sizes;
  for (size_t t = 0; t < operands.size(); ++t) {
    for (size_t k = 0; k < terms[t].size(); ++k) {
      int64_t& size = sizes.try_emplace(terms[t][k], 1).first->second;
      size = std::max(size, operands[t].shape()[static_cast<int>(k)]);
    }
    for (size_t k = 0; k < terms[t].size(); ++k) {
      if (operands[t].shape()[static_cast<int>(k)] == 0) sizes[terms[t][k]] = 0;
    }
  }
  Shape result, all;
  for (const char letter : terms.back()) result.push_back(sizes[letter]);
  for (const auto& [letter, size] : sizes) all.push_back(size);
  Array sums(result);
  std::vector<Array> values;
  for (const Tensor& operand : operands) {
    values.emplace_back(operand.shape());
    values.back().values = operand.to_vector<double>();
  }
  for_each_index(all, [&](const Dims& index) {
    std::map<char, int64_t> at;
    int i = 0;
    for (const auto& [letter, size] : sizes) at[letter] = index[i++];
    const auto place = [&](const std::string& term, const Shape& shape) {
      Dims where;
      for (const char letter : term) where.push_back(shape[where.rank()] == 1 ? 0 : at[letter]);
      return where;
    };
    double product = 1;
    for (size_t t = 0; t < values.size(); ++t) product *= values[t].at(place(terms[t], values[t].shape));
    sums.at(place(terms.back(), result)) += product;
  });
  return sums;
}

struct Example {
  std::vector<std::string> terms;
  std::vector<Shape> shapes;
};

std::string equation_of(const Example& example) {
  std::string text = example.terms[0];
  for (size_t i = 1; i + 1 < example.terms.size(); ++i) text += ", " + example.terms[i];
  return text + " -> " + example.terms.back();
}

const std::vector<Example>& examples() {
  static const std::vector<Example> all = {
      {{"ij", "jk", "ik"}, {{2, 3}, {3, 4}}},
      {{"ij", "jk", "ki"}, {{2, 3}, {3, 4}}},
      {{"ji", "kj", "ik"}, {{3, 2}, {4, 3}}},
      {{"bij", "bjk", "bik"}, {{2, 2, 3}, {2, 3, 2}}},
      {{"bqhd", "bkhd", "bhqk"}, {{2, 3, 2, 2}, {2, 4, 2, 2}}},
      {{"i", "i", ""}, {{4}, {4}}},
      {{"ij", "ij", ""}, {{2, 3}, {2, 3}}},
      {{"ij", "ji", ""}, {{2, 3}, {3, 2}}},
      {{"i", "j", "ji"}, {{2}, {3}}},
      {{"bi", "bj", "bij"}, {{2, 2}, {2, 3}}},
      {{"ij", "ij", "ij"}, {{2, 3}, {2, 3}}},
      {{"ij", "j"}, {{2, 3}}},
      {{"ijk", "kji"}, {{2, 3, 2}}},
      {{"ii", ""}, {{3, 3}}},
      {{"iji", "ji"}, {{3, 2, 3}}},
      {{"iii", "i"}, {{3, 3, 3}}},
      {{"ijij", ""}, {{2, 3, 2, 3}}},
      {{"ii", "ij", "j"}, {{3, 3}, {3, 2}}},
      {{"ij", "kl", "ik"}, {{2, 3}, {3, 2}}},
      {{"abc", "cd", "bde", "ae"}, {{2, 2, 3}, {3, 2}, {2, 2, 2}}},
      {{"i", "i", "i", ""}, {{3}, {3}, {3}}},
      {{"ij", "k", "jk", "i"}, {{2, 3}, {2}, {3, 2}}},
      {{"ij", "jk", "ik"}, {{2, 3}, {1, 4}}},
      {{"bij", "bjk", "bik"}, {{1, 2, 3}, {2, 3, 2}}},
      {{"ij", "jk", "ik"}, {{2, 0}, {0, 3}}},
      {{"ij", "jk", "ik"}, {{0, 2}, {2, 3}}},
      {{"", "i", "i"}, {{}, {3}}},
      {{"Ab", "bA", "A"}, {{2, 3}, {3, 2}}},
  };
  return all;
}

TEST(Einsum, IsTheSumOverAllOtherIndices) {
  for (const Example& example : examples()) {
    const std::string equation = equation_of(example);
    const std::vector<Tensor> operands = operands_of(example.shapes);
    const Tensor got = einsum(equation, operands);
    const Array expected = einsum_reference(example.terms, operands);
    EXPECT_EQ(to_string(got.shape()), to_string(expected.shape)) << equation;
    EXPECT_EQ(got.to_vector<double>(), expected.values) << equation;
  }
}

TEST(Einsum, HasGradientsTwice) {
  for (const Example& example : examples()) {
    std::vector<Tensor> operands;
    for (const Tensor& operand : operands_of(example.shapes)) operands.push_back(requires_grad_(operand));
    const auto f = [&](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{einsum(equation_of(example), in)};
    };
    EXPECT_EQ(check_gradients(f, operands, {}), "") << equation_of(example);
    // A single operand's gradient does not depend on it.
    if (example.shapes.size() == 1) continue;
    EXPECT_EQ(check_gradients(f, operands, {.second_order = true}), "") << equation_of(example);
  }
}

TEST(Einsum, AnEllipsisStandsForAxesThatBroadcast) {
  const Tensor a = einsum_numbers({2, 3, 2, 4}, 3), b = einsum_numbers({3, 4, 2}, 5),
               c = einsum_numbers({2, 1, 4, 2}, 5);
  const auto expect = [](const Tensor& got, const Tensor& want) {
    EXPECT_EQ(to_string(got.shape()), to_string(want.shape()));
    EXPECT_EQ(got.to_vector<double>(), want.to_vector<double>());
  };
  expect(einsum("...ij,...jk->...ik", {a, b}), matmul(a, b));
  expect(einsum("...ij, ...jk", {a, b}), matmul(a, b));
  expect(einsum("...ij,...jk->...ik", {a, c}), matmul(a, c));
  // The axes 3 and 2 of a, of which b has the last.
  expect(einsum("i...j,j...k->k...i", {a, einsum_numbers({4, 2, 5}, 1)}),
         einsum("iabj,jbk->kabi", {a, einsum_numbers({4, 2, 5}, 1)}));
}

TEST(Einsum, ImpliesTheLettersThatOccurOnce) {
  const Tensor a = einsum_numbers({2, 3}, 3), b = einsum_numbers({3, 4}, 5);
  EXPECT_EQ(einsum("ba,ac", {a, b}).to_vector<double>(), matmul(a, b).to_vector<double>());
  EXPECT_EQ(einsum("ij", {a}).to_vector<double>(), a.to_vector<double>());
  EXPECT_EQ(einsum("ji", {a}).to_vector<double>(), transpose(a, 0, 1).to_vector<double>());
  EXPECT_EQ(to_string(einsum("bA,bc", {a, einsum_numbers({2, 5}, 1)}).shape()), "[3, 5]");
  EXPECT_EQ(einsum("ii", {einsum_numbers({3, 3}, 1)}).rank(), 0);
  // What the result's ellipsis leaves out is summed over.
  EXPECT_EQ(einsum("...j->j", {a}).to_vector<double>(), einsum("ij->j", {a}).to_vector<double>());
}

TEST(Einsum, KeepsTheType) {
  const Tensor a = cast(einsum_numbers({2, 3}, 3), Dtype::i32),
               b = cast(einsum_numbers({3, 2}, 5), Dtype::i32);
  EXPECT_EQ(einsum("ij,jk->i", {a, b}).dtype(), Dtype::i32);
  EXPECT_EQ(cast(einsum("ij,jk->i", {a, b}), Dtype::f64).to_vector<double>(),
            einsum("ij,jk->i", {einsum_numbers({2, 3}, 3), einsum_numbers({3, 2}, 5)}).to_vector<double>());
  EXPECT_EQ(describe(einsum("ij,jk", {zeros({2, 3}, Dtype::bf16, kMeta), zeros({3, 2}, Dtype::bf16, kMeta)})),
            "bf16[2, 2] on meta");
}

TEST(Einsum, SaysWhatIsWrong) {
  const Tensor a = zeros({2, 3}), b = zeros({4, 5});
  const auto message = [](auto&& run) -> std::string {
    try {
      run();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message([&] { einsum("ij,jk->ik", {a, b}); }),
              testing::AllOf(HasSubstr("einsum"), HasSubstr("'j'"), HasSubstr("f32[2, 3], f32[4, 5]")));
  EXPECT_THAT(message([&] { einsum("ij->i", {a, b}); }), HasSubstr("1 terms for 2 operands"));
  EXPECT_THAT(message([&] { einsum("ijk->i", {a}); }), HasSubstr("\"ijk\" names 3 axes of f32[2, 3]"));
  EXPECT_THAT(message([&] { einsum("i->i", {a}); }), HasSubstr("\"i\" names 1 axes of f32[2, 3]"));
  EXPECT_THAT(message([&] { einsum("ij->k", {a}); }), HasSubstr("'k' of the result is in no operand"));
  EXPECT_THAT(message([&] { einsum("ij->ii", {a}); }), HasSubstr("'i' is twice"));
  EXPECT_THAT(message([&] { einsum("i1->i", {a}); }), HasSubstr("'1' is neither"));
  EXPECT_THAT(message([&] { einsum("i.j->i", {a}); }), HasSubstr("'.' is neither"));
  EXPECT_THAT(message([&] { einsum("......ij->i", {a}); }), HasSubstr("two ellipses"));
  EXPECT_THAT(message([&] { einsum("ij->i->j", {a}); }), HasSubstr("'-' is neither"));
  EXPECT_THAT(message([&] { einsum("ii->i", {a}); }), HasSubstr("'i' names two axes"));
  EXPECT_THAT(message([&] { einsum("...,...", {a, b}); }), HasSubstr("an ellipsis' axis"));
  EXPECT_THAT(message([&] { einsum("ij,jk", {a, zeros({3, 2}, Dtype::f64)}); }), HasSubstr("several types"));
  EXPECT_THROW(einsum("ij", {Tensor()}), ValueError);
  EXPECT_THROW(einsum("", std::vector<Tensor>()), ValueError);
}

TEST(Tensordot, SumsOverPairsOfAxes) {
  const Tensor a = einsum_numbers({2, 3, 4}, 3), b = einsum_numbers({4, 3, 5}, 5);
  EXPECT_EQ(tensordot(a, b, {1, 2}, {1, 0}).to_vector<double>(),
            einsum("ijk,kjl->il", {a, b}).to_vector<double>());
  EXPECT_EQ(tensordot(a, b, {-1}, {0}).to_vector<double>(),
            einsum("ijk,kml->ijml", {a, b}).to_vector<double>());
  EXPECT_EQ(tensordot(a, einsum_numbers({3, 4, 2}, 5)).to_vector<double>(),
            einsum("ijk,jkl->il", {a, einsum_numbers({3, 4, 2}, 5)}).to_vector<double>());
  EXPECT_EQ(to_string(tensordot(a, b, 0).shape()), "[2, 3, 4, 4, 3, 5]");
  EXPECT_THROW(tensordot(a, b, {1}, {0}), ShapeError);
  EXPECT_THROW(tensordot(a, b, {1, 1}, {1, 1}), ShapeError);
  EXPECT_THROW(tensordot(a, b, {1, 2}, {1}), ShapeError);
  EXPECT_THROW(tensordot(a, b, {3}, {0}), ShapeError);
  EXPECT_THROW(tensordot(a, b, 4), ShapeError);
}

TEST(Dot, AndOuterTakeVectors) {
  const Tensor a = from_values<float>({1, 2}, {2}), b = from_values<float>({3, 5}, {2});
  EXPECT_EQ(dot(a, b).item(), 13);
  EXPECT_THAT(outer(a, b).to_vector<float>(), ElementsAre(3, 5, 6, 10));
  EXPECT_THROW(dot(a, zeros({3})), ShapeError);
  EXPECT_THROW(dot(zeros({2, 2}), zeros({2, 2})), ShapeError);
  EXPECT_THROW(outer(a, zeros({2, 2})), ShapeError);
  EXPECT_THROW(outer(a, Tensor()), ValueError);
}

}  // namespace
}  // namespace espalier::test
