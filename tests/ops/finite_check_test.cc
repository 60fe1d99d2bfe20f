#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/log.h"

namespace espalier {
namespace {

TEST(FiniteCheck, StopsAtTheFirstOperationWhoseOutputIsNotFinite) {
  const Tensor x = from_values<float>({1, 2, 0, 4}, {2, 2});
  EXPECT_NO_THROW(log(x)) << "nobody checks";
  const FiniteCheck check;
  EXPECT_NO_THROW(x / 2);
  try {
    log(x);
    FAIL() << "no error";
  } catch (const NumericError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("[log] element 2 of its output 0, f32[2, 2], is not finite"));
  }
  EXPECT_THROW(cast(x, Dtype::f16) / zeros({2, 2}, Dtype::f16), NumericError);
}

}  // namespace
}  // namespace espalier
