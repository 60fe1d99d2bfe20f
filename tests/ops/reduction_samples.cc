#include "tests/ops/reduction_samples.h"

#include <algorithm>
#include <numeric>

namespace espalier::test {
namespace {

bool contains(const Dims& axes, int axis, int rank) {
  return axes.empty() ||
         std::any_of(axes.begin(), axes.end(), [&](int64_t a) { return (a < 0 ? a + rank : a) == axis; });
}

}  // namespace

Array reduced(const Array& input, const Dims& axes, bool keepdim,
              const std::function<double(const std::vector<double>&)>& fold) {
  const int rank = input.shape.rank();
  Shape shape, kept = input.shape;
  for (int i = 0; i < rank; ++i) {
    if (contains(axes, i, rank)) kept[i] = 1;
    if (kept[i] == input.shape[i] && !contains(axes, i, rank))
      shape.push_back(kept[i]);
    else if (keepdim)
      shape.push_back(1);
  }
  Array position(kept);  // where the slice of an index stands
  std::vector<std::vector<double>> slices(position.values.size());
  for (size_t i = 0; i < slices.size(); ++i) position.values[i] = static_cast<double>(i);
  for_each_index(input.shape, [&](const Dims& index) {
    slices[static_cast<size_t>(broadcast_at(position, index))].push_back(input.at(index));
  });
  Array result(shape);
  std::transform(slices.begin(), slices.end(), result.values.begin(), fold);
  return result;
}

double total(const std::vector<double>& slice) {
  return static_cast<double>(std::accumulate(slice.begin(), slice.end(), 0.0L));
}

std::vector<OpSample> reduction_samples(
    const std::function<Tensor(const Tensor&, const Dims& axes, bool keepdim)>& run,
    const std::function<double(const std::vector<double>&)>& fold, bool empty_slices) {
  const auto sample = [&](std::string label, const Shape& shape, const Dims& axes, bool keepdim = false) {
    InputSpec input{shape};
    input.differentiable = count(shape) <= 1000;  // differences take a run for each element
    return OpSample{std::move(label),
                    {input},
                    [=](Inputs in) { return Tensors{run(in[0], axes, keepdim)}; },
                    [=](const Arrays& in) { return Arrays{reduced(in[0], axes, keepdim, fold)}; }};
  };
  std::vector<OpSample> samples = {
      sample("everything", {3, 5}, {}),
      sample("a scalar", {}, {}),
      sample("rows", {4, 37}, {-1}),
      sample("columns", {9, 37}, {0}),
      sample("columns, kept", {9, 37}, {0}, true),
      sample("few columns", {300, 3}, {0}),
      sample("the middle", {3, 7, 5}, {1}),
      sample("around the middle", {4, 3, 5}, {0, -1}),
      sample("images to channels", {2, 3, 4, 5}, {0, 2, 3}),
      sample("images to pixels, kept", {2, 3, 4, 5}, {-3}, true),
      sample("axes of one element", {1, 4, 1}, {0, 1}),
      sample("rows in several blocks", {3, 5000}, {1}),
      sample("columns in several chunks and blocks", {130, 1500}, {0}),
      sample("everything, in several units", {71, 1009}, {}),
      sample("no slices", {0, 3}, {1}),
  };
  if (empty_slices) {
    samples.push_back(sample("rows without elements", {3, 0}, {1}));
    samples.push_back(sample("columns without elements", {0, 3}, {0}));
    samples.push_back(sample("nothing at all", {0}, {}));
  }
  return samples;
}

std::vector<OpSample> reduction_benchmarks(
    const std::function<Tensor(const Tensor&, const Dims& axes, bool keepdim)>& run) {
  const auto sample = [&](std::string label, const Shape& shape, const Dims& axes) {
    return OpSample{
        std::move(label), {{shape}}, [=](Inputs in) { return Tensors{run(in[0], axes, false)}; }, {}};
  };
  return {sample("rows", {768, 512}, {1}),
          sample("columns: the gradient of a bias", {768, 512}, {0}),
          sample("channels-last images to channels", {128, 32, 32, 16}, {0, 1, 2}),
          sample("channels-last images to a vector each", {128, 8, 8, 64}, {1, 2}),
          sample("images to channels", {128, 16, 32, 32}, {0, 2, 3}),
          sample("everything", {1024, 1024}, {})};
}

}  // namespace espalier::test
