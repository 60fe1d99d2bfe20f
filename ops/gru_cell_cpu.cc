#include "ops/gru_cell.h"
#include "ops/narrow_types_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gru_cell_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/recurrent-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// The cell's gates at a place, and h_n, what the reset gate acts on.
template <class V>
struct Gates {
  V reset, update, candidate, recalled;
};

template <class D, class M, class T = hn::TFromD<D>>
HWY_INLINE Gates<hn::Vec<D>> gates_at(D d, M mask, const T* x, const T* h, int64_t width, int64_t at) {
  const auto part = [&](const T* row, int64_t gate)
                        HWY_ATTR { return load_first(mask, d, row + gate * width + at); };
  const auto reset = vector_sigmoid(d, hn::Add(part(x, 0), part(h, 0)));
  const auto update = vector_sigmoid(d, hn::Add(part(x, 1), part(h, 1)));
  const auto recalled = part(h, 2);
  return {reset, update, vector_tanh(d, hn::MulAdd(reset, recalled, part(x, 2))), recalled};
}

template <class T>
HWY_ATTR void cell_row(const T* x, const T* h, const T* hidden, T* next, int64_t width) {
  const hn::ScalableTag<T> d;
  for_each_vector(d, width, [&](auto mask, int64_t at) HWY_ATTR {
    const auto gate = gates_at(d, mask, x, h, width, at);
    const auto change = hn::Sub(load_first(mask, d, hidden + at), gate.candidate);
    hn::BlendedStore(hn::MulAdd(gate.update, change, gate.candidate), mask, d, next + at);
  });
}

/// With s the sum under a gate: ds_n = g (1 - z) (1 - n^2), ds_r = ds_n h_n r (1 - r), ds_z = g (h - n) z (1
/// - z), where g came for h'; h_n gets ds_n r, and h gets g z.
template <class T>
HWY_ATTR void cell_backward_row(const T* gradient, const T* x, const T* h, const T* hidden, T* dx, T* dh,
                                T* dhidden, int64_t width) {
  const hn::ScalableTag<T> d;
  for_each_vector(d, width, [&](auto mask, int64_t at) HWY_ATTR {
    const auto gate = gates_at(d, mask, x, h, width, at);
    const auto g = load_first(mask, d, gradient + at);
    const auto kept = hn::Mul(g, gate.update);
    const auto of_candidate = hn::Mul(hn::Sub(g, kept), tanh_slope(d, gate.candidate));
    const auto of_reset = hn::Mul(hn::Mul(of_candidate, gate.recalled), logistic_slope(gate.reset));
    const auto change = hn::Sub(load_first(mask, d, hidden + at), gate.candidate);
    const auto of_update = hn::Mul(hn::Mul(g, change), logistic_slope(gate.update));
    const auto store = [&](T* row, int64_t which, auto value)
                           HWY_ATTR { hn::BlendedStore(value, mask, d, row + which * width + at); };
    store(dx, 0, of_reset);
    store(dx, 1, of_update);
    store(dx, 2, of_candidate);
    store(dh, 0, of_reset);
    store(dh, 1, of_update);
    store(dh, 2, hn::Mul(of_candidate, gate.reset));
    store(dhidden, 0, kept);
  });
}

template <class T>
void cell(Inputs inputs, Outputs outputs) {
  const RecurrentRows<const T> x(inputs[0]), h(inputs[1]), hidden(inputs[2]);
  const RecurrentRows<T> next(outputs[0]);
  const int64_t width = outputs[0].shape()[1];
  for_each_sequence(outputs[0].shape()[0], width, 3,
                    [&](int64_t n) { cell_row<T>(x.row(n), h.row(n), hidden.row(n), next.row(n), width); });
}

template <class T>
void cell_backward(Inputs inputs, Outputs outputs) {
  const RecurrentRows<const T> gradient(inputs[0]), x(inputs[1]), h(inputs[2]), hidden(inputs[3]);
  const RecurrentRows<T> dx(outputs[0]), dh(outputs[1]), dhidden(outputs[2]);
  const int64_t width = outputs[2].shape()[1];
  for_each_sequence(outputs[2].shape()[0], width, 3, [&](int64_t n) {
    cell_backward_row<T>(gradient.row(n), x.row(n), h.row(n), hidden.row(n), dx.row(n), dh.row(n),
                         dhidden.row(n), width);
  });
}

}  // namespace

void gru_cell_f32(Inputs inputs, Outputs outputs) {
  cell<float>(inputs, outputs);
}
void gru_cell_f64(Inputs inputs, Outputs outputs) {
  cell<double>(inputs, outputs);
}
void gru_cell_backward_f32(Inputs inputs, Outputs outputs) {
  cell_backward<float>(inputs, outputs);
}
void gru_cell_backward_f64(Inputs inputs, Outputs outputs) {
  cell_backward<double>(inputs, outputs);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(gru_cell_f32);
HWY_EXPORT(gru_cell_f64);
HWY_EXPORT(gru_cell_backward_f32);
HWY_EXPORT(gru_cell_backward_f64);

const char* gru_cell_declines(const GruCell&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
void gru_cell_cpu(const GruCell&, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return ESPALIER_DISPATCH(gru_cell_f64)(inputs, outputs);
  run_in_f32(inputs, outputs, [](Inputs in, Outputs out) { ESPALIER_DISPATCH(gru_cell_f32)(in, out); });
}

const char* gru_cell_backward_declines(const GruCellBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
void gru_cell_backward_cpu(const GruCellBackward&, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return ESPALIER_DISPATCH(gru_cell_backward_f64)(inputs, outputs);
  run_in_f32(inputs, outputs,
             [](Inputs in, Outputs out) { ESPALIER_DISPATCH(gru_cell_backward_f32)(in, out); });
}

}  // namespace espalier
#endif
