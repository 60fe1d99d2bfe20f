#include "tests/support/op_test.h"

// The test objects: each name stands for the function <name>_test() of a file in this folder.
// clang-format off: one a line
#define ESPALIER_OP_TESTS(TEST) \
  TEST(abs) \
  TEST(adadelta_step) \
  TEST(adagrad_step) \
  TEST(adam_step) \
  TEST(adaptive_avg_pool2d) \
  TEST(adaptive_max_pool2d) \
  TEST(add) \
  TEST(all) \
  TEST(any) \
  TEST(argmax) \
  TEST(argmin) \
  TEST(attention) \
  TEST(average_step) \
  TEST(avg_pool2d) \
  TEST(batch_norm) \
  TEST(binary_cross_entropy) \
  TEST(binary_cross_entropy_with_logits) \
  TEST(cast) \
  TEST(clip_by_norm) \
  TEST(clip_by_value) \
  TEST(cholesky) \
  TEST(ceil) \
  TEST(clamp) \
  TEST(clamp_between) \
  TEST(concat) \
  TEST(conv2d) \
  TEST(conv_transpose2d) \
  TEST(copy) \
  TEST(copy_into) \
  TEST(cos) \
  TEST(cross_entropy) \
  TEST(determinant) \
  TEST(count_nonzero) \
  TEST(cross_entropy) \
  TEST(cumprod) \
  TEST(cumsum) \
  TEST(divide) \
  TEST(dropout) \
  TEST(eigh) \
  TEST(elu) \
  TEST(embedding) \
  TEST(equal) \
  TEST(erf) \
  TEST(exp) \
  TEST(exp2) \
  TEST(expand) \
  TEST(flip) \
  TEST(gather) \
  TEST(gelu) \
  TEST(global_norm) \
  TEST(hinge_embedding_loss) \
  TEST(huber_loss) \
  TEST(kl_div) \
  TEST(l1_loss) \
  TEST(group_norm) \
  TEST(inverse) \
  TEST(index_add) \
  TEST(index_select) \
  TEST(expm1) \
  TEST(gelu) \
  TEST(hardsigmoid) \
  TEST(hardswish) \
  TEST(hardtanh) \
  TEST(layer_norm) \
  TEST(leaky_relu) \
  TEST(floor) \
  TEST(gelu) \
  TEST(isfinite) \
  TEST(isinf) \
  TEST(isnan) \
  TEST(layer_norm) \
  TEST(less) \
  TEST(less_equal) \
  TEST(linear) \
  TEST(lion_step) \
  TEST(log) \
  TEST(log_softmax) \
  TEST(log_determinant) \
  TEST(log10) \
  TEST(log1p) \
  TEST(log2) \
  TEST(log_sigmoid) \
  TEST(logsumexp) \
  TEST(matmul) \
  TEST(max) \
  TEST(max_pool2d) \
  TEST(max_with_indices) \
  TEST(mean) \
  TEST(mish) \
  TEST(min) \
  TEST(min_with_indices) \
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
  TEST(nll_loss) \
  TEST(normal) \
  TEST(not_equal) \
  TEST(one_hot) \
  TEST(pad) \
  TEST(permute) \
  TEST(qr) \
  TEST(product) \
  TEST(put_along_axis) \
  TEST(power) \
  TEST(random_integers) \
  TEST(random_permutation) \
  TEST(reciprocal) \
  TEST(relu) \
  TEST(reshape) \
  TEST(rmsprop_step) \
  TEST(scatter) \
  TEST(scatter_add) \
  TEST(rsqrt) \
  TEST(sgd_step) \
  TEST(sigmoid) \
  TEST(silu) \
  TEST(sin) \
  TEST(slice) \
  TEST(smooth_l1_loss) \
  TEST(rms_norm) \
  TEST(round) \
  TEST(sgd_step) \
  TEST(sigmoid) \
  TEST(sign) \
  TEST(slice) \
  TEST(softmax) \
  TEST(solve) \
  TEST(softplus) \
  TEST(sort) \
  TEST(split) \
  TEST(sqrt) \
  TEST(standard_deviation) \
  TEST(subtract) \
  TEST(sum) \
  TEST(svd) \
  TEST(tan) \
  TEST(tanh) \
  TEST(triangular_solve) \
  TEST(tril) \
  TEST(triu) \
  TEST(uniform)
  TEST(take_along_axis) \
  TEST(tanh) \
  TEST(topk) \
  TEST(uniform) \
  TEST(variance) \
  TEST(vector_norm)
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
