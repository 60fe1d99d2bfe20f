#include <string>
#include <vector>

#include <espalier/espalier.h>
#include <gtest/gtest.h>

#include "core/tensor.h"
#include "message.pb.h"

namespace {

TEST(Consumer, ComputesBesideOtherLibraries) {
  const espalier::Tensor tensor = espalier::full({2, 2}, 1.5);
  consumer::Numbers message;
  for (const float value : tensor.to_vector<float>()) message.add_values(value);
  consumer::Numbers copy;
  ASSERT_TRUE(copy.ParseFromString(message.SerializeAsString()));
  EXPECT_EQ(std::vector<float>(copy.values().begin(), copy.values().end()), std::vector<float>(4, 1.5f));
}

TEST(Consumer, CatchesTypedErrors) {
  try {
    espalier::empty({-1});
    FAIL() << "a negative size was accepted";
  } catch (const espalier::ShapeError& error) {
    EXPECT_NE(std::string(error.what()).find("-1"), std::string::npos) << error.what();
  }
}

TEST(Consumer, HasAHeaderOfTheSameName) {
  EXPECT_EQ(core::kDecoy, 42);
}

}  // namespace
