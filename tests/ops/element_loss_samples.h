#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/loss.h"
#include "tests/support/op_test.h"

namespace espalier::test {

using PairLoss =
    std::function<Tensor(const Tensor& predictions, const Tensor& targets, LossReduction reduction)>;

/// The terms of a loss, brought together.
Arrays reduced_terms(const Array& terms, LossReduction reduction);

/// Samples, with each reduction, of a loss whose terms are `f(prediction, target)`, for predictions from
/// [low, high) and targets from [least, 1).
std::vector<OpSample> element_loss_samples(const PairLoss& loss, double low, double high,
                                           const std::function<double(double, double)>& f, double least = 0);
std::vector<OpSample> element_loss_benchmarks(const PairLoss& loss, double low, double high);

/// What the terms must be for given f32 predictions and targets, such as infinities. Nothing is computed from
/// the sample's own input.
OpSample fixed_loss_sample(std::string label, const PairLoss& loss, const std::vector<float>& predictions,
                           const std::vector<float>& targets, const std::vector<double>& terms);

/// Shapes and types that differ, and undefined tensors.
std::vector<OpError> element_loss_errors(const PairLoss& loss, const std::string& name);

}  // namespace espalier::test
