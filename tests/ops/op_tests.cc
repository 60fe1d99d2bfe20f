#include "tests/support/op_test.h"

// The test objects: each name stands for the function <name>_test() of a file in this folder.
// clang-format off: one a line
#define ESPALIER_OP_TESTS(TEST) \
  TEST(abs) \
  TEST(adam_step) \
  TEST(add) \
  TEST(argmax) \
  TEST(attention) \
  TEST(avg_pool2d) \
  TEST(batch_norm) \
  TEST(binary_cross_entropy) \
  TEST(binary_cross_entropy_with_logits) \
  TEST(cast) \
  TEST(concat) \
  TEST(conv2d) \
  TEST(copy) \
  TEST(copy_into) \
  TEST(cos) \
  TEST(cross_entropy) \
  TEST(divide) \
  TEST(dropout) \
  TEST(elu) \
  TEST(embedding) \
  TEST(equal) \
  TEST(erf) \
  TEST(exp) \
  TEST(exp2) \
  TEST(expand) \
  TEST(expm1) \
  TEST(gelu) \
  TEST(hardsigmoid) \
  TEST(hardswish) \
  TEST(hardtanh) \
  TEST(layer_norm) \
  TEST(leaky_relu) \
  TEST(linear) \
  TEST(log) \
  TEST(log10) \
  TEST(log1p) \
  TEST(log2) \
  TEST(log_sigmoid) \
  TEST(matmul) \
  TEST(max) \
  TEST(max_pool2d) \
  TEST(mean) \
  TEST(mish) \
  TEST(mse_loss) \
  TEST(multiply) \
  TEST(negate) \
  TEST(normal) \
  TEST(one_hot) \
  TEST(pad) \
  TEST(permute) \
  TEST(random_integers) \
  TEST(random_permutation) \
  TEST(reciprocal) \
  TEST(relu) \
  TEST(reshape) \
  TEST(rsqrt) \
  TEST(sgd_step) \
  TEST(sigmoid) \
  TEST(silu) \
  TEST(sin) \
  TEST(slice) \
  TEST(softplus) \
  TEST(split) \
  TEST(sqrt) \
  TEST(subtract) \
  TEST(sum) \
  TEST(tan) \
  TEST(tanh) \
  TEST(uniform)
// clang-format on

namespace espalier::test {

#define ESPALIER_DECLARE(name) OpTest name##_test();
ESPALIER_OP_TESTS(ESPALIER_DECLARE)

const std::vector<OpTest>& op_tests() {
#define ESPALIER_MAKE(name) name##_test(),
  static const std::vector<OpTest> tests = {ESPALIER_OP_TESTS(ESPALIER_MAKE)};
  return tests;
}

}  // namespace espalier::test
