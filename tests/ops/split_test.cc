#include "ops/split.h"

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample split_sample(std::string label, const Shape& shape, int64_t size, int axis) {
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

/// In chunks that must come out as parts of `size`.
OpSample chunk_sample(std::string label, const Shape& shape, int64_t chunks, int64_t size, int axis) {
  OpSample made = split_sample(std::move(label), shape, size, axis);
  made.run = [=](Inputs in) { return chunk(in[0], chunks, axis - in[0].rank()); };
  return made;
}

}  // namespace

OpTest split_test() {
  return {
      .name = "split",
      .samples =
          {
              split_sample("even", {2, 6}, 2, 1),
              split_sample("uneven", {5, 2}, 2, 0),
              split_sample("one part", {3}, 7, 0),
              split_sample("empty", {2, 0, 4}, 3, 2),
              chunk_sample("chunks", {2, 6}, 3, 2, 1),
              chunk_sample("fewer chunks than asked for", {5, 2}, 4, 2, 0),
              chunk_sample("chunks of one", {3}, 7, 1, 0),
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
              {"no chunks", [] { chunk(zeros({2}), 0); }, "ValueError", {"chunk", "0 chunks", "f32[2]"}},
              {"chunks of no axis", [] { chunk(zeros({}), 1); }, "ShapeError", {"chunk", "axis 0"}},
              {"chunks of nothing", [] { chunk(Tensor(), 1); }, "ValueError", {"chunk", "undefined"}},
              {"axis out of range", [] { split(zeros({2}), 1, 1); }, "ShapeError", {"split", "axis 1"}},
          },
      .dtypes = kStoredTypes,
  };
}

}  // namespace espalier::test
