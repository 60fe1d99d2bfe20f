#pragma once

#include "tests/support/op_test.h"

namespace espalier::test {

/// The array that is left when `fold` has made one number of the elements along `axes` (none: all), which it
/// gets in row-major order.
Array reduced(const Array& input, const Dims& axes, bool keepdim,
              const std::function<double(const std::vector<double>&)>& fold);

/// The sum of a slice, itself with less rounding than what is tested.
double total(const std::vector<double>& slice);

/// Samples of a reduction over axes, one for each way through its kernels: rows, columns, everything, axes
/// with others between them, more elements than a block holds. `empty_slices`: also slices without elements.
std::vector<OpSample> reduction_samples(
    const std::function<Tensor(const Tensor&, const Dims& axes, bool keepdim)>& run,
    const std::function<double(const std::vector<double>&)>& fold, bool empty_slices);

/// The shapes that training reduces, for benchmarks.
std::vector<OpSample> reduction_benchmarks(
    const std::function<Tensor(const Tensor&, const Dims& axes, bool keepdim)>& run);

}  // namespace espalier::test
