#include "core/dlpack.h"

#include <cstddef>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/expand.h"
#include "ops/permute.h"
#include "ops/slice.h"

// What a C library declares for itself: the published layout of DLManagedTensorVersioned, spelt out by hand.
extern "C" {
struct CArray {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
};
struct CManaged {
  uint32_t major, minor;
  void* manager_ctx;
  void (*deleter)(struct CManaged*);
  uint64_t flags;
  struct CArray tensor;
};

/// A consumer as C would have it: adds up a matrix of floats and gives it back.
static double c_sum_of_matrix(void* pointer) {
  auto* managed = static_cast<CManaged*>(pointer);
  const CArray& x = managed->tensor;
  double sum = -1;
  if (managed->major == 1 && x.device_type == 1 && x.ndim == 2 && x.code == 2 && x.bits == 32 &&
      x.lanes == 1) {
    sum = 0;
    const char* first = static_cast<const char*>(x.data) + x.byte_offset;
    for (int64_t i = 0; i < x.shape[0]; ++i) {
      for (int64_t j = 0; j < x.shape[1]; ++j) {
        float element;
        std::memcpy(&element, first + 4 * (i * x.strides[0] + j * x.strides[1]), 4);
        sum += element;
      }
    }
  }
  managed->deleter(managed);
  return sum;
}
}

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

static_assert(sizeof(dlpack::Managed) == sizeof(CManaged));
static_assert(offsetof(dlpack::Managed, owner) == offsetof(CManaged, manager_ctx));
static_assert(offsetof(dlpack::Managed, deleter) == offsetof(CManaged, deleter));
static_assert(offsetof(dlpack::Managed, flags) == offsetof(CManaged, flags));
static_assert(offsetof(dlpack::Managed, array) == offsetof(CManaged, tensor));
static_assert(offsetof(dlpack::Array, rank) == offsetof(CArray, ndim));
static_assert(offsetof(dlpack::Array, dtype) == offsetof(CArray, code));
static_assert(offsetof(dlpack::Array, shape) == offsetof(CArray, shape));
static_assert(offsetof(dlpack::Array, byte_offset) == offsetof(CArray, byte_offset));

