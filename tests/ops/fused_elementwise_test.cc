#include "ops/fused_elementwise.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/clamp.h"
#include "ops/compare.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/maximum.h"
#include "ops/multiply.h"
#include "ops/operations.h"
#include "ops/permute.h"
#include "ops/power.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/silu.h"
#include "ops/sum.h"
#include "ops/tanh.h"
#include "ops/where.h"
#include "tests/support/message_of.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Link = FusedElementwise::Link;

template <class Op>
Link link(const Op& operation, InlineVector<int, 3> operands) {
  return {std::make_shared<Op>(operation), std::move(operands)};
}

/// tanh(max(a * b + c, 0)) and, beside it, a * b.
FusedElementwise product_chain() {
  return {{link(Multiply(), {0, 1}), link(Add(), {~0, 2}), link(Relu(), {~1}), link(Tanh(), {~2})}, {3, 0}};
}

OpSample chain_sample(std::string label, const Shape& a, const Shape& b, const Shape& c, const Shape& y) {
  return {std::move(label),
          {{a}, {b}, {c}},
          [](Inputs in) { return apply(product_chain(), in); },
          [=](const Arrays& in) {
            Array last(y), first(y);
            for_each_index(y, [&](const Dims& index) {
              const double product = broadcast_at(in[0], index) * broadcast_at(in[1], index);
              first.at(index) = product;
              last.at(index) = std::tanh(std::max(product + broadcast_at(in[2], index), 0.0));
            });
            return Arrays{last, first};
          }};
}

}  // namespace

OpTest fused_elementwise_test() {
  return {.name = "fused_elementwise",
          .samples =
              {
                  chain_sample("all of one shape", {3, 5}, {3, 5}, {3, 5}, {3, 5}),
                  chain_sample("a row, a number", {4, 3, 5}, {5}, {}, {4, 3, 5}),
                  chain_sample("a column", {9, 50}, {9, 1}, {9, 50}, {9, 50}),
                  chain_sample("short rows", {700, 7}, {7}, {700, 1}, {700, 7}),
                  chain_sample("several tiles", {2, 1500}, {2, 1}, {2, 1500}, {2, 1500}),
                  chain_sample("numbers", {}, {}, {}, {}),
                  chain_sample("nothing", {0, 4}, {4}, {4}, {0, 4}),
              },
          .dtypes = kAllFloatingTypes,
          .differentiable = false};
}

namespace {

/// The bits of tensors, whatever their type.
std::vector<double> bits(const Tensors& tensors) {
  std::vector<double> all;
  for (const Tensor& tensor : tensors) {
    for (const double value : cast(tensor, Dtype::f64).to_vector<double>()) all.push_back(value);
  }
  return all;
}

void expect_same_as_apart(const FusedElementwise& chain, Inputs inputs) {
  EXPECT_EQ(bits(apply(chain, inputs)), bits(chain.decompose(inputs)));
}

TEST(FusedElementwise, EachLinkIsItself) {
  int taken = 0;
  for (const std::string& name : operation_names()) {
    for (size_t count = 1; count <= 3; ++count) {
      std::unique_ptr<Operation> operation;
      try {
        operation = model_of_operation(name, count);
      } catch (const ValueError&) {
        continue;  // takes another number of inputs
      }
      if (!FusedElementwise::takes(*operation)) continue;
      ++taken;
      for (const Dtype dtype : kAllTypes) {
        manual_seed(5);
        std::vector<Tensor> inputs;
        for (size_t i = 0; i < count; ++i) inputs.push_back(cast(normal({3, 700}) * 3, dtype));
        if (name == "where") inputs[0] = cast(inputs[0], Dtype::boolean);
        InlineVector<int, 3> operands;
        for (size_t i = 0; i < count; ++i) operands.push_back(static_cast<int>(i));
        Tensors expected;
        try {
          expected = apply(*operation, inputs);
        } catch (const TypeError&) {
          continue;
        }
        const FusedElementwise chain({{std::shared_ptr<const Operation>(operation->clone()), operands}}, {0});
        const std::vector<double> found = bits(apply(chain, inputs)), wanted = bits(expected);
        EXPECT_TRUE(std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(),
                               [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }))
            << name << " of " << to_string(dtype);
      }
    }
  }
  EXPECT_GT(taken, 60);
}

TEST(FusedElementwise, TypesMayChangeOnTheWay) {
  const FusedElementwise chain({link(Less(), {0, 1}), link(Exp(), {0}), link(Where(), {~0, ~1, 1})}, {2, 0});
  for (const Dtype dtype : kFloatingTypes) {
    manual_seed(6);
    const std::vector<Tensor> inputs = {cast(normal({3, 2000}), dtype), cast(normal({2000}), dtype)};
    expect_same_as_apart(chain, inputs);
  }
}

TEST(FusedElementwise, CastsAreLinks) {
  for (const Dtype from : kAllTypes) {
    for (const Dtype to : kAllTypes) {
      // Of an input, of another link, and of one element for each row.
      const FusedElementwise chain({link(Cast(to), {0}), link(Add(), {~0, 1}), link(Cast(from), {~1}),
                                    link(Cast(to), {2}), link(Maximum(), {~3, ~1})},
                                   {2, 4, 0});
      manual_seed(6);
      const auto some = [](const Shape& shape, Dtype dtype) { return cast(abs(normal(shape)) * 3, dtype); };
      const std::vector<Tensor> inputs = {some({3, 1100}, from), some({1100}, to),
                                          expand(some({3, 1}, from), {3, 1100})};
      SCOPED_TRACE(std::string(to_string(from)) + " to " + std::string(to_string(to)));
      expect_same_as_apart(chain, inputs);
    }
  }
}

