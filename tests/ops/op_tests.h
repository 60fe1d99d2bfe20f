#pragma once

#include "tests/support/op_test.h"

// The test objects, each in <stem>_test.cc; op_tests.cc lists them.
namespace espalier::test {

OpTest abs_test();
OpTest adam_step_test();
OpTest add_test();
OpTest argmax_test();
OpTest attention_test();
OpTest avg_pool2d_test();
OpTest batch_norm_test();
OpTest binary_cross_entropy_test();
OpTest binary_cross_entropy_with_logits_test();
OpTest cast_test();
OpTest concat_test();
OpTest conv2d_test();
OpTest copy_test();
OpTest copy_into_test();
OpTest cross_entropy_test();
OpTest divide_test();
OpTest dropout_test();
OpTest embedding_test();
OpTest equal_test();
OpTest exp_test();
OpTest expand_test();
OpTest gelu_test();
OpTest layer_norm_test();
OpTest linear_test();
OpTest log_test();
OpTest matmul_test();
OpTest max_test();
OpTest max_pool2d_test();
OpTest mean_test();
OpTest mse_loss_test();
OpTest multiply_test();
OpTest negate_test();
OpTest normal_test();
OpTest one_hot_test();
OpTest pad_test();
OpTest permute_test();
OpTest random_integers_test();
OpTest random_permutation_test();
OpTest relu_test();
OpTest reshape_test();
OpTest sgd_step_test();
OpTest sigmoid_test();
OpTest slice_test();
OpTest split_test();
OpTest sqrt_test();
OpTest subtract_test();
OpTest sum_test();
OpTest tanh_test();
OpTest uniform_test();

}  // namespace espalier::test
