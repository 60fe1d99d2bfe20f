#include "tests/ops/op_tests.h"

namespace espalier::test {

const std::vector<OpTest>& op_tests() {
  // clang-format off: one a line
  static const std::vector<OpTest> tests = {
      abs_test(),
      adam_step_test(),
      add_test(),
      argmax_test(),
      attention_test(),
      avg_pool2d_test(),
      batch_norm_test(),
      binary_cross_entropy_test(),
      binary_cross_entropy_with_logits_test(),
      cast_test(),
      concat_test(),
      conv2d_test(),
      copy_test(),
      copy_into_test(),
      cross_entropy_test(),
      divide_test(),
      dropout_test(),
      embedding_test(),
      equal_test(),
      exp_test(),
      expand_test(),
      gelu_test(),
      layer_norm_test(),
      linear_test(),
      log_test(),
      matmul_test(),
      max_test(),
      max_pool2d_test(),
      mean_test(),
      mse_loss_test(),
      multiply_test(),
      negate_test(),
      normal_test(),
      one_hot_test(),
      pad_test(),
      permute_test(),
      random_integers_test(),
      random_permutation_test(),
      relu_test(),
      reshape_test(),
      sgd_step_test(),
      sigmoid_test(),
      slice_test(),
      split_test(),
      sqrt_test(),
      subtract_test(),
      sum_test(),
      tanh_test(),
      uniform_test(),
  };
  // clang-format on
  return tests;
}

}  // namespace espalier::test
