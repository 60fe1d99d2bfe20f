#include "ops/pad.h"

#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample pad_sample(std::string label, const Shape& shape, const Dims& before, const Dims& between,
                    const Dims& after, double value = 0) {
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return Tensors{apply_one(Pad(before, between, after, value), in[0])}; },
          [=](const Arrays& in) {
            Shape padded = in[0].shape;
            for (int i = 0; i < padded.rank(); ++i)
              padded[i] += before[i] + after[i] + std::max<int64_t>(padded[i] - 1, 0) * between[i];
            Array result(padded);
            std::fill(result.values.begin(), result.values.end(), value);
            for_each_index(in[0].shape, [&](const Dims& index) {
              Dims to = index;
              for (int i = 0; i < to.rank(); ++i) to[i] = before[i] + index[i] * (between[i] + 1);
              result.at(to) = in[0].at(index);
            });
            return Arrays{result};
          }};
}

/// The same in channels-last memory, which must stay.
OpSample pad_channels_last_sample() {
  OpSample made = pad_sample("channels-last", {2, 3, 4, 5}, {0, 2, 1, 0}, {0, 0, 0, 0}, {0, 1, 0, 3}, 1);
  made.run = [](Inputs in) {
    const Tensor padded = pad(channels_last(in[0]), {0, 2, 1, 0}, {0, 1, 0, 3}, 1);
    if (!channels_last(padded).is(padded)) throw Error("pad", "left channels-last memory");
    return Tensors{padded};
  };
  return made;
}

}  // namespace

OpTest pad_test() {
  return {
      .name = "pad",
      .samples =
          {
              pad_sample("both ends", {2, 3}, {1, 0}, {0, 0}, {2, 4}, 1),
              pad_sample("inner axis whole", {2, 3, 4}, {0, 1, 0}, {0, 0, 0}, {1, 0, 0}),
              pad_sample("another value", {3, 2}, {0, 2}, {0, 0}, {1, 1}, 3),
              pad_sample("set apart", {3, 2, 2}, {1, 0, 2}, {2, 1, 3}, {0, 1, 0}, 1),
              pad_sample("long rows", {2, 700}, {1, 3}, {0, 0}, {0, 5}, 2),
              pad_sample("nothing to add", {2, 3}, {0, 0}, {0, 0}, {0, 0}),
              pad_sample("single elements", {1, 1, 3}, {2, 0, 0}, {5, 5, 0}, {0, 1, 0}),
              pad_sample("empty", {0, 2}, {1, 0}, {4, 0}, {2, 1}, 1),
              pad_sample("empty stays empty", {0, 2}, {0, 1}, {0, 0}, {0, 1}),
              pad_sample("scalar", {}, {}, {}, {}),
              pad_channels_last_sample(),
          },
      .errors =
          {
              {"negative",
               [] { pad(zeros({2, 3}), {0, -1}, {0, 0}); },
               "ShapeError",
               {"pad", "[0, -1]", "negative"}},
              {"an axis too few",
               [] { pad(zeros({2, 3}), {1}, {0, 0}); },
               "ShapeError",
               {"pad", "[1]", "[0, 0]", "f32[2, 3]"}},
              {"too long",
               [] { pad(zeros({2}), {int64_t{1} << 62}, {int64_t{1} << 62}); },
               "ShapeError",
               {"pad", "axis 0", "f32[2]"}},
              {"too many elements",
               [] { pad(zeros({2, 2}), {int64_t{1} << 40, int64_t{1} << 40}, {0, 0}); },
               "ShapeError",
               {"pad"}},
              {"a value that does not fit",
               [] { pad(zeros({2}, Dtype::u8), {1}, {0}, 256); },
               "ValueError",
               {"256", "u8"}},
              {"undefined", [] { pad(Tensor(), {}, {}); }, "ValueError", {"pad", "undefined"}},
          },
      .dtypes = kStoredTypes,
      .benchmarks = {pad_sample("1M", {1000, 1000}, {12, 12}, {0, 0}, {12, 12})},
  };
}

}  // namespace espalier::test
