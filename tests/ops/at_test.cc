#include "ops/at.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/create.h"
#include "ops/copy.h"
#include "ops/masked_select.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/sum.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor cube() {
  return reshape(arange(24), {2, 3, 4});
}

/// Shape and elements.
void expect(const Tensor& found, const Shape& shape, const std::vector<int64_t>& elements) {
  EXPECT_EQ(to_string(found.shape()), to_string(shape));
  EXPECT_EQ(found.to_vector<int64_t>(), elements);
}

TEST(At, NumbersTakeTheirAxisAway) {
  const Tensor x = cube();
  expect(at(x, 1, 2), {4}, {20, 21, 22, 23});
  expect(at(x, -1, -1, -1), {}, {23});
  expect(at(x, kAll, 0, 1), {2}, {1, 13});
}

TEST(At, RangesMarkersAndNumbersMix) {
  const Tensor x = cube();
  expect(at(x, 0, Range{1, 3}, Range{.step = 3}), {2, 2}, {4, 7, 8, 11});
  expect(at(x, kEllipsis, 0), {2, 3}, {0, 4, 8, 12, 16, 20});
  expect(at(x, 1, kEllipsis, Range{.start = -1}), {3, 1}, {15, 19, 23});
  expect(at(x, kNewAxis, 0, 0, kNewAxis), {1, 1, 4}, {0, 1, 2, 3});
  expect(at(x, 0, 0, kEllipsis, kNewAxis), {4, 1}, {0, 1, 2, 3});
  expect(at(x, 0, 0, 0, kEllipsis), {}, {0});
  expect(at(x, 0, Range{3, 1}), {0, 4}, {});
  EXPECT_EQ(to_string(at(x).shape()), "[2, 3, 4]");
}

TEST(At, MakesViewsOfAnyLayout) {
  const Tensor x = cube();
  const Tensor turned = permute(x, {2, 0, 1});
  const Tensor part = at(turned, 1, kNewAxis, kAll, Range{1, 3});
  expect(part, {1, 2, 2}, {5, 9, 17, 21});
  copy_(part, zeros({}, Dtype::i64));
  expect(at(x, 1, kAll, 1), {3}, {13, 0, 0});
  EXPECT_EQ(at(x, 1).raw_data(), x.data<int64_t>() + 12);
}

TEST(At, IndicesPutTheirAxesInPlace) {
  const Tensor x = cube();
  const Tensor indices = from_values<int32_t>({2, 0}, {2});
  expect(at(x, 0, indices, 1), {2}, {9, 1});
  expect(at(x, kAll, reshape(indices, {1, 2}), Range{0, 1}), {2, 1, 2, 1}, {8, 0, 20, 12});
  expect(at(x, kEllipsis, full({}, 3, Dtype::i64)), {2, 3}, {3, 7, 11, 15, 19, 23});
  expect(at(x, 0, kNewAxis, indices, Range{0, 2}), {1, 2, 2}, {8, 9, 0, 1});
}

TEST(At, MasksTakeAsManyAxesAsTheyHave) {
  const Tensor x = cube();
  const Tensor mask = from_values<bool>({true, false, true}, {3});
  expect(at(x, 1, mask, 0), {2}, {12, 20});
  expect(at(x, kAll, mask, Range{0, 1}), {2, 2, 1}, {0, 8, 12, 20});
  const Tensor plane = from_values<bool>({false, true, false, false, false, true}, {2, 3});
  expect(at(x, plane, Range{2, 4}), {2, 2}, {6, 7, 22, 23});
  expect(at(x, zeros({2, 3, 4}, Dtype::boolean)), {0}, {});
}

TEST(At, IsDifferentiable) {
  const Tensor x = requires_grad_(zeros({2, 3}));
  backward(sum(at(x, kAll, from_values<int64_t>({1, 1}, {2}))));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(0, 2, 0, 0, 2, 0));
  backward(sum(at(x, 1, Range{1})));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(0, 2, 0, 0, 3, 1));
}

template <class E, class F>
void expect_error(const F& f, const std::string& mention) {
  try {
    f();
    ADD_FAILURE() << "no error";
  } catch (const E& error) {
    EXPECT_THAT(error.what(), HasSubstr(mention));
  }
}

TEST(At, RefusesWithTypedErrors) {
  const Tensor x = zeros({2, 3}), indices = zeros({1}, Dtype::i64);
  expect_error<ShapeError>([&] { at(x, 0, 0, 0); }, "3 axes of f32[2, 3]");
  expect_error<ShapeError>([&] { at(x, kEllipsis, kEllipsis); }, "kEllipsis");
  expect_error<ValueError>([&] { at(x, 2); }, "index 2 is outside axis 0 of f32[2, 3]");
  expect_error<ValueError>([&] { at(x, kAll, -4); }, "index -4 is outside axis 1");
  expect_error<ValueError>([&] { at(x, Range{.step = 0}); }, "step 0");
  expect_error<ValueError>([&] { at(x, indices, indices); }, "more than one tensor");
  expect_error<ValueError>([&] { at(x, kAll, full({1}, 3, Dtype::i64)); }, "index 3 at position [0]");
  expect_error<TypeError>([&] { at(x, zeros({1})); }, "f32[1]");
  expect_error<ShapeError>([&] { at(x, zeros({3}, Dtype::boolean)); }, "bool[3]");
  expect_error<ShapeError>([&] { at(x, zeros({}, Dtype::boolean)); }, "without axes");
  expect_error<ValueError>([&] { at(Tensor(), 0); }, "undefined");
  expect_error<ValueError>([&] { at(x, Tensor()); }, "undefined");
}

TEST(MaskedSelect, TakesWhatIsTrueInRowMajorOrder) {
  const Tensor x = requires_grad_(reshape(arange(6, Dtype::f32), {2, 3}));
  const Tensor mask = from_values<bool>({true, false, true}, {3});
  const Tensor picked = masked_select(x, mask);
  EXPECT_THAT(picked.to_vector<float>(), ElementsAre(0, 2, 3, 5));
  backward(sum(picked));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(1, 0, 1, 1, 0, 1));
  // x broadcasts as well.
  EXPECT_THAT(masked_select(ones({1}, Dtype::i8), mask).to_vector<int8_t>(), ElementsAre(1, 1));
  EXPECT_EQ(describe(masked_select(zeros({0, 3}), mask)), "f32[0]");
}

TEST(MaskedSelect, RefusesOtherMasks) {
  expect_error<TypeError>([] { masked_select(zeros({2}), zeros({2}, Dtype::u8)); }, "u8[2]");
  expect_error<ShapeError>([] { masked_select(zeros({2}), zeros({3}, Dtype::boolean)); }, "masked_select");
  expect_error<ValueError>([] { masked_select(zeros({2}), Tensor()); }, "undefined");
  const Tensor meta = empty({2}, Dtype::boolean, kMeta);
  EXPECT_THROW(masked_select(empty({2}, Dtype::f32, kMeta), meta), DeviceError);
}

TEST(Nonzero, ListsIndices) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = from_values<float>({0, 2, -0.0F, nan, 0, 1}, {2, 3});
  expect(nonzero(x), {3, 2}, {0, 1, 1, 0, 1, 2});
  expect(nonzero(transpose(x, 0, 1)), {3, 2}, {0, 1, 1, 0, 2, 1});
  expect(nonzero(ones({})), {1, 0}, {});
  expect(nonzero(zeros({2, 0})), {0, 2}, {});
  EXPECT_THROW(nonzero(Tensor()), ValueError);
}

}  // namespace
}  // namespace espalier::test
