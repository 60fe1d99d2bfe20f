#include "ops/lstm_cell.h"
#include "ops/narrow_types_internal.h"
#include "ops/recurrent_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/lstm_cell_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/recurrent-inl.h"
// clang-format on

#ifndef ESPALIER_LSTM_CELL_CPU_CC_
#define ESPALIER_LSTM_CELL_CPU_CC_
namespace espalier {

/// The operands of the cell and of its gradient.
template <class T>
struct LstmRows {
  RecurrentRows<const T> x, h, cell;
  RecurrentRows<T> hidden, next;
  int64_t batch, width;
};
template <class T>
struct LstmGradientRows {
  RecurrentRows<const T> dh, dnext, x, h, cell, next;
  RecurrentRows<T> dgates, dcell;
  int64_t batch, width;
};

}  // namespace espalier
#endif

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
void cell(const LstmRows<T>& r) {
  for_each_sequence(r.batch, r.width, 5, [&](int64_t n) {
    cell_row<T>(r.x.row(n), r.h.row(n), r.cell.row(n), r.hidden.row(n), r.next.row(n), r.width);
  });
}

template <class T>
void cell_backward(const LstmGradientRows<T>& r) {
  for_each_sequence(r.batch, r.width, 5, [&](int64_t n) {
    cell_backward_row<T>(r.dh.row(n), r.dnext.row(n), r.x.row(n), r.h.row(n), r.cell.row(n), r.next.row(n),
                         r.dgates.row(n), r.dcell.row(n), r.width);
  });
}

}  // namespace

void lstm_cell_f32(const LstmRows<float>& rows) {
  cell(rows);
}
void lstm_cell_f64(const LstmRows<double>& rows) {
  cell(rows);
}
void lstm_cell_backward_f32(const LstmGradientRows<float>& rows) {
  cell_backward(rows);
}
void lstm_cell_backward_f64(const LstmGradientRows<double>& rows) {
  cell_backward(rows);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(lstm_cell_f32);
HWY_EXPORT(lstm_cell_f64);
HWY_EXPORT(lstm_cell_backward_f32);
HWY_EXPORT(lstm_cell_backward_f64);

namespace {

template <class T>
class LstmWork {
 public:
  LstmWork(const LstmCell&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : rows_{.x = {inputs[0], work},
              .h = {inputs[1], work},
              .cell = {inputs[2], work},
              .hidden = RecurrentRows<T>(outputs[0]),
              .next = RecurrentRows<T>(outputs[1]),
              .batch = outputs[0].shape()[0],
              .width = outputs[0].shape()[1]} {}

  void run() const {
    if constexpr (std::is_same_v<T, double>)
      ESPALIER_DISPATCH(lstm_cell_f64)(rows_);
    else
      ESPALIER_DISPATCH(lstm_cell_f32)(rows_);
  }

 private:
  LstmRows<T> rows_;
};

template <class T>
class LstmBackwardWork {
 public:
  LstmBackwardWork(const LstmCellBackward&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : rows_{.dh = {inputs[0], work},
              .dnext = {inputs[1], work},
              .x = {inputs[2], work},
              .h = {inputs[3], work},
              .cell = {inputs[4], work},
              .next = {inputs[5], work},
              .dgates = RecurrentRows<T>(outputs[0]),
              .dcell = RecurrentRows<T>(outputs[1]),
              .batch = outputs[1].shape()[0],
              .width = outputs[1].shape()[1]} {}

  void run() const {
    if constexpr (std::is_same_v<T, double>)
      ESPALIER_DISPATCH(lstm_cell_backward_f64)(rows_);
    else
      ESPALIER_DISPATCH(lstm_cell_backward_f32)(rows_);
  }

 private:
  LstmGradientRows<T> rows_;
};

}  // namespace

const char* lstm_cell_declines(const LstmCell&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
size_t lstm_cell_scratch(const LstmCell& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<LstmWork>::scratch(op, inputs, outputs);
}
void lstm_cell_cpu(const LstmCell& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<LstmWork>::run(op, inputs, outputs, scratch);
}

const char* lstm_cell_backward_declines(const LstmCellBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[2].dtype());
}
size_t lstm_cell_backward_scratch(const LstmCellBackward& op, Inputs inputs,
                                  std::span<const Tensor> outputs) {
  return FloatKernel<LstmBackwardWork>::scratch(op, inputs, outputs);
}
void lstm_cell_backward_cpu(const LstmCellBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<LstmBackwardWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
#endif
