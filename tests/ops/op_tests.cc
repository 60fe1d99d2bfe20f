#include "tests/ops/op_tests.h"

namespace espalier::test {

const std::vector<OpTest>& op_tests() {
  static const std::vector<OpTest> tests = {
      add_test(),
      cross_entropy_test(),
      one_hot_test(),
  };
  return tests;
}

}  // namespace espalier::test
