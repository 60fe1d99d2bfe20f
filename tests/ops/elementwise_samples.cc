#include "tests/ops/elementwise_samples.h"

#include "autograd/autograd.h"

namespace espalier::test {

std::vector<OpSample> binary_samples(const std::function<Tensor(Inputs)>& run,
                                     const std::function<double(const std::vector<double>&)>& f,
                                     const InputSpec& a, const InputSpec& b) {
  const auto sample = [&](std::string label, const Shape& first, const Shape& second) {
    InputSpec x = a, y = b;
    x.shape = first;
    y.shape = second;
    return elementwise_sample(std::move(label), {x, y}, run, f);
  };
  return {
      sample("same shape", {3, 5}, {3, 5}),
      sample("longer than a tile", {2, 300}, {2, 300}),
      sample("row", {4, 7}, {7}),
      sample("column", {4, 7}, {4, 1}),
      sample("outer", {3, 1}, {1, 4}),
      sample("scalars", {}, {}),
      sample("scalar and cube", {}, {2, 3, 4}),
      sample("empty", {0, 3}, {1, 3}),
  };
}

std::vector<OpSample> unary_samples(const std::function<Tensor(const Tensor&)>& run,
                                    const std::function<double(double)>& f, double low, double high) {
  const auto sample = [&](std::string label, const Shape& shape) {
    return elementwise_sample(
        std::move(label), {{shape, low, high}}, [run](Inputs in) { return run(in[0]); },
        [f](const std::vector<double>& x) { return f(x[0]); });
  };
  return {sample("matrix", {3, 5}), sample("longer than a tile", {2, 300}), sample("scalar", {}),
          sample("empty", {0, 3})};
}

std::vector<OpError> binary_errors(const std::string& name,
                                   const std::function<Tensor(const Tensor&, const Tensor&)>& run) {
  return {
      {"shapes that do not broadcast",
       [run] { run(zeros({2, 3}), zeros({4})); },
       "ShapeError",
       {name, "[2, 3]", "[4]", "axis -1"}},
      {"an 8-bit float and another type",
       [run] { run(zeros({2}, Dtype::f8_e4m3), zeros({2})); },
       "TypeError",
       {name, "f8_e4m3", "f32"}},
      {"two devices",
       [run] { run(zeros({2}), zeros({2}, Dtype::f32, kMeta)); },
       "DeviceError",
       {name, "meta"}},
      {"no second tensor", [run] { run(zeros({2}), Tensor()); }, "ValueError", {name, "undefined"}},
  };
}

std::vector<OpSample> unary_benchmarks(const std::function<Tensor(const Tensor&)>& run,
                                       const std::string& prefix) {
  const auto sample = [&](const std::string& label, const Shape& shape) {
    return OpSample{prefix + label, {{shape}}, [run](Inputs in) { return Tensors{run(in[0])}; }, {}};
  };
  return {sample("768 x 512", {768, 512}), sample("1024 x 1536", {1024, 1536})};
}

std::vector<OpSample> joined(const std::vector<std::vector<OpSample>>& lists) {
  std::vector<OpSample> all;
  for (const std::vector<OpSample>& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

Tensor slope_of(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  const Tensor leaf = requires_grad_(x.detach());
  return grad(f(leaf), leaf, {.gradients = {ones(x.shape(), x.dtype())}});
}

}  // namespace espalier::test
