#include "tests/ops/element_loss_samples.h"

#include "ops/copy.h"

namespace espalier::test {
namespace {

OpSample sample(std::string label, const Shape& shape, const PairLoss& loss, LossReduction reduction,
                double low, double high, double least, const std::function<double(double, double)>& f) {
  return {std::move(label) + ", " + std::string(to_string(reduction)),
          {{shape, low, high}, {shape, least, 1}},
          [loss, reduction](Inputs in) { return Tensors{loss(in[0], in[1], reduction)}; },
          [f, reduction](const Arrays& in) {
            Array terms(in[0].shape);
            for (int64_t i = 0; i < count(terms.shape); ++i) terms[i] = f(in[0][i], in[1][i]);
            return reduced_terms(terms, reduction);
          }};
}

}  // namespace

Arrays reduced_terms(const Array& terms, LossReduction reduction) {
  if (reduction == LossReduction::none) return {terms};
  Array total;
  for (const double term : terms.values) total[0] += term;
  if (reduction == LossReduction::mean) total[0] /= static_cast<double>(terms.values.size());
  return {total};
}

std::vector<OpSample> element_loss_samples(const PairLoss& loss, double low, double high,
                                           const std::function<double(double, double)>& f, double least) {
  std::vector<OpSample> samples;
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
    const auto of = [&](std::string label, const Shape& shape) {
      return sample(std::move(label), shape, loss, reduction, low, high, least, f);
    };
    OpSample images = of("one channels-last, one not", {2, 3, 2, 2});
    images.run = [loss, reduction](Inputs in) {
      return Tensors{loss(channels_last(in[0]), in[1], reduction)};
    };
    samples.insert(samples.end(),
                   {of("matrix", {3, 5}), of("scalar", {}), std::move(images), of("empty", {0, 3})});
    if (reduction != LossReduction::sum) samples.push_back(of("longer than a tile", {2, 300}));
  }
  return samples;
}

std::vector<OpSample> element_loss_benchmarks(const PairLoss& loss, double low, double high) {
  return {sample("32 x 10", {32, 10}, loss, LossReduction::mean, low, high, 0, {}),
          sample("1M", {1024, 1024}, loss, LossReduction::mean, low, high, 0, {}),
          sample("1M", {1024, 1024}, loss, LossReduction::none, low, high, 0, {})};
}

OpSample fixed_loss_sample(std::string label, const PairLoss& loss, const std::vector<float>& predictions,
                           const std::vector<float>& targets, const std::vector<double>& terms) {
  const Shape shape = {static_cast<int64_t>(terms.size())};
  return {std::move(label),
          {{.shape = shape, .differentiable = false}},
          [=](Inputs in) {
            const auto values = [&](const std::vector<float>& list) {
              return known(from_values(list, shape), in[0].device());
            };
            return Tensors{loss(values(predictions), values(targets), LossReduction::none)};
          },
          [=](const Arrays&) {
            Array expected(shape);
            expected.values = terms;
            return Arrays{expected};
          }};
}

std::vector<OpError> element_loss_errors(const PairLoss& loss, const std::string& name) {
  const auto mean = [loss](const Tensor& a, const Tensor& b) { loss(a, b, LossReduction::mean); };
  return {
      {"shapes that would broadcast",
       [=] { mean(zeros({2, 3}), zeros({3})); },
       "ShapeError",
       {name, "f32[2, 3]", "f32[3]", "one shape"}},
      {"types that differ",
       [=] { mean(zeros({2}), zeros({2}, Dtype::f64)); },
       "TypeError",
       {name, "f32[2]", "f64[2]", "one type"}},
      {"no targets", [=] { mean(zeros({2}), Tensor()); }, "ValueError", {name, "undefined"}},
  };
}

}  // namespace espalier::test
