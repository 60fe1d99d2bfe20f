#include "ops/concat.h"

#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample concat_sample(std::string label, std::vector<InputSpec> inputs, int64_t axis) {
  return {std::move(label), std::move(inputs), [axis](Inputs in) { return Tensors{concat(in, axis)}; },
          [axis](const Arrays& in) {
            Shape shape = in[0].shape;
            const int along = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
            shape[along] = 0;
            for (const Array& array : in) shape[along] += array.shape[along];
            Array result(shape);
            int64_t start = 0;
            for (const Array& array : in) {
              for_each_index(array.shape, [&](const Dims& index) {
                Dims to = index;
                to[along] += start;
                result.at(to) = array.at(index);
              });
              start += array.shape[along];
            }
            return Arrays{result};
          }};
}

OpSample stack_sample(std::string label, std::vector<InputSpec> inputs, int64_t axis) {
  const int at = normalize_axis(axis, inputs[0].shape.rank() + 1, "test");
  return {std::move(label), std::move(inputs), [axis](Inputs in) { return Tensors{stack(in, axis)}; },
          [at](const Arrays& in) {
            Shape shape = in[0].shape;
            shape.insert(at, static_cast<int64_t>(in.size()));
            Array result(shape);
            for_each_index(shape, [&](const Dims& to) {
              Dims from = to;
              from.erase(at);
              result.at(to) = in[static_cast<size_t>(to[at])].at(from);
            });
            return Arrays{result};
          }};
}

/// In channels-last memory, which must stay.
OpSample concat_channels_last_sample() {
  OpSample made = concat_sample("channels-last", {{{2, 3, 4, 5}}, {{2, 1, 4, 5}}}, 1);
  made.run = [](Inputs in) {
    const Tensor joined = concat({channels_last(in[0]), channels_last(in[1])}, 1);
    if (!channels_last(joined).is(joined)) throw Error("concat", "left channels-last memory");
    return Tensors{joined};
  };
  return made;
}

}  // namespace

OpTest concat_test() {
  return {
      .name = "concat",
      .samples =
          {
              concat_sample("rows", {{{2, 3}}, {{1, 3}}, {{4, 3}}}, 0),
              concat_sample("columns", {{{2, 3}}, {{2, 2}}}, -1),
              concat_sample("in the middle", {{{2, 1, 3}}, {{2, 4, 3}}}, 1),
              concat_sample("one", {{{2, 3}}}, 0),
              concat_sample("empty", {{{2, 0}}, {{2, 3}}, {{2, 0}}}, 1),
              concat_sample("more than an operation takes", std::vector<InputSpec>(70, {{1, 2}}), 0),
              concat_channels_last_sample(),
              stack_sample("stack", {{{2, 3}}, {{2, 3}}}, 0),
              stack_sample("stack in the middle", {{{2, 3}}, {{2, 3}}, {{2, 3}}}, 1),
              stack_sample("stack at the end", {{{2, 3}}, {{2, 3}}}, -1),
              stack_sample("stack scalars", {{{}}, {{}}}, 0),
          },
      .errors =
          {
              {"nothing", [] { concat(std::span<const Tensor>()); }, "ValueError", {"concat", "no inputs"}},
              {"other sizes",
               [] { concat({zeros({2, 3}), zeros({2, 4})}, 0); },
               "ShapeError",
               {"concat", "f32[2, 3]", "f32[2, 4]", "axes other than 0"}},
              {"other ranks",
               [] { concat({zeros({2, 3}), zeros({2})}, 0); },
               "ShapeError",
               {"concat", "f32[2, 3]", "f32[2]"}},
              {"scalars", [] { concat({zeros({}), zeros({})}); }, "ShapeError", {"concat", "axis 0"}},
              {"an axis out of range",
               [] { concat({zeros({2, 3})}, 2); },
               "ShapeError",
               {"concat", "axis 2"}},
              {"other types",
               [] { concat({zeros({2}), zeros({2}, Dtype::f64)}); },
               "TypeError",
               {"concat", "f32[2]", "f64[2]"}},
              {"stack nothing",
               [] { stack(std::span<const Tensor>()); },
               "ValueError",
               {"stack", "no inputs"}},
              {"stack other shapes",
               [] { stack({zeros({2}), zeros({1})}); },
               "ShapeError",
               {"stack", "f32[2], f32[1]"}},
              {"stack beyond the axes", [] { stack({zeros({2})}, 2); }, "ShapeError", {"stack", "axis 2"}},
              {"stack undefined",
               [] { stack({zeros({2}), Tensor()}); },
               "ValueError",
               {"stack", "undefined"}},
              {"undefined", [] { concat({zeros({2}), Tensor()}); }, "ValueError", {"concat", "undefined"}},
          },
      .dtypes = kStoredTypes,
      .benchmarks = {concat_sample("channels", {{{128, 32, 16, 16}}, {{128, 32, 16, 16}}}, 1)},
  };
}

}  // namespace espalier::test
