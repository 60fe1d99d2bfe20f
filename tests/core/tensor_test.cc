#include "core/tensor.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/backend.h"
#include "core/error.h"
#include "ops/copy.h"
#include "ops/expand.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "tests/support/message_of.h"

namespace espalier {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor counted(const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return from_values(values, shape);
}

TEST(Tensor, UndefinedOnesAnswerOnlyDefined) {
  const Tensor none;
  EXPECT_FALSE(none.defined());
  EXPECT_FALSE(none.requires_grad());
  EXPECT_EQ(describe(none), "undefined");
  EXPECT_THAT(message_of<ValueError>([&] { none.shape(); }), HasSubstr("undefined tensor"));
  EXPECT_THROW(none.dtype(), ValueError);
  EXPECT_THROW(none.item(), ShapeError);
}

TEST(Tensor, HandlesShareElementsAndCopiesDoNot) {
  Tensor x = counted({4});
  const Tensor same = x, other = copy(x);
  x.mutable_data<float>()[0] = 9;
  EXPECT_EQ(same.to_vector<float>()[0], 9);
  EXPECT_EQ(other.to_vector<float>()[0], 0);
  EXPECT_EQ(x.version(), 1u);
  EXPECT_TRUE(x.is(same));
  EXPECT_FALSE(x.is(x.detach()));
}

TEST(Tensor, ViewsLookIntoTheSameMemory) {
  const Tensor x = counted({2, 3, 4});
  const struct {
    const char* what;
    Tensor view;
    Shape shape;
    Strides strides;
    int64_t offset;
  } cases[] = {
      {"reshape", reshape(x, {6, -1}), {6, 4}, {4, 1}, 0},
      {"transpose", transpose(x, 0, 2), {4, 3, 2}, {1, 4, 12}, 0},
      {"permute", permute(x, {1, 0, -1}), {3, 2, 4}, {4, 12, 1}, 0},
      {"slice", slice(x, {{}, {.start = 1}, {.stop = -1, .step = 2}}), {2, 2, 2}, {12, 4, 2}, 4},
      {"expand", expand(slice(x, 1, {.stop = 1}), {2, 5, 4}), {2, 5, 4}, {12, 0, 1}, 0},
      {"reshape of a transposed one",
       reshape(transpose(x, 1, 2), {2, 2, 2, 3}),
       {2, 2, 2, 3},
       {12, 2, 1, 4},
       0},
  };
  for (const auto& [what, view, shape, strides, offset] : cases) {
    EXPECT_EQ(view.body().storage, x.body().storage) << what << " copied";
    EXPECT_EQ(view.shape(), shape) << what;
    EXPECT_EQ(view.strides(), strides) << what << ": " << to_string(view.strides());
    EXPECT_EQ(view.offset(), offset) << what;
  }
  // What no strides can say is a copy.
  EXPECT_NE(reshape(transpose(x, 0, 2), {24}).body().storage, x.body().storage);
}

TEST(Tensor, ReadsStridedElementsInRowMajorOrder) {
  EXPECT_THAT(transpose(counted({2, 3}), 0, 1).to_vector<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(slice(counted({5}), 0, {.start = -4, .step = 2}).to_vector<float>(), ElementsAre(1, 3));
  EXPECT_THAT(from_values<bool>({true, false}, {2}).to_vector<bool>(), ElementsAre(true, false));
}

TEST(Tensor, AccessIsChecked) {
  Tensor x = counted({2, 2});
  EXPECT_THAT(message_of<TypeError>([&] { x.data<double>(); }),
              HasSubstr("f32[2, 2] was asked for its elements as f64"));
  EXPECT_THROW(x.to_vector<int32_t>(), TypeError);
  EXPECT_THAT(message_of<ShapeError>([&] { x.item(); }), HasSubstr("f32[2, 2]"));
  EXPECT_THAT(message_of<ShapeError>([&] { x.size(2); }), HasSubstr("axis 2"));
  EXPECT_EQ(x.size(-1), 2);
  const Tensor shadow = empty({2}, Dtype::f32, kMeta);
  EXPECT_EQ(describe(shadow), "f32[2] on meta");
  EXPECT_THAT(message_of<DeviceError>([&] { shadow.data<float>(); }), HasSubstr("not in the host's memory"));
  EXPECT_EQ(shadow.raw_data(), nullptr);
}

TEST(Tensor, MetaTakesNoMemory) {
  const MemoryStats before = memory_stats();
  const Tensor huge = empty({int64_t{1} << 50}, Dtype::f32, kMeta);
  EXPECT_EQ(huge.numel(), int64_t{1} << 50);
  EXPECT_EQ(memory_stats().allocations, before.allocations);
}

TEST(Tensor, SizesAreCheckedBeforeAnythingIsAllocated) {
  const MemoryStats before = memory_stats();
  EXPECT_THROW(empty({-1}), ShapeError);
  EXPECT_THROW(empty({int64_t{1} << 40, int64_t{1} << 40}), ShapeError);
  EXPECT_THROW(zeros({int64_t{1} << 58}), MemoryError);
  EXPECT_THROW(empty({2}, Dtype::f32, {DeviceType::cuda, 0}), DeviceError);
  EXPECT_EQ(memory_stats().current, before.current);
}

TEST(FromBlob, BorrowsMemoryUntilTheLastViewIsGone) {
  float memory[] = {1, 2, 3, 4};
  int released = 0;
  {
    Tensor view;
    {
      Tensor x = from_blob(memory, {2, 2}, Dtype::f32, [&] { ++released; });
      EXPECT_EQ(x.data<float>(), memory);
      x.mutable_data<float>()[3] = 7;
      view = slice(x, 0, {.start = 1});
    }
    EXPECT_EQ(released, 0);
    EXPECT_THAT(view.to_vector<float>(), ElementsAre(3, 7));
  }
  EXPECT_EQ(released, 1);
  EXPECT_EQ(memory[3], 7);
  EXPECT_THAT(message_of<ValueError>([] { from_blob(nullptr, {2}, Dtype::f32); }), HasSubstr("f32[2]"));
  EXPECT_EQ(from_blob(nullptr, {0}, Dtype::f32).numel(), 0);
}

TEST(FromValues, TheirNumberMustFit) {
  EXPECT_THAT(message_of<ShapeError>([] { from_values<float>({1, 2, 3}, {2, 2}); }),
              HasSubstr("3 values given for shape [2, 2]"));
}

TEST(Full, HoldsTheValueOrRefusesIt) {
  EXPECT_THAT(full({2}, 3, Dtype::i8).to_vector<int8_t>(), ElementsAre(3, 3));
  EXPECT_EQ(full({}, 0.5, Dtype::f16).item(), 0.5);
  EXPECT_EQ(full({}, std::numeric_limits<int64_t>::max(), Dtype::i64).to_vector<int64_t>()[0],
            std::numeric_limits<int64_t>::max());
  EXPECT_THAT(message_of<ValueError>([] { full({2}, 128, Dtype::i8); }),
              HasSubstr("outside the range of i8"));
  EXPECT_THROW(full({2}, -1, Dtype::u8), ValueError);
  EXPECT_THROW(full({2}, 0x1p63, Dtype::i64), ValueError);
  EXPECT_THROW(full({2}, std::nan(""), Dtype::i32), ValueError);
  EXPECT_TRUE(std::isinf(full({}, 1e30, Dtype::f16).item()));
}

TEST(SetGrad, MustMatchItsLeaf) {
  Tensor x = counted({2});
  EXPECT_THAT(message_of<GradientError>([&] { x.set_grad(zeros({2})); }), HasSubstr("not a leaf"));
}

}  // namespace
}  // namespace espalier
