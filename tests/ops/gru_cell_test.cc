#include "ops/gru_cell.h"

#include <cmath>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double gru_cell_logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

Array gru_cell_reference(const Array& x, const Array& h, const Array& hidden) {
  Array next(hidden.shape);
  const int64_t width = hidden.shape[1];
  for_each_index(hidden.shape, [&](const Dims& at) {
    const auto part = [&](const Array& from, int64_t which) {
      return from.at({at[0], which * width + at[1]});
    };
    const double reset = gru_cell_logistic(part(x, 0) + part(h, 0)),
                 update = gru_cell_logistic(part(x, 1) + part(h, 1));
    const double candidate = std::tanh(part(x, 2) + reset * part(h, 2));
    next.at(at) = (1 - update) * candidate + update * hidden.at(at);
  });
  return next;
}

OpSample gru_cell_sample(std::string label, int64_t batch, int64_t width) {
  const Shape gates{batch, 3 * width};
  return {std::move(label),
          {{gates}, {gates}, {{batch, width}}},
          [](Inputs in) { return Tensors{gru_cell(in[0], in[1], in[2])}; },
          [](const Arrays& in) { return Arrays{gru_cell_reference(in[0], in[1], in[2])}; }};
}

}  // namespace

OpTest gru_cell_test() {
  return {
      .name = "gru_cell",
      .covers = {"gru_cell_backward"},
      .samples = {gru_cell_sample("units", 3, 5), gru_cell_sample("wider than a vector", 2, 19),
                  gru_cell_sample("one", 1, 1), gru_cell_sample("no sequences", 0, 4),
                  gru_cell_sample("no units", 2, 0)},
      .errors =
          {
              {"gates of another width",
               [] { gru_cell(zeros({2, 16}), zeros({2, 16}), zeros({2, 4})); },
               "ShapeError",
               {"gru_cell", "f32[2, 16]", "f32[2, 4]", "[N, 3H]"}},
              {"two types",
               [] { gru_cell(zeros({2, 12}), zeros({2, 12}, Dtype::f64), zeros({2, 4})); },
               "TypeError",
               {"gru_cell", "f64[2, 12]"}},
              {"no state",
               [] { gru_cell(zeros({2, 12}), zeros({2, 12}), {}); },
               "ValueError",
               {"gru_cell", "undefined"}},
              {"a gradient of another shape",
               [] {
                 const Tensor gates = zeros({2, 12});
                 apply(GruCellBackward(), {zeros({2, 3}), gates, gates, zeros({2, 4})});
               },
               "ShapeError",
               {"gru_cell_backward", "f32[2, 3]", "[2, 4]"}},
          },
      // Three functions with up to 2.5 units of error each, multiplied and added.
      .tolerance = 12,
      .benchmarks = {gru_cell_sample("batch 32, 256 units", 32, 256)},
  };
}

}  // namespace espalier::test
