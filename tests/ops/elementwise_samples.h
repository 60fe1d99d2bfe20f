#pragma once

#include "tests/support/op_test.h"

namespace espalier::test {

/// Samples of an operation on two operands, one for each way through the elementwise loop.
std::vector<OpSample> binary_samples(const std::function<Tensor(Inputs)>& run,
                                     const std::function<double(const std::vector<double>&)>& f,
                                     const InputSpec& a = {}, const InputSpec& b = {});

/// The same for an operation on one operand, whose elements are drawn from [low, high).
std::vector<OpSample> unary_samples(const std::function<Tensor(const Tensor&)>& run,
                                    const std::function<double(double)>& f, double low = -2, double high = 2);

/// Errors that every operation on two operands gives.
std::vector<OpError> binary_errors(const std::string& name,
                                   const std::function<Tensor(const Tensor&, const Tensor&)>& run);

/// Activations as a language model and a small network have them, for benchmarks.
std::vector<OpSample> unary_benchmarks(const std::function<Tensor(const Tensor&)>& run);

}  // namespace espalier::test
