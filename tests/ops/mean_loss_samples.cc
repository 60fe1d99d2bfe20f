#include "tests/ops/mean_loss_samples.h"

#include "ops/copy.h"

namespace espalier::test {
namespace {

OpSample sample(std::string label, const Shape& shape, const PairLoss& loss, double low, double high,
                const std::function<double(double, double)>& f) {
  return {std::move(label),
          {{shape, low, high}, {shape, 0, 1}},
          [loss](Inputs in) { return Tensors{loss(in[0], in[1])}; },
          [f](const Arrays& in) {
            Array mean;
            const int64_t n = count(in[0].shape);
            for (int64_t i = 0; i < n; ++i) mean[0] += f(in[0][i], in[1][i]);
            mean[0] /= static_cast<double>(n);
            return Arrays{mean};
          }};
}

}  // namespace

std::vector<OpSample> mean_loss_samples(const PairLoss& loss, double low, double high,
                                        const std::function<double(double, double)>& f) {
  OpSample images = sample("one channels-last, one not", {2, 3, 2, 2}, loss, low, high, f);
  images.run = [loss](Inputs in) { return Tensors{loss(channels_last(in[0]), in[1])}; };
  return {sample("matrix", {3, 5}, loss, low, high, f), sample("scalar", {}, loss, low, high, f),
          sample("longer than a tile", {2, 300}, loss, low, high, f), std::move(images),
          sample("empty", {0, 3}, loss, low, high, f)};
}

std::vector<OpSample> mean_loss_benchmarks(const PairLoss& loss, double low, double high) {
  return {sample("32 x 10", {32, 10}, loss, low, high, {}), sample("1M", {1024, 1024}, loss, low, high, {})};
}

std::vector<OpError> mean_loss_errors(const PairLoss& loss, const std::string& name) {
  return {
      {"shapes that would broadcast",
       [=] { loss(zeros({2, 3}), zeros({3})); },
       "ShapeError",
       {name, "f32[2, 3]", "f32[3]", "one shape"}},
      {"types that differ",
       [=] { loss(zeros({2}), zeros({2}, Dtype::f64)); },
       "TypeError",
       {name, "f32[2]", "f64[2]", "one type"}},
      {"no targets", [=] { loss(zeros({2}), Tensor()); }, "ValueError", {name, "undefined"}},
  };
}

}  // namespace espalier::test
