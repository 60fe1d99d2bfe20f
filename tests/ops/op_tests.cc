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
  TEST(ceil) \
  TEST(clamp) \
  TEST(clamp_between) \
  TEST(concat) \
  TEST(conv2d) \
  TEST(copy) \
  TEST(copy_into) \
  TEST(cross_entropy) \
  TEST(divide) \
  TEST(dropout) \
  TEST(embedding) \
  TEST(equal) \
  TEST(exp) \
  TEST(expand) \
  TEST(floor) \
  TEST(gelu) \
  TEST(isfinite) \
  TEST(isinf) \
  TEST(isnan) \
  TEST(layer_norm) \
  TEST(less) \
  TEST(less_equal) \
  TEST(linear) \
  TEST(log) \
  TEST(logical_and) \
  TEST(logical_not) \
  TEST(logical_or) \
  TEST(logical_xor) \
  TEST(matmul) \
  TEST(max) \
  TEST(max_pool2d) \
  TEST(maximum) \
  TEST(mean) \
  TEST(minimum) \
  TEST(mse_loss) \
  TEST(multiply) \
  TEST(negate) \
  TEST(normal) \
  TEST(not_equal) \
  TEST(one_hot) \
  TEST(pad) \
  TEST(permute) \
  TEST(power) \
  TEST(random_integers) \
  TEST(random_permutation) \
  TEST(relu) \
  TEST(reshape) \
  TEST(round) \
  TEST(sgd_step) \
  TEST(sigmoid) \
  TEST(sign) \
  TEST(slice) \
  TEST(split) \
  TEST(sqrt) \
  TEST(subtract) \
  TEST(sum) \
  TEST(tanh) \
  TEST(trunc) \
  TEST(uniform) \
  TEST(where)
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
