#include "ops/slice.h"

#include "ops/copy.h"
#include "ops/pad.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// `picked` are the indices that the ranges stand for, axis by axis, spelt out.
OpSample slice_sample(std::string label, const Shape& shape, const std::vector<Range>& ranges,
                      std::vector<std::vector<int64_t>> picked) {
  return {std::move(label),
          {{shape}},
          [ranges](Inputs in) { return Tensors{slice(in[0], ranges)}; },
          [picked](const Arrays& in) {
            Shape part;
            for (const auto& indices : picked) part.push_back(static_cast<int64_t>(indices.size()));
            Array result(part);
            for_each_index(part, [&](const Dims& index) {
              Dims from = index;
              for (int i = 0; i < from.rank(); ++i)
                from[i] = picked[static_cast<size_t>(i)][static_cast<size_t>(index[i])];
              result.at(index) = in[0].at(from);
            });
            return Arrays{result};
          }};
}

OpSample narrow_sample(std::string label, const Shape& shape, int64_t start, int64_t length,
                       std::vector<std::vector<int64_t>> picked) {
  OpSample made = slice_sample(std::move(label), shape, {}, std::move(picked));
  made.run = [=](Inputs in) { return Tensors{narrow(in[0], -1, start, length)}; };
  return made;
}

/// The shortcut of a residual network that halves the image and doubles the channels.
OpSample shortcut(std::string label, const Shape& shape) {
  return {std::move(label),
          {{shape}},
          [](Inputs in) {
            const int64_t more = in[0].shape()[1] / 2;
            const Tensor halved = slice(channels_last(in[0]), {{}, {}, {.step = 2}, {.step = 2}});
            return Tensors{pad(halved, {0, more, 0, 0}, {0, more, 0, 0})};
          },
          [](const Arrays& in) {
            const Shape& from = in[0].shape;
            Array result({from[0], from[1] + from[1] / 2 * 2, (from[2] + 1) / 2, (from[3] + 1) / 2});
            for_each_index(result.shape, [&](const Dims& i) {
              const int64_t channel = i[1] - from[1] / 2;
              if (channel >= 0 && channel < from[1])
                result.at(i) = in[0].at({i[0], channel, 2 * i[2], 2 * i[3]});
            });
            return Arrays{result};
          }};
}

}  // namespace

OpTest slice_test() {
  return {
      .name = "slice",
      .samples =
          {
              slice_sample("steps", {3, 7}, {{.start = 1}, {.step = 3}}, {{1, 2}, {0, 3, 6}}),
              slice_sample("fewer ranges than axes", {4, 2}, {{1, 3}}, {{1, 2}, {0, 1}}),
              slice_sample("from the end", {5, 6}, {{-3, -1}, {-5, kEnd, 2}}, {{2, 3}, {1, 3, 5}}),
              slice_sample("outside is cut off", {4, 3}, {{-9, 9}, {2, 100, 7}}, {{0, 1, 2, 3}, {2}}),
              slice_sample("nothing", {4, 3}, {{3, 1}, {}}, {{}, {0, 1, 2}}),
              slice_sample("behind the end", {4}, {{7}}, {{}}),
              slice_sample("a huge step", {4, 2}, {{1, kEnd, kEnd}}, {{1}, {0, 1}}),
              slice_sample("empty", {0, 3}, {{}, {.step = 2}}, {{}, {0, 2}}),
              slice_sample("scalar", {}, {}, {}),
              shortcut("channels-last shortcut", {2, 4, 5, 6}),
              narrow_sample("narrow", {2, 5}, 1, 3, {{0, 1}, {1, 2, 3}}),
              narrow_sample("narrow from the end", {2, 5}, -2, 2, {{0, 1}, {3, 4}}),
              narrow_sample("narrow to nothing", {2, 5}, 5, 0, {{0, 1}, {}}),
          },
      .errors =
          {
              {"too many ranges",
               [] { slice(zeros({2, 3}), {{}, {}, {}}); },
               "ShapeError",
               {"slice", "3 ranges", "f32[2, 3]"}},
              {"step 0",
               [] { slice(zeros({2}), {{.step = 0}}); },
               "ValueError",
               {"slice", "step 0", "expected 1 or more"}},
              {"an axis out of range",
               [] { slice(zeros({2, 3}), -3, {0, 1}); },
               "ShapeError",
               {"slice", "axis -3", "2 axes"}},
              {"narrow past the end",
               [] { narrow(zeros({2, 3}), 1, 1, 3); },
               "ValueError",
               {"narrow", "3 elements from 1", "axis 1", "f32[2, 3]"}},
              {"narrow before the start",
               [] { narrow(zeros({3}), 0, -4, 1); },
               "ValueError",
               {"narrow", "-4"}},
              {"narrow by a negative length", [] { narrow(zeros({3}), 0, 0, -1); }, "ValueError", {"narrow"}},
              {"undefined", [] { slice(Tensor(), {{0, 1}}); }, "ValueError", {"slice", "undefined"}},
          },
      .dtypes = kStoredTypes,
      .benchmarks = {shortcut("shortcut of ResNet-20", {128, 16, 32, 32})},
  };
}

}  // namespace espalier::test
