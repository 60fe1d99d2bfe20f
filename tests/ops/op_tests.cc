#include "tests/ops/op_tests.h"

namespace espalier::test {

const std::vector<OpTest>& op_tests() {
  // clang-format off: one a line
  static const std::vector<OpTest> tests = {
      add_test(),
      concat_test(),
      cross_entropy_test(),
      one_hot_test(),
      pad_test(),
      permute_test(),
      slice_test(),
  };
  // clang-format on
  return tests;
}

}  // namespace espalier::test
