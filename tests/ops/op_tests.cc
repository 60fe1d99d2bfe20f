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
  TEST(cached_attention) \
  TEST(cached_positions) \
  TEST(cast) \
  TEST(ceil) \
  TEST(cholesky) \
  TEST(clamp) \
  TEST(clamp_between) \
  TEST(clip_by_norm) \
  TEST(clip_by_value) \
  TEST(concat) \
  TEST(conv2d) \
  TEST(conv_transpose2d) \
  TEST(copy) \
  TEST(copy_into) \
  TEST(cos) \
  TEST(count_nonzero) \
  TEST(cross_entropy) \
  TEST(cumprod) \
  TEST(cumsum) \
  TEST(dequantize) \
  TEST(determinant) \
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
  TEST(expm1) \
  TEST(flip) \
  TEST(floor) \
  TEST(fused_conv2d) \
  TEST(fused_elementwise) \
  TEST(fused_linear) \
  TEST(gather) \
  TEST(gelu) \
  TEST(global_norm) \
  TEST(group_norm) \
  TEST(gru_cell) \
  TEST(hardsigmoid) \
  TEST(hardswish) \
  TEST(hardtanh) \
  TEST(hinge_embedding_loss) \
  TEST(huber_loss) \
  TEST(index_add) \
  TEST(index_select) \
  TEST(int8_conv2d) \
  TEST(int8_global_avg_pool2d) \
  TEST(int8_linear) \
  TEST(int8_max_pool2d) \
  TEST(inverse) \
  TEST(isfinite) \
  TEST(isinf) \
  TEST(isnan) \
  TEST(kl_div) \
  TEST(l1_loss) \
  TEST(layer_norm) \
  TEST(leaky_relu) \
  TEST(less) \
  TEST(less_equal) \
  TEST(linear) \
  TEST(lion_step) \
  TEST(log) \
  TEST(log10) \
  TEST(log1p) \
  TEST(log2) \
  TEST(log_determinant) \
  TEST(log_sigmoid) \
  TEST(log_softmax) \
  TEST(logical_and) \
  TEST(logical_not) \
  TEST(logical_or) \
  TEST(logical_xor) \
  TEST(logsumexp) \
  TEST(lstm_cell) \
  TEST(matmul) \
  TEST(max) \
  TEST(max_pool2d) \
  TEST(max_with_indices) \
  TEST(maximum) \
  TEST(mean) \
  TEST(min) \
  TEST(min_with_indices) \
  TEST(minimum) \
  TEST(mish) \
  TEST(mse_loss) \
  TEST(multiply) \
  TEST(negate) \
  TEST(nll_loss) \
  TEST(normal) \
  TEST(not_equal) \
  TEST(one_hot) \
  TEST(pad) \
  TEST(permute) \
  TEST(power) \
  TEST(product) \
  TEST(put_along_axis) \
  TEST(qr) \
  TEST(quantize) \
  TEST(random_integers) \
  TEST(random_permutation) \
  TEST(reciprocal) \
  TEST(relu) \
  TEST(reshape) \
  TEST(rms_norm) \
  TEST(rmsprop_step) \
  TEST(round) \
  TEST(rsqrt) \
  TEST(sample_token) \
  TEST(scatter) \
  TEST(scatter_add) \
  TEST(sgd_step) \
  TEST(sigmoid) \
  TEST(sign) \
  TEST(silu) \
  TEST(sin) \
  TEST(slice) \
  TEST(smooth_l1_loss) \
  TEST(softmax) \
  TEST(softplus) \
  TEST(solve) \
  TEST(sort) \
  TEST(split) \
  TEST(sqrt) \
  TEST(standard_deviation) \
  TEST(subtract) \
  TEST(sum) \
  TEST(svd) \
  TEST(take_along_axis) \
  TEST(tan) \
  TEST(tanh) \
  TEST(topk) \
  TEST(triangular_solve) \
  TEST(tril) \
  TEST(triu) \
  TEST(trunc) \
  TEST(uniform) \
  TEST(variance) \
  TEST(vector_norm) \
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