TEST(FusedElementwise, InputsMayLieAnyhow) {
  manual_seed(7);
  const std::vector<Tensor> inputs = {permute(normal({70, 50}), {1, 0}), permute(normal({70, 50}), {1, 0}),
                                      normal({50, 70})};
  expect_same_as_apart(product_chain(), inputs);
}

TEST(FusedElementwise, ThreadsShareALongChain) {
  manual_seed(8);
  const ThreadCountGuard threads(3);
  std::vector<Link> links = {link(Silu(), {0})};
  for (int k = 1; k < static_cast<int>(FusedElementwise::kMaxLinks); ++k)
    links.push_back(link(Add(), {~(k - 1), k % 8}));
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < FusedElementwise::kMaxInputs; ++i) inputs.push_back(normal({257, 1031}));
  expect_same_as_apart(FusedElementwise(links, {11, 3, 0, 7}), inputs);
}

TEST(FusedElementwise, ValuesThatAreReadLaterKeepTheirTiles) {
  manual_seed(9);
  const FusedElementwise chain(
      {link(Exp(), {0}), link(Tanh(), {0}), link(Relu(), {0}), link(Multiply(), {~1, ~2}),
       link(Add(), {~0, ~3}), link(Multiply(), {~4, ~0})},
      {5});
  const Tensor x = normal({5000});
  expect_same_as_apart(chain, Inputs(&x, 1));
}

TEST(FusedElementwise, IsReadAsItIsPrinted) {
  const FusedElementwise chain(
      {link(Clamp({-1, 2}), {0}), link(LeakyRelu(0.25), {~0}), link(Cast(Dtype::i32), {~1})}, {1, 2});
  const Attributes attributes = attributes_of(chain);
  EXPECT_EQ(std::get<std::string>(attributes[0].value), "t0 = clamp(x0); t1 = leaky_relu(t0); t2 = cast(t1)");
  const std::unique_ptr<Operation> read = make_operation(FusedElementwise::kName, attributes, 1);
  EXPECT_EQ(attributes_of(*read), attributes);
  const Tensor x = from_values({-8.0f, -1.0f, 0.5f, 3.0f}, {4});
  const Tensors made = apply(*read, {x});
  EXPECT_EQ(made[0].to_vector<float>(), (std::vector<float>{-0.25f, -0.25f, 0.5f, 2}));
  EXPECT_EQ(made[1].to_vector<int32_t>(), (std::vector<int32_t>{0, 0, 0, 2}));
}

TEST(FusedElementwise, RefusesWhatIsNoChain) {
  const auto refused = [](const char* program, std::vector<int64_t> results) {
    return message_of<ValueError>([&] {
      const Tensor x = zeros({3});
      apply(*make_operation(FusedElementwise::kName, {{"program", program}, {"results", results}}, 1), {x});
    });
  };
  using testing::HasSubstr;
  EXPECT_THAT(refused("", {0}), HasSubstr("0 links; expected 1 to 12"));
  EXPECT_THAT(refused("t0 = tanh(x0", {0}), HasSubstr("has '' where ')' is expected"));
  EXPECT_THAT(refused("t0 = tanh(y0)", {0}), HasSubstr("has 'y0)' where x or t"));
  EXPECT_THAT(refused("t0 = tanh(x99999999999)", {0}), HasSubstr("where a number"));
  EXPECT_THAT(refused("t0 = tanh(x0, x0)", {0}), HasSubstr("tanh"));
  EXPECT_THAT(refused("t0 = tanh(x1)", {0}), HasSubstr("t0, tanh, reads x1 of 1 inputs"));
  EXPECT_THAT(refused("t0 = tanh(t0)", {0}), HasSubstr("t0, tanh, reads t0, which is not there yet"));
  EXPECT_THAT(refused("t0 = add(x0, t2147483647)", {0}), HasSubstr("not there yet"));
  EXPECT_THAT(refused("t0 = power(x0, x0)", {0}), HasSubstr("t0, power, is no elementwise operation"));
  EXPECT_THAT(refused("t0 = tanh(x0)", {1}), HasSubstr("result t1 of 1 links"));
  EXPECT_THAT(refused("t0 = tanh(x0)", {0, 0}), HasSubstr("put out twice"));
  EXPECT_THAT(refused("t0 = tanh(x0)", {}), HasSubstr("0 results"));
  EXPECT_THAT(message_of<ValueError>([] { FusedElementwise({link(Sum({}, false), {0})}, {0}); }),
              HasSubstr("sum, is no elementwise operation"));
}

TEST(FusedElementwise, RefusesInputsThatNobodyReads) {
  const FusedElementwise chain({link(Tanh(), {0})}, {0});
  EXPECT_THAT(message_of<ValueError>([&] { apply(chain, {zeros({3}), zeros({2, 3, 4})}); }),
              testing::HasSubstr("no link reads x1"));
}

TEST(FusedElementwise, RefusesLinksOfOtherShapes) {
  const FusedElementwise chain({link(Tanh(), {1}), link(Add(), {0, ~0})}, {1});
  EXPECT_THAT(message_of<ShapeError>([&] { apply(chain, {zeros({2, 3}), zeros({3})}); }),
              testing::HasSubstr("t1 is f32[2, 3]"));
}

}  // namespace
}  // namespace espalier::test
