#include "ops/gru_cell.h"
#include "ops/narrow_types_internal.h"
#include "ops/recurrent_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gru_cell_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/recurrent-inl.h"
// clang-format on

#ifndef ESPALIER_GRU_CELL_CPU_CC_
#define ESPALIER_GRU_CELL_CPU_CC_
namespace espalier {

/// The operands of the cell and of its gradient.
template <class T>
struct GruRows {
  RecurrentRows<const T> x, h, hidden;
  RecurrentRows<T> next;
  int64_t batch, width;
};
template <class T>
struct GruGradientRows {
  RecurrentRows<const T> gradient, x, h, hidden;
  RecurrentRows<T> dx, dh, dhidden;
  int64_t batch, width;
};

}  // namespace espalier
#endif

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
void cell(const GruRows<T>& r) {
  for_each_sequence(r.batch, r.width, 3, [&](int64_t n) {
    cell_row<T>(r.x.row(n), r.h.row(n), r.hidden.row(n), r.next.row(n), r.width);
  });
}

template <class T>
void cell_backward(const GruGradientRows<T>& r) {
  for_each_sequence(r.batch, r.width, 3, [&](int64_t n) {
    cell_backward_row<T>(r.gradient.row(n), r.x.row(n), r.h.row(n), r.hidden.row(n), r.dx.row(n), r.dh.row(n),
                         r.dhidden.row(n), r.width);
  });
}

}  // namespace

void gru_cell_f32(const GruRows<float>& rows) {
  cell(rows);
}
void gru_cell_f64(const GruRows<double>& rows) {
  cell(rows);
}
void gru_cell_backward_f32(const GruGradientRows<float>& rows) {
  cell_backward(rows);
}
void gru_cell_backward_f64(const GruGradientRows<double>& rows) {
  cell_backward(rows);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(gru_cell_f32);
HWY_EXPORT(gru_cell_f64);
HWY_EXPORT(gru_cell_backward_f32);
HWY_EXPORT(gru_cell_backward_f64);

namespace {

template <class T>
class GruWork {
 public:
  GruWork(const GruCell&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : rows_{.x = {inputs[0], work},
              .h = {inputs[1], work},
              .hidden = {inputs[2], work},
              .next = RecurrentRows<T>(outputs[0]),
              .batch = outputs[0].shape()[0],
              .width = outputs[0].shape()[1]} {}

  void run() const {
    if constexpr (std::is_same_v<T, double>)
      ESPALIER_DISPATCH(gru_cell_f64)(rows_);
    else
      ESPALIER_DISPATCH(gru_cell_f32)(rows_);
  }

 private:
  GruRows<T> rows_;
};

template <class T>
class GruBackwardWork {
 public:
  GruBackwardWork(const GruCellBackward&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : rows_{.gradient = {inputs[0], work},
              .x = {inputs[1], work},
              .h = {inputs[2], work},
              .hidden = {inputs[3], work},
              .dx = RecurrentRows<T>(outputs[0]),
              .dh = RecurrentRows<T>(outputs[1]),
              .dhidden = RecurrentRows<T>(outputs[2]),
              .batch = outputs[2].shape()[0],
              .width = outputs[2].shape()[1]} {}

  void run() const {
    if constexpr (std::is_same_v<T, double>)
      ESPALIER_DISPATCH(gru_cell_backward_f64)(rows_);
    else
      ESPALIER_DISPATCH(gru_cell_backward_f32)(rows_);
  }

 private:
  GruGradientRows<T> rows_;
};

}  // namespace

const char* gru_cell_declines(const GruCell&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
size_t gru_cell_scratch(const GruCell& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<GruWork>::scratch(op, inputs, outputs);
}
void gru_cell_cpu(const GruCell& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<GruWork>::run(op, inputs, outputs, scratch);
}

const char* gru_cell_backward_declines(const GruCellBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
size_t gru_cell_backward_scratch(const GruCellBackward& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<GruBackwardWork>::scratch(op, inputs, outputs);
}
void gru_cell_backward_cpu(const GruCellBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<GruBackwardWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
#endif
