#include "ops/expand.h"

#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample expand_sample(const Shape& from, const Shape& to, const Shape& asked) {
  return {to_string(from) + " to " + to_string(asked),
          {{from}},
          [asked](Inputs in) { return Tensors{expand(in[0], asked)}; },
          [to](const Arrays& in) {
            Array result(to);
            for_each_index(to, [&](const Dims& index) { result.at(index) = broadcast_at(in[0], index); });
            return Arrays{result};
          }};
}

/// `from` says which element of the input stands at an index of the output.
OpSample repeated(std::string label, const Shape& shape, const Shape& to,
                  const std::function<Tensor(const Tensor&)>& run, std::function<Dims(const Dims&)> from) {
  return {std::move(label),
          {{shape}},
          [run](Inputs in) { return Tensors{run(in[0])}; },
          [to, from = std::move(from)](const Arrays& in) {
            Array result(to);
            for_each_index(to, [&](const Dims& index) { result.at(index) = in[0].at(from(index)); });
            return Arrays{result};
          }};
}

OpSample tile_sample(std::string label, const Shape& shape, const Dims& repeats, const Shape& to) {
  return repeated(
      std::move(label), shape, to, [repeats](const Tensor& x) { return tile(x, repeats); },
      [shape](const Dims& index) {
        Dims from = shape;
        const int lead = index.rank() - shape.rank();
        for (int i = 0; i < shape.rank(); ++i) from[i] = index[lead + i] % shape[i];
        return from;
      });
}

OpSample interleave_sample(std::string label, const Shape& shape, int64_t repeats, int axis) {
  Shape to = shape;
  to[axis] *= repeats;
  return repeated(
      std::move(label), shape, to,
      [=](const Tensor& x) { return repeat_interleave(x, repeats, axis - shape.rank()); },
      [=](Dims index) {
        index[axis] /= repeats;
        return index;
      });
}

}  // namespace

OpTest expand_test() {
  return {
      .name = "expand",
      .samples = {expand_sample({3}, {2, 3}, {2, 3}), expand_sample({3, 1}, {3, 4}, {-1, 4}),
                  expand_sample({}, {2, 2}, {2, 2}), expand_sample({1, 2, 1}, {4, 3, 2, 5}, {4, 3, 2, 5}),
                  expand_sample({1, 3}, {0, 3}, {0, 3}), expand_sample({0, 3}, {2, 0, 3}, {2, 0, 3}),
                  expand_sample({2, 3}, {2, 3}, {2, 3}), tile_sample("tile", {2, 3}, {2, 2}, {4, 6}),
                  tile_sample("tile the last axis", {2, 3}, {3}, {2, 9}),
                  tile_sample("tile with new axes", {2}, {2, 1, 2}, {2, 1, 4}),
                  tile_sample("tile a scalar", {}, {3}, {3}),
                  tile_sample("tile no times", {2, 3}, {0, 2}, {0, 6}),
                  tile_sample("tile as it is", {2}, {}, {2}),
                  tile_sample("tile nothing", {0, 2}, {2, 2}, {0, 4}),
                  interleave_sample("interleave", {2, 3}, 2, 0),
                  interleave_sample("interleave columns", {2, 3}, 3, 1),
                  interleave_sample("interleave no times", {2, 3}, 0, 1)},
      .errors =
          {
              {"a size that is not 1",
               [] { expand(zeros({2, 3}), {2, 6}); },
               "ShapeError",
               {"expand", "f32[2, 3]", "[2, 6]"}},
              {"fewer axes",
               [] { expand(zeros({2, 3}), {3}); },
               "ShapeError",
               {"expand", "f32[2, 3]", "[3]"}},
              {"a new axis left open",
               [] { expand(zeros({3}), {-1, 3}); },
               "ShapeError",
               {"expand", "[-1, 3]"}},
              {"more elements than 64 bits count",
               [] { expand(zeros({1, 1}), {int64_t{1} << 40, int64_t{1} << 40}); },
               "ShapeError",
               {"expand"}},
              {"a negative number of tiles",
               [] { tile(zeros({2, 3}), {-1, 1}); },
               "ShapeError",
               {"tile", "-1 repeats", "axis 0", "f32[2, 3]"}},
              {"too many tiles",
               [] { tile(zeros({4}), {int64_t{1} << 62}); },
               "ShapeError",
               {"tile", "f32[4]"}},
              {"interleaved along no axis",
               [] { repeat_interleave(zeros({4}), 2, 1); },
               "ShapeError",
               {"repeat_interleave", "axis 1"}},
              {"interleaved a negative number of times",
               [] { repeat_interleave(zeros({4}), -2, 0); },
               "ShapeError",
               {"repeat_interleave", "-2 repeats", "f32[4]"}},
              {"no tensor", [] { expand(Tensor(), {1}); }, "ValueError", {"undefined"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
  };
}

namespace {

TEST(Expand, CopiesNothing) {
  const Tensor x = zeros({3, 1});
  const Tensor wide = expand(x, {5, 3, 4});
  EXPECT_EQ(wide.raw_data(), x.raw_data());
  EXPECT_TRUE(wide.strides() == (Strides{0, 1, 0}));
}

}  // namespace
}  // namespace espalier::test
