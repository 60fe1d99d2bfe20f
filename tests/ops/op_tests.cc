#include "tests/support/op_test.h"

// The test objects: each name stands for the function <name>_test() of a file in this folder.
// clang-format off: one a line
#define ESPALIER_OP_TESTS(TEST) \
  TEST(abs) \
  TEST(adam_step) \
  TEST(add) \
  TEST(all) \
  TEST(any) \
  TEST(argmax) \
  TEST(argmin) \
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
  TEST(count_nonzero) \
  TEST(cross_entropy) \
  TEST(cumprod) \
  TEST(cumsum) \
  TEST(divide) \
  TEST(dropout) \
  TEST(embedding) \
  TEST(equal) \
  TEST(exp) \
  TEST(expand) \
  TEST(gelu) \
  TEST(layer_norm) \
  TEST(linear) \
  TEST(log) \
  TEST(logsumexp) \
  TEST(matmul) \
  TEST(max) \
  TEST(max_pool2d) \
  TEST(max_with_indices) \
  TEST(mean) \
  TEST(min) \
  TEST(min_with_indices) \
  TEST(mse_loss) \
  TEST(multiply) \
  TEST(negate) \
  TEST(normal) \
  TEST(one_hot) \
  TEST(pad) \
  TEST(permute) \
  TEST(product) \
  TEST(put_along_axis) \
  TEST(random_integers) \
  TEST(random_permutation) \
  TEST(relu) \
  TEST(reshape) \
  TEST(sgd_step) \
  TEST(sigmoid) \
  TEST(slice) \
  TEST(sort) \
  TEST(split) \
  TEST(sqrt) \
  TEST(standard_deviation) \
  TEST(subtract) \
  TEST(sum) \
  TEST(take_along_axis) \
  TEST(tanh) \
  TEST(topk) \
  TEST(uniform) \
  TEST(variance) \
  TEST(vector_norm)
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
