#include "ops/lstm_cell.h"
#include "ops/narrow_types_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/lstm_cell_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/recurrent-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// The cell's four gates at a place.
template <class V>
struct Gates {
  V i, f, g, o;
};

template <class D, class M, class T = hn::TFromD<D>>
HWY_INLINE Gates<hn::Vec<D>> gates_at(D d, M mask, const T* x, const T* h, int64_t width, int64_t at) {
  const auto sum = [&](int64_t gate) HWY_ATTR {
    const int64_t place = gate * width + at;
    return hn::Add(load_first(mask, d, x + place), load_first(mask, d, h + place));
  };
  return {vector_sigmoid(d, sum(0)), vector_sigmoid(d, sum(1)), vector_tanh(d, sum(2)),
          vector_sigmoid(d, sum(3))};
}

template <class T>
HWY_ATTR void cell_row(const T* x, const T* h, const T* cell, T* hidden, T* next, int64_t width) {
  const hn::ScalableTag<T> d;
  for_each_vector(d, width, [&](auto mask, int64_t at) HWY_ATTR {
    const auto gate = gates_at(d, mask, x, h, width, at);
    const auto state = hn::MulAdd(gate.f, load_first(mask, d, cell + at), hn::Mul(gate.i, gate.g));
    hn::BlendedStore(state, mask, d, next + at);
    hn::BlendedStore(hn::Mul(gate.o, vector_tanh(d, state)), mask, d, hidden + at);
  });
}

/// With t = tanh(c'): dc' grows by dh o (1 - t^2), and each gate's sum gets its share times the derivative of
/// the logistic function, s (1 - s), or of tanh, 1 - g^2.
template <class T>
HWY_ATTR void cell_backward_row(const T* dh, const T* dnext, const T* x, const T* h, const T* cell,
                                const T* next, T* dgates, T* dcell, int64_t width) {
  const hn::ScalableTag<T> d;
  for_each_vector(d, width, [&](auto mask, int64_t at) HWY_ATTR {
    const auto gate = gates_at(d, mask, x, h, width, at);
    const auto t = vector_tanh(d, load_first(mask, d, next + at));
    const auto from_h = dh ? load_first(mask, d, dh + at) : hn::Zero(d);
    auto slope = dnext ? load_first(mask, d, dnext + at) : hn::Zero(d);
    slope = hn::MulAdd(hn::Mul(from_h, gate.o), tanh_slope(d, t), slope);
    const auto store = [&](int64_t which, auto value)
                           HWY_ATTR { hn::BlendedStore(value, mask, d, dgates + which * width + at); };
    store(0, hn::Mul(hn::Mul(slope, gate.g), logistic_slope(gate.i)));
    store(1, hn::Mul(hn::Mul(slope, load_first(mask, d, cell + at)), logistic_slope(gate.f)));
    store(2, hn::Mul(hn::Mul(slope, gate.i), tanh_slope(d, gate.g)));
    store(3, hn::Mul(hn::Mul(from_h, t), logistic_slope(gate.o)));
    hn::BlendedStore(hn::Mul(slope, gate.f), mask, d, dcell + at);
  });
}

template <class T>
void cell(Inputs inputs, Outputs outputs) {
  const RecurrentRows<const T> x(inputs[0]), h(inputs[1]), state(inputs[2]);
  const RecurrentRows<T> hidden(outputs[0]), next(outputs[1]);
  const int64_t width = outputs[0].shape()[1];
  for_each_sequence(outputs[0].shape()[0], width, 5, [&](int64_t n) {
    cell_row<T>(x.row(n), h.row(n), state.row(n), hidden.row(n), next.row(n), width);
  });
}

template <class T>
void cell_backward(Inputs inputs, Outputs outputs) {
  const RecurrentRows<const T> dh(inputs[0]), dnext(inputs[1]), x(inputs[2]), h(inputs[3]), state(inputs[4]),
      next(inputs[5]);
  const RecurrentRows<T> dgates(outputs[0]), dcell(outputs[1]);
  const int64_t width = outputs[1].shape()[1];
  for_each_sequence(outputs[1].shape()[0], width, 5, [&](int64_t n) {
    cell_backward_row<T>(dh.row(n), dnext.row(n), x.row(n), h.row(n), state.row(n), next.row(n),
                         dgates.row(n), dcell.row(n), width);
  });
}

}  // namespace

void lstm_cell_f32(Inputs inputs, Outputs outputs) {
  cell<float>(inputs, outputs);
}
void lstm_cell_f64(Inputs inputs, Outputs outputs) {
  cell<double>(inputs, outputs);
}
void lstm_cell_backward_f32(Inputs inputs, Outputs outputs) {
  cell_backward<float>(inputs, outputs);
}
void lstm_cell_backward_f64(Inputs inputs, Outputs outputs) {
  cell_backward<double>(inputs, outputs);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(lstm_cell_f32);
HWY_EXPORT(lstm_cell_f64);
HWY_EXPORT(lstm_cell_backward_f32);
HWY_EXPORT(lstm_cell_backward_f64);

const char* lstm_cell_declines(const LstmCell&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
void lstm_cell_cpu(const LstmCell&, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return ESPALIER_DISPATCH(lstm_cell_f64)(inputs, outputs);
  run_in_f32(inputs, outputs, [](Inputs in, Outputs out) { ESPALIER_DISPATCH(lstm_cell_f32)(in, out); });
}

const char* lstm_cell_backward_declines(const LstmCellBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[2].dtype());
}
void lstm_cell_backward_cpu(const LstmCellBackward&, Inputs inputs, Outputs outputs) {
  if (inputs[2].dtype() == Dtype::f64) return ESPALIER_DISPATCH(lstm_cell_backward_f64)(inputs, outputs);
  run_in_f32(inputs, outputs,
             [](Inputs in, Outputs out) { ESPALIER_DISPATCH(lstm_cell_backward_f32)(in, out); });
}

}  // namespace espalier
#endif
