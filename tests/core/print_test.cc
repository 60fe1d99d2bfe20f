#include "core/print.h"

#include <cmath>
#include <limits>
#include <sstream>

#include <gtest/gtest.h>

#include "core/create.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "tests/support/special_values.h"

// What is expected is what numpy.array(...).__str__() of NumPy 2.4 gives.

namespace espalier {
namespace {

using test::kInfinity;
using test::kNan;

template <class T = double>
std::string text(std::initializer_list<double> values) {
  std::vector<T> elements;
  for (const double value : values) {
    if constexpr (std::is_arithmetic_v<T>)
      elements.push_back(static_cast<T>(value));
    else
      elements.push_back(T(static_cast<float>(value)));
  }
  return to_string(from_values(elements, {static_cast<int64_t>(elements.size())}));
}

TEST(Print, AlignsThePoints) {
  EXPECT_EQ(text({1.5, -2, 100}), "[  1.5  -2.  100. ]");
  EXPECT_EQ(text({0, -0.0, 3}), "[ 0. -0.  3.]");
  EXPECT_EQ(text({kNan, 1.25, -kInfinity}), "[ nan 1.25 -inf]");
  EXPECT_EQ(text({kInfinity}), "[inf]");
}

TEST(Print, ShowsTheDigitsThatTheTypeTellsApart) {
  EXPECT_EQ(text({1.0 / 3}), "[0.33333333]");
  EXPECT_EQ(text<float>({0.1, 2}), "[0.1 2. ]");
  EXPECT_EQ(text<float16>({0.1, 1.0 / 3}), "[0.1    0.3333]");
  EXPECT_EQ(text<bfloat16>({0.1, 1.0 / 3}), "[0.1   0.334]");
  EXPECT_EQ(text<float8_e4m3>({0.1, 448}), "[1.0e-01 4.5e+02]");
  EXPECT_EQ(text<float8_e5m2>({0.5, -3}), "[ 0.5 -3. ]");
  // Rounded once, from the number: its shortest digits are 0.100000005.
  EXPECT_EQ(text({0.10000000499999999}), "[0.1]");
}

TEST(Print, IsScientificWhereNeeded) {
  EXPECT_EQ(text({1e-5, 1}), "[1.e-05 1.e+00]");
  EXPECT_EQ(text({1, 1000}), "[   1. 1000.]");
  EXPECT_EQ(text({1, 1001}), "[1.000e+00 1.001e+03]");
  EXPECT_EQ(text({99999999, 9e7}), "[99999999. 90000000.]");
  EXPECT_EQ(text({1e8}), "[1.e+08]");
  EXPECT_EQ(text<float>({1e6}), "[1.e+06]");
  EXPECT_EQ(text<float16>({1000}), "[1.e+03]");
  EXPECT_EQ(text({1e-300, -kInfinity, 0}), "[1.e-300    -inf 0.e+000]");
  EXPECT_EQ(text<float>({0.1, 1e-5}), "[1.e-01 1.e-05]");
}

TEST(Print, IntegersAndBools) {
  EXPECT_EQ(text<int32_t>({1, -20, 300}), "[  1 -20 300]");
  EXPECT_EQ(text<uint8_t>({255}), "[255]");
  EXPECT_EQ(to_string(from_values({true, false}, {2})), "[ True False]");
  EXPECT_EQ(to_string(from_values({true, true}, {2})), "[ True  True]");
}

TEST(Print, ScalarsAreNumbersInFull) {
  EXPECT_EQ(to_string(full({}, 1.0 / 3, Dtype::f64)), "0.3333333333333333");
  EXPECT_EQ(to_string(full({}, 2)), "2.0");
  EXPECT_EQ(to_string(full({}, 1e-5, Dtype::f64)), "1e-05");
  EXPECT_EQ(to_string(full({}, 1e16, Dtype::f64)), "1e+16");
  EXPECT_EQ(to_string(full({}, 0.0)), "0.0");
  EXPECT_EQ(to_string(full({}, -kInfinity)), "-inf");
  EXPECT_EQ(to_string(full({}, true, Dtype::boolean)), "True");
  EXPECT_EQ(to_string(full({}, -3, Dtype::i8)), "-3");
}

TEST(Print, NestsBrackets) {
  EXPECT_EQ(to_string(reshape(arange(6), {2, 3})), "[[0 1 2]\n [3 4 5]]");
  EXPECT_EQ(to_string(transpose(reshape(arange(6), {2, 3}), 0, 1)), "[[0 3]\n [1 4]\n [2 5]]");
  EXPECT_EQ(to_string(reshape(arange(8), {2, 2, 2})), "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]");
  EXPECT_EQ(to_string(zeros({2, 0})), "[]");
}

TEST(Print, BreaksLongLines) {
  EXPECT_EQ(to_string(arange(30)),
            "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n"
            " 24 25 26 27 28 29]");
}

TEST(Print, SummarisesMoreThanAThousand) {
  EXPECT_EQ(to_string(arange(1001)), "[   0    1    2 ...  998  999 1000]");
  EXPECT_EQ(to_string(reshape(arange(2000), {2, 1000})),
            "[[   0    1    2 ...  997  998  999]\n [1000 1001 1002 ... 1997 1998 1999]]");
  EXPECT_EQ(to_string(reshape(arange(1001), {1001, 1})),
            "[[   0]\n [   1]\n [   2]\n ...\n [ 998]\n [ 999]\n [1000]]");
  EXPECT_EQ(to_string(arange(1000)).find("..."), std::string::npos);
}

TEST(Print, StreamsNameTypeAndShape) {
  const auto streamed = [](const Tensor& tensor) {
    std::ostringstream out;
    out << tensor;
    return out.str();
  };
  EXPECT_EQ(streamed(from_values<float>({1, 2}, {2})), "[1. 2.] f32[2]");
  EXPECT_EQ(streamed(eye(2)), "[[1. 0.]\n [0. 1.]]\nf32[2, 2]");
  EXPECT_EQ(streamed(full({}, 3, Dtype::i64)), "3 i64[]");
  EXPECT_EQ(streamed(Tensor()), "undefined");
  EXPECT_EQ(streamed(empty({2}, Dtype::f32, kMeta)), "... f32[2] on meta");
}

}  // namespace
}  // namespace espalier
