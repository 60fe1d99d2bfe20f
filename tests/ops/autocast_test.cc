#include "ops/autocast.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/checkpoint.h"
#include "core/error.h"
#include "ops/add.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/conv2d.h"
#include "ops/conv_transpose2d.h"
#include "ops/cross_entropy.h"
#include "ops/equal.h"
#include "ops/exp.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/softmax.h"
#include "ops/sum.h"
#include "ops/where.h"
#include "tests/support/message_of.h"

namespace espalier::test {
namespace {

using testing::HasSubstr;

TEST(Autocast, ProductsAreNarrow) {
  const Tensor x = normal({4, 8}), w = normal({3, 8}), b = normal({3}), image = normal({1, 2, 5, 5}),
               kernel = normal({2, 2, 3, 3}), q = normal({1, 2, 4, 8});
  for (const Dtype type : {Dtype::bf16, Dtype::f16}) {
    const Autocast autocast(type);
    EXPECT_EQ(linear(x, w, b).dtype(), type);
    EXPECT_EQ(matmul(x, transpose(w, 0, 1)).dtype(), type);
    EXPECT_EQ(conv2d(image, kernel).dtype(), type);
    EXPECT_EQ(conv_transpose2d(image, kernel).dtype(), type);
    EXPECT_EQ(attention(q, q, q).dtype(), type);
    EXPECT_EQ(matmul(cast(x, Dtype::f64), cast(transpose(w, 0, 1), Dtype::f64)).dtype(), Dtype::f64);
    EXPECT_EQ(matmul(cast(x, Dtype::i32), cast(transpose(w, 0, 1), Dtype::i32)).dtype(), Dtype::i32);
  }
}

TEST(Autocast, SumsNormsAndLossesAreWide) {
  const Tensor x = cast(normal({4, 8}), Dtype::bf16), weight = ones({8});
  const Autocast autocast(Dtype::bf16);
  EXPECT_EQ(sum(x).dtype(), Dtype::f32);
  EXPECT_EQ(exp(x).dtype(), Dtype::f32);
  EXPECT_EQ(softmax(x, 1).dtype(), Dtype::f32);
  EXPECT_EQ(layer_norm(x, {8}, weight, weight).dtype(), Dtype::f32);
  EXPECT_EQ(cross_entropy(x, zeros({4}, Dtype::i64)).dtype(), Dtype::f32);
  EXPECT_EQ(sum(cast(x, Dtype::f64)).dtype(), Dtype::f64);
}

TEST(Autocast, OthersTakeWhatComes) {
  const Tensor narrow = full({2}, 2, Dtype::f16), wide = ones({2});
  const Autocast autocast(Dtype::f16);
  EXPECT_EQ(relu(narrow).dtype(), Dtype::f16);
  EXPECT_EQ(relu(wide).dtype(), Dtype::f32);
  EXPECT_EQ((narrow + wide).dtype(), Dtype::f32);
  EXPECT_EQ(concat({narrow, wide}, 0).dtype(), Dtype::f32);
  EXPECT_EQ(concat({narrow, narrow}, 0).dtype(), Dtype::f16);
  EXPECT_EQ(where(equal(narrow, narrow), narrow, wide).dtype(), Dtype::f32);
}

TEST(Autocast, GivesTheValuesOfTheNarrowType) {
  const Tensor x = normal({4, 64}), w = normal({3, 64});
  const Tensor expected = linear(cast(x, Dtype::bf16), cast(w, Dtype::bf16));
  const Autocast autocast;
  EXPECT_EQ(cast(linear(x, w), Dtype::f32).to_vector<float>(), cast(expected, Dtype::f32).to_vector<float>());
}

TEST(Autocast, WeightsGetWideGradients) {
  const Tensor x = normal({16, 8}), w = requires_grad_(normal({3, 8})), b = requires_grad_(zeros({3}));
  const auto gradients = [&](std::optional<Dtype> type) {
    Tensor loss;
    {
      const Autocast autocast(type);
      loss = sum(softmax(relu(linear(x, w, b)), 1) * softmax(linear(x, w, b), 1));
    }
    EXPECT_EQ(loss.dtype(), Dtype::f32);
    const Tensor outputs[] = {loss}, inputs[] = {w, b};
    return grad(outputs, inputs);
  };
  const std::vector<Tensor> narrow = gradients(Dtype::bf16), wide = gradients({});
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(narrow[i].dtype(), Dtype::f32);
    const std::vector<float> a = narrow[i].to_vector<float>(), e = wide[i].to_vector<float>();
    EXPECT_NE(a, e);
    // Sums of 16 terms around 0.1 to 1, each rounded to 8 bits a few times.
    for (size_t j = 0; j < a.size(); ++j) EXPECT_NEAR(a[j], e[j], 0.05) << i << ' ' << j;
  }
}

TEST(Autocast, ScopesNestAndEnd) {
  const Tensor x = ones({2, 2});
  EXPECT_EQ(autocast_dtype(), std::nullopt);
  {
    const Autocast outer(Dtype::f16);
    {
      const Autocast inner(Dtype::bf16);
      EXPECT_EQ(matmul(x, x).dtype(), Dtype::bf16);
      const Autocast off(std::nullopt);
      EXPECT_EQ(matmul(x, x).dtype(), Dtype::f32);
      EXPECT_EQ(autocast_dtype(), std::nullopt);
    }
    EXPECT_EQ(matmul(x, x).dtype(), Dtype::f16);
    const NoGrad no_grad;
    EXPECT_EQ(autocast_dtype(), Dtype::f16);
  }
  EXPECT_EQ(matmul(x, x).dtype(), Dtype::f32);
}

TEST(Autocast, IsOfOneThread) {
  const Tensor x = ones({2, 2});
  const Autocast autocast;
  Dtype elsewhere = Dtype::boolean;
  std::thread([&] { elsewhere = matmul(x, x).dtype(); }).join();
  EXPECT_EQ(elsewhere, Dtype::f32);
}

TEST(Autocast, ACheckpointRunsAgainAsItRanFirst) {
  const Tensor x = normal({4, 8}), w = requires_grad_(normal({8, 8}));
  const auto gradient = [&](bool again) {
    Tensor loss;
    {
      const Autocast autocast;
      const auto part = [&](const Tensor& in) { return relu(matmul(in, w)); };
      loss = sum(again ? checkpoint(part, x) : part(x));
    }
    return grad(loss, w).to_vector<float>();
  };
  EXPECT_EQ(gradient(true), gradient(false));
}

TEST(Autocast, RefusesOtherTypes) {
  EXPECT_THAT(message_of<TypeError>([] { Autocast autocast(Dtype::f64); }),
              HasSubstr("type is f64; expected bf16 or f16"));
  EXPECT_EQ(autocast_dtype(), std::nullopt);
}

}  // namespace
}  // namespace espalier::test