/// A producer that counts its deleter's calls.
struct Producer {
  std::array<float, 12> elements{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  std::array<int64_t, 2> shape{3, 4}, strides{4, 1};
  int deleted = 0;
  dlpack::Managed managed{
      .version = {1, 0},
      .owner = this,
      .deleter = [](dlpack::Managed* self) { ++static_cast<Producer*>(self->owner)->deleted; },
      .flags = 0,
      .array = {.data = elements.data(),
                .device = {1, 0},
                .rank = 2,
                .dtype = {2, 32, 1},
                .shape = shape.data(),
                .strides = strides.data(),
                .byte_offset = 0}};

  Producer() = default;
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  dlpack::Handle handle() { return dlpack::Handle(&managed); }
};

/// The error that importing gives; the deleter must have been called all the same.
template <class E>
std::string import_error(Producer& producer) {
  try {
    from_dlpack(producer.handle());
  } catch (const E& error) {
    EXPECT_EQ(producer.deleted, 1) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(Dlpack, ACConsumerReadsStridedElements) {
  Tensor x = from_values<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {3, 4});
  EXPECT_EQ(c_sum_of_matrix(to_dlpack(x).release()), 66);
  const Tensor part = slice(transpose(x, 0, 1), {{.start = 1, .step = 2}, {1, 3}});
  EXPECT_EQ(c_sum_of_matrix(to_dlpack(part).release()), 5 + 7 + 9 + 11);
}

TEST(Dlpack, RoundTripsShareMemoryInEveryType) {
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    const Tensor x = ones({2, 3}, dtype);
    const Tensor view = slice(x, 1, {.start = 1});
    const Tensor back = from_dlpack(to_dlpack(view));
    EXPECT_EQ(describe(back), describe(view));
    EXPECT_EQ(back.raw_data(), view.raw_data());
    EXPECT_EQ(to_string(back.strides()), to_string(view.strides()));
    EXPECT_EQ(back.with_layout({}, {}, 4).item(), 1);
  }
}

TEST(Dlpack, ScalarsEmptyAndRepeatedTensorsPass) {
  EXPECT_EQ(from_dlpack(to_dlpack(full({}, 7))).item(), 7);
  EXPECT_EQ(describe(from_dlpack(to_dlpack(zeros({0, 3}, Dtype::i8)))), "i8[0, 3]");
  const Tensor repeated = from_dlpack(to_dlpack(expand(from_values<float>({1, 2}, {2, 1}), {2, 3})));
  EXPECT_THAT(repeated.to_vector<float>(), ElementsAre(1, 1, 1, 2, 2, 2));
}

TEST(Dlpack, TheExportKeepsTheElementsAlive) {
  bool released = false;
  std::array<float, 2> memory{1, 2};
  dlpack::Handle handle;
  {
    const Tensor x = from_blob(memory.data(), {2}, Dtype::f32, [&released] { released = true; });
    handle = to_dlpack(x);
  }
  EXPECT_FALSE(released);
  handle.reset();
  EXPECT_TRUE(released);
}

TEST(Dlpack, TheDeleterIsCalledWhenTheLastViewIsGone) {
  Producer producer;
  Tensor part;
  {
    const Tensor x = from_dlpack(producer.handle());
    EXPECT_EQ(x.raw_data(), producer.elements.data());
    part = slice(x, 0, {.start = 2});
  }
  EXPECT_EQ(producer.deleted, 0);
  EXPECT_THAT(part.to_vector<float>(), ElementsAre(8, 9, 10, 11));
  part.mutable_data<float>()[0] = -1;
  EXPECT_EQ(producer.elements[8], -1);
  part = {};
  EXPECT_EQ(producer.deleted, 1);
}

TEST(Dlpack, StridesAndByteOffsetCount) {
  Producer producer;
  producer.shape = {2, 3};
  producer.strides = {1, 4};
  producer.managed.array.byte_offset = 4;
  EXPECT_THAT(from_dlpack(producer.handle()).to_vector<float>(), ElementsAre(1, 5, 9, 2, 6, 10));
  producer.managed.array.strides = nullptr;
  EXPECT_THAT(from_dlpack(producer.handle()).to_vector<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
  // NumPy leaves any stride on an axis of size 1.
  producer.managed.array.strides = producer.strides.data();
  producer.shape = {1, 2};
  producer.strides = {-99, 2};
  EXPECT_THAT(from_dlpack(producer.handle()).to_vector<float>(), ElementsAre(1, 3));
  EXPECT_EQ(producer.deleted, 3);
}

TEST(Dlpack, AMissingDeleterIsAllowed) {
  Producer producer;
  producer.managed.deleter = nullptr;
  EXPECT_EQ(from_dlpack(producer.handle()).numel(), 12);
}

TEST(Dlpack, ExportRefusesWhatCannotBeShared) {
  EXPECT_THROW(to_dlpack(Tensor()), ValueError);
  EXPECT_THROW(to_dlpack(empty({2}, Dtype::f32, kMeta)), DeviceError);
  EXPECT_THROW(to_dlpack(requires_grad_(zeros({2}))), GradientError);
}

TEST(Dlpack, AHandleIsConsumedOnce) {
  Producer producer;
  dlpack::Handle handle = producer.handle();
  const Tensor x = from_dlpack(std::move(handle));
  EXPECT_THROW(from_dlpack(std::move(handle)), ValueError);  // NOLINT(clang-analyzer-cplusplus.Move)
}

TEST(Dlpack, ImportRefusesWithTypedErrorsAndGivesBack) {
  const auto with = [](auto change) {
    auto producer = std::make_unique<Producer>();
    change(*producer);
    return producer;
  };
  EXPECT_THAT(import_error<FormatError>(*with([](Producer& p) { p.managed.version.major = 2; })),
              HasSubstr("version 2.0"));
  EXPECT_THAT(import_error<DeviceError>(*with([](Producer& p) { p.managed.array.device.type = 2; })),
              HasSubstr("device type 2"));
  EXPECT_THAT(import_error<TypeError>(*with([](Producer& p) { p.managed.array.dtype = {5, 64, 1}; })),
              HasSubstr("type code 5"));
  EXPECT_THAT(import_error<TypeError>(*with([](Producer& p) { p.managed.array.dtype.lanes = 4; })),
              HasSubstr("4 lanes"));
  EXPECT_THAT(import_error<ShapeError>(*with([](Producer& p) { p.managed.array.rank = 9; })),
              HasSubstr("9 axes"));
  EXPECT_THAT(import_error<ShapeError>(*with([](Producer& p) { p.managed.array.rank = -1; })),
              HasSubstr("-1 axes"));
  EXPECT_THAT(import_error<ShapeError>(*with([](Producer& p) { p.shape[0] = -3; })), HasSubstr("[-3, 4]"));
  EXPECT_THAT(import_error<ShapeError>(*with([](Producer& p) { p.strides[0] = int64_t{1} << 62; })),
              HasSubstr("too large"));
  EXPECT_THAT(import_error<ValueError>(*with([](Producer& p) { p.strides[1] = -1; })),
              HasSubstr("backwards"));
  EXPECT_THAT(import_error<ValueError>(*with([](Producer& p) { p.managed.array.data = nullptr; })),
              HasSubstr("null pointer"));
  EXPECT_THAT(import_error<ValueError>(*with([](Producer& p) { p.managed.array.shape = nullptr; })),
              HasSubstr("no shape"));
  EXPECT_THAT(import_error<ValueError>(*with([](Producer& p) { p.managed.array.byte_offset = 2; })),
              HasSubstr("4 bytes"));
  EXPECT_THAT(import_error<ValueError>(*with([](Producer& p) { p.managed.flags = 1; })),
              HasSubstr("only be read"));
}

}  // namespace
}  // namespace espalier
