// ONNX's operators along axes: sums and the like, places, probabilities.

#include "core/error.h"
#include "ops/abs.h"
#include "ops/argmax.h"
#include "ops/cast.h"
#include "ops/cumsum.h"
#include "ops/logsumexp.h"
#include "ops/max.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/product.h"
#include "ops/softmax.h"
#include "ops/sqrt.h"
#include "ops/sum.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {
namespace {

using OnnxReduce = Tensor (*)(const Tensor& x, const Dims& axes, bool keepdim);

/// Axes are an input, and before version 18 of most an attribute; none are all, or none at all where the
/// attribute for it says so. Results have the type of the input.
template <OnnxReduce f>
Tensors read_reduction(OnnxReading& r) {
  const Tensor& x = r.input(0);
  const Dims axes = dims_of(r.has(1) ? r.integers(1) : r.integers("axes", {}));
  const bool keepdim = r.integer("keepdims", 1) != 0, noop = r.integer("noop_with_empty_axes", 0) != 0;
  if (axes.empty() && noop) return {x};
  return {cast(f(x, axes, keepdim), x.dtype())};
}

Tensor sum_of_magnitudes(const Tensor& x, const Dims& axes, bool keepdim) {
  return sum(abs(x), axes, keepdim);
}

Tensor sum_of_squares(const Tensor& x, const Dims& axes, bool keepdim) {
  return sum(x * x, axes, keepdim);
}

Tensor root_of_squares(const Tensor& x, const Dims& axes, bool keepdim) {
  return sqrt(sum_of_squares(x, axes, keepdim));
}

template <Tensor (*f)(const Tensor&, int64_t, bool)>
Tensors read_place(OnnxReading& r) {
  r.expect("select_last_index", 0);
  return {f(r.input(0), r.integer("axis", 0), r.integer("keepdims", 1) != 0)};
}

template <Tensor (*f)(const Tensor&, int64_t)>
Tensors read_probabilities(OnnxReading& r) {
  return {f(r.input(0), r.integer("axis", -1))};
}

Tensors read_cumsum(OnnxReading& r) {
  r.expect("exclusive", 0);
  const Tensor& x = r.input(0);
  const CumulativeSum operation(r.scalar(1).to_int(), r.integer("reverse", 0) != 0);
  return {cast(apply_one(operation, x), x.dtype())};
}

}  // namespace

const OnnxReaders& reduction_onnx_readers() {
  static const OnnxReaders all = {
      {"ArgMax", read_place<argmax>},
      {"ArgMin", read_place<argmin>},
      {"CumSum", read_cumsum},
      {"LogSoftmax", read_probabilities<log_softmax>},
      {"ReduceL1", read_reduction<sum_of_magnitudes>},
      {"ReduceL2", read_reduction<root_of_squares>},
      {"ReduceLogSumExp", read_reduction<logsumexp>},
      {"ReduceMax", read_reduction<max>},
      {"ReduceMean", read_reduction<mean>},
      {"ReduceMin", read_reduction<min>},
      {"ReduceProd", read_reduction<product>},
      {"ReduceSum", read_reduction<sum>},
      {"ReduceSumSquare", read_reduction<sum_of_squares>},
      {"Softmax", read_probabilities<softmax>},
  };
  return all;
}

}  // namespace espalier::runtime
