#pragma once

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "optim/optimiser.h"

namespace espalier::test {

using MakeOptimiser = std::function<std::unique_ptr<optim::Optimiser>(const nn::NamedTensors&)>;
/// The next value of entry `i`, from its value and gradient, in step 1, 2, ...
using ScalarUpdate = std::function<double(size_t i, int step, double w, double gradient)>;

/// Ten steps down sum w^4 / 4 from three points, in f32 and f64, against the update of plain numbers.
inline void expect_trajectory(const MakeOptimiser& make, const ScalarUpdate& update) {
  for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
    ScalarUpdate scalar = update;  // each type starts with fresh memory
    std::vector<double> w = {1.5, -0.75, 0.3};
    const Tensor parameter = requires_grad_(
        dtype == Dtype::f64 ? from_values(w, {3}) : from_values(std::vector<float>(w.begin(), w.end()), {3}));
    const auto optimiser = make({{"w", parameter}});
    // An update in f32 rounds about five times.
    const double tolerance = dtype == Dtype::f64 ? 1e-14 : 1e-6;
    for (int step = 1; step <= 10; ++step) {
      Tensor gradient = empty({3}, dtype);
      for (size_t i = 0; i < 3; ++i) {
        const double slope = w[i] * w[i] * w[i];
        if (dtype == Dtype::f64)
          gradient.mutable_data<double>()[i] = slope;
        else
          gradient.mutable_data<float>()[i] = static_cast<float>(slope);
        w[i] = scalar(i, step, w[i], slope);
      }
      Tensor(parameter).set_grad(gradient);
      optimiser->step();
      for (size_t i = 0; i < 3; ++i) {
        const double got = dtype == Dtype::f64 ? parameter.to_vector<double>()[i]
                                               : static_cast<double>(parameter.to_vector<float>()[i]);
        EXPECT_NEAR(got, w[i], tolerance * step) << "entry " << i << " after step " << step;
      }
    }
  }
}

}  // namespace espalier::test
