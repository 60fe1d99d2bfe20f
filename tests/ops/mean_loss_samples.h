#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/op_test.h"

namespace espalier::test {

using PairLoss = std::function<Tensor(const Tensor& predictions, const Tensor& targets)>;

/// Samples of a loss that is the mean of `f(prediction, target)`, for predictions from [low, high) and
/// targets from [0, 1).
std::vector<OpSample> mean_loss_samples(const PairLoss& loss, double low, double high,
                                        const std::function<double(double, double)>& f);
std::vector<OpSample> mean_loss_benchmarks(const PairLoss& loss, double low, double high);

/// Shapes and types that differ, and undefined tensors.
std::vector<OpError> mean_loss_errors(const PairLoss& loss, const std::string& name);

}  // namespace espalier::test
