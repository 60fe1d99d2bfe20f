#include "ops/flip.h"

#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample flip_sample(std::string label, const Shape& shape, const Dims& axes) {
  return {std::move(label),
          {{shape}},
          [axes](Inputs in) { return Tensors{flip(in[0], axes)}; },
          [axes](const Arrays& in) {
            Array result(in[0].shape);
            for_each_index(result.shape, [&](const Dims& to) {
              Dims from = to;
              for (const int64_t axis : axes) {
                const int i = normalize_axis(axis, to.rank(), "test");
                from[i] = result.shape[i] - 1 - to[i];
              }
              result.at(to) = in[0].at(from);
            });
            return Arrays{result};
          }};
}

OpSample roll_sample(std::string label, const Shape& shape, int64_t shift, int axis) {
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return Tensors{roll(in[0], shift, axis)}; },
          [=](const Arrays& in) {
            Array result(in[0].shape);
            for_each_index(result.shape, [&](const Dims& from) {
              Dims to = from;
              const int64_t size = result.shape[axis];
              to[axis] = ((from[axis] + shift) % size + size) % size;
              result.at(to) = in[0].at(from);
            });
            return Arrays{result};
          }};
}

/// In channels-last memory, which must stay.
OpSample flip_channels_last_sample() {
  OpSample made = flip_sample("channels-last", {2, 3, 4, 5}, {-1});
  made.run = [](Inputs in) {
    const Tensor flipped = flip(channels_last(in[0]), {-1});
    if (!channels_last(flipped).is(flipped)) throw Error("flip", "left channels-last memory");
    return Tensors{flipped};
  };
  return made;
}

}  // namespace

OpTest flip_test() {
  return {
      .name = "flip",
      .samples =
          {
              flip_sample("rows", {3, 4}, {0}),
              flip_sample("columns", {3, 4}, {-1}),
              flip_sample("both", {2, 3, 4}, {0, 2}),
              flip_sample("none", {2, 3}, {}),
              flip_sample("scalar", {}, {}),
              flip_sample("empty", {0, 3}, {0, 1}),
              flip_channels_last_sample(),
              roll_sample("roll", {5, 2}, 2, 0),
              roll_sample("roll back", {2, 5}, -7, 1),
              roll_sample("roll around", {4}, 8, 0),
              roll_sample("roll nothing", {0}, 3, 0),
          },
      .errors =
          {
              {"an axis twice",
               [] { flip(zeros({2, 3}), {1, -1}); },
               "ShapeError",
               {"flip", "[1, -1]", "twice"}},
              {"an axis out of range", [] { flip(zeros({2, 3}), {2}); }, "ShapeError", {"flip", "axis 2"}},
              {"undefined", [] { flip(Tensor(), {0}); }, "ValueError", {"flip", "undefined"}},
              {"roll along no axis", [] { roll(zeros({2}), 1, 1); }, "ShapeError", {"roll", "axis 1"}},
          },
      .dtypes = kEveryType,
      .benchmarks = {flip_sample("images", {128, 3, 32, 32}, {-1}), flip_sample("rows", {1024, 1024}, {0})},
  };
}

}  // namespace espalier::test
