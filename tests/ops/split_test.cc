#include "ops/split.h"

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample sample(std::string label, const Shape& shape, int64_t size, int axis) {
  return {std::move(label),
          {{shape}},
          [=](Inputs in) { return split(in[0], size, axis); },
          [=](const Arrays& in) {
            Arrays parts;
            for (int64_t start = 0; start < shape[axis]; start += size) {
              Shape part = shape;
              part[axis] = std::min(size, shape[axis] - start);
              Array& array = parts.emplace_back(part);
              for_each_index(part, [&](Dims index) {
                const Dims to = index;
                index[axis] += start;
                array.at(to) = in[0].at(index);
              });
            }
            return parts;
          }};
}

}  // namespace

OpTest split_test() {
  return {
      .name = "split",
      .samples =
          {
              sample("even", {2, 6}, 2, 1),
              sample("uneven", {5, 2}, 2, 0),
              sample("one part", {3}, 7, 0),
              sample("empty", {2, 0, 4}, 3, 2),
              {"a part that nobody uses",
               {{{4}}},
               [](Inputs in) { return Tensors{split(in[0], 2, -1)[1]}; },
               [](const Arrays& in) {
                 Array last({2});
                 last[0] = in[0][2];
                 last[1] = in[0][3];
                 return Arrays{last};
               }},
          },
      .errors =
          {
              {"parts of nothing", [] { split(zeros({2}), 0); }, "ValueError", {"split", "size 0"}},
              {"too many parts", [] { split(zeros({40}), 1); }, "ValueError", {"split", "f32[40]", "32"}},
              {"axis out of range", [] { split(zeros({2}), 1, 1); }, "ShapeError", {"split", "axis 1"}},
          },
      .dtypes = kStoredTypes,
  };
}

}  // namespace espalier::test
