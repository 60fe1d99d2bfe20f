#include "ops/lstm_cell.h"

#include <cmath>

#include "ops/reshape.h"
#include "ops/slice.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double lstm_cell_logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

Arrays lstm_cell_reference(const Array& x, const Array& h, const Array& cell) {
  Array hidden(cell.shape), next(cell.shape);
  const int64_t width = cell.shape[1];
  for_each_index(cell.shape, [&](const Dims& at) {
    const auto gate = [&](int64_t which) {
      const Dims place{at[0], which * width + at[1]};
      return x.at(place) + h.at(place);
    };
    const double state =
        lstm_cell_logistic(gate(1)) * cell.at(at) + lstm_cell_logistic(gate(0)) * std::tanh(gate(2));
    next.at(at) = state;
    hidden.at(at) = lstm_cell_logistic(gate(3)) * std::tanh(state);
  });
  return {hidden, next};
}

OpSample lstm_cell_sample(std::string label, int64_t batch, int64_t width) {
  const Shape gates{batch, 4 * width};
  return {std::move(label),
          {{gates}, {gates}, {{batch, width}}},
          [](Inputs in) {
            const LstmState state = lstm_cell(in[0], in[1], in[2]);
            return Tensors{state.hidden, state.cell};
          },
          [](const Arrays& in) { return lstm_cell_reference(in[0], in[1], in[2]); }};
}

/// The gates of one step, where they lie in those of a sequence.
OpSample step_of_sequence() {
  OpSample whole = lstm_cell_sample("a step of a sequence", 3, 5);
  whole.inputs[0].shape = {3, 2, 20};
  const auto run = whole.run;
  whole.run = [run](Inputs in) {
    const Tensor step = squeeze(slice(in[0], 1, {.start = 1}), 1);
    return run(std::vector<Tensor>{step, in[1], in[2]});
  };
  whole.reference = [](const Arrays& in) {
    Array gates({3, 20});
    for_each_index(gates.shape, [&](const Dims& i) { gates.at(i) = in[0].at({i[0], 1, i[1]}); });
    return lstm_cell_reference(gates, in[1], in[2]);
  };
  return whole;
}

}  // namespace

OpTest lstm_cell_test() {
  return {
      .name = "lstm_cell",
      .covers = {"lstm_cell_backward"},
      .samples = {lstm_cell_sample("units", 3, 5), lstm_cell_sample("wider than a vector", 2, 19),
                  lstm_cell_sample("one", 1, 1), lstm_cell_sample("no sequences", 0, 4),
                  lstm_cell_sample("no units", 2, 0), step_of_sequence()},
      .errors =
          {
              {"gates of another width",
               [] { lstm_cell(zeros({2, 12}), zeros({2, 12}), zeros({2, 4})); },
               "ShapeError",
               {"lstm_cell", "f32[2, 12]", "f32[2, 4]", "[N, 4H]"}},
              {"other parts",
               [] { lstm_cell(zeros({2, 16}), zeros({3, 16}), zeros({2, 4})); },
               "ShapeError",
               {"lstm_cell", "f32[3, 16]"}},
              {"two types",
               [] { lstm_cell(zeros({2, 16}), zeros({2, 16}), zeros({2, 4}, Dtype::f64)); },
               "TypeError",
               {"lstm_cell", "f64[2, 4]"}},
              {"no cell",
               [] { lstm_cell(zeros({2, 16}), zeros({2, 16}), {}); },
               "ValueError",
               {"lstm_cell", "undefined"}},
              {"a gradient of another shape",
               [] {
                 const Tensor gates = zeros({2, 16}), cell = zeros({2, 4});
                 apply(LstmCellBackward(), {zeros({2, 3}), {}, gates, gates, cell, cell});
               },
               "ShapeError",
               {"lstm_cell_backward", "f32[2, 3]", "[2, 4] for input 0"}},
          },
      // Three functions with up to 2.5 units of error each, multiplied and added.
      .tolerance = 12,
      .benchmarks = {lstm_cell_sample("batch 32, 256 units", 32, 256)},
  };
}

}  // namespace espalier::test
