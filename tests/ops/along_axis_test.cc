#include <gtest/gtest.h>

#include "ops/along_axis_internal.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

// Indices that are distinct along every axis of a small tensor: element (i, j, ...) has (i + j + ...) % size,
// for as many elements as there are, or fewer.
Tensor distinct_indices(const Shape& shape, int64_t size, Device device) {
  std::vector<int64_t> places;
  for_each_index(shape, [&](const Dims& index) {
    int64_t sum = 0;
    for (int64_t i : index) sum += i;
    places.push_back(sum % size);
  });
  return known(from_values(places, shape), device);
}

OpSample take_sample(std::string label, const Shape& shape, const Shape& indices, int axis) {
  const int64_t size = shape.rank() == 0 ? 1 : shape[axis];
  const auto list = [=](Device device) { return distinct_indices(indices, size, device); };
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return Tensors{take_along_axis(in[0], list(in[0].device()), axis)}; },
          [=](const Arrays& in) {
            Array result(indices);
            const auto places = list(kCpu).to_vector<int64_t>();
            int64_t n = 0;
            for_each_index(indices, [&](const Dims& at) {
              Dims from = at;
              if (from.rank() > 0) from[axis] = places[static_cast<size_t>(n)];
              result[n++] = in[0].at(from);
            });
            return Arrays{result};
          }};
}

OpSample put_sample(std::string label, const Shape& shape, int axis, int64_t size) {
  const auto list = [=](Device device) { return distinct_indices(shape, size, device); };
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return Tensors{put_along_axis(in[0], list(in[0].device()), axis, size)}; },
          [=](const Arrays& in) {
            Shape whole = shape;
            if (whole.rank() > 0) whole[axis] = size;
            Array result(whole);
            const auto places = list(kCpu).to_vector<int64_t>();
            int64_t n = 0;
            for_each_index(shape, [&](const Dims& at) {
              Dims to = at;
              if (to.rank() > 0) to[axis] = places[static_cast<size_t>(n)];
              result.at(to) = in[0][n++];
            });
            return Arrays{result};
          }};
}

}  // namespace

OpTest take_along_axis_test() {
  return {
      .name = "take_along_axis",
      .samples = {take_sample("rows", {3, 5}, {3, 2}, 1), take_sample("columns", {5, 3}, {5, 3}, 0),
                  take_sample("the middle", {2, 4, 3}, {2, 3, 3}, 1), take_sample("a scalar", {}, {}, 0),
                  take_sample("nothing", {2, 4}, {2, 0}, 1), take_sample("no slices", {0, 4}, {0, 2}, 1)},
      .errors =
          {
              {"another shape",
               [] { take_along_axis(zeros({2, 3}), zeros({3, 3}, Dtype::i64), 1); },
               "ShapeError",
               {"take_along_axis", "f32[2, 3]", "i64[3, 3]"}},
              {"floating indices",
               [] { take_along_axis(zeros({2}), zeros({2}), 0); },
               "TypeError",
               {"take_along_axis", "i64"}},
              {"an index outside",
               [] { take_along_axis(zeros({2}), full({1}, 2, Dtype::i64), 0); },
               "ValueError",
               {"take_along_axis", "index 2", "[0, 2)", "f32[2]"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
  };
}

OpTest put_along_axis_test() {
  return {
      .name = "put_along_axis",
      .samples = {put_sample("rows", {3, 2}, 1, 5), put_sample("columns", {5, 3}, 0, 5),
                  put_sample("the middle", {2, 3, 3}, 1, 4), put_sample("a scalar", {}, 0, 1),
                  put_sample("nothing", {2, 0}, 1, 4)},
      .errors =
          {
              {"another shape",
               [] { put_along_axis(zeros({2, 3}), zeros({2, 2}, Dtype::i64), 1, 4); },
               "ShapeError",
               {"put_along_axis", "f32[2, 3]", "i64[2, 2]"}},
              {"an index outside",
               [] { put_along_axis(zeros({1}), full({1}, -1, Dtype::i64), 0, 2); },
               "ValueError",
               {"put_along_axis", "index -1", "[0, 2)", "f32[1]"}},
              {"a size that no memory has",
               [] { put_along_axis(zeros({2, 1}), zeros({2, 1}, Dtype::i64), 1, int64_t{1} << 62); },
               "ShapeError",
               {"put_along_axis"}},
          },
      .dtypes = kEveryType,
      .tolerance = 0,
  };
}

}  // namespace espalier::test
