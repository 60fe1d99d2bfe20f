#pragma once

#include "tests/support/op_test.h"

// The test objects, each in <stem>_test.cc; op_tests.cc lists them.
namespace espalier::test {

OpTest add_test();
OpTest cross_entropy_test();
OpTest one_hot_test();

}  // namespace espalier::test
