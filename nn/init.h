#pragma once

#include "core/tensor.h"
#include "ops/random.h"

namespace espalier::nn {

// Initial values of parameters, f32 on the CPU. "Fan-in" is the number of inputs that one output sums over.

/// Uniform in [-1/sqrt(fan_in), 1/sqrt(fan_in)): what PyTorch gives the weights (Kaiming uniform with a =
/// sqrt(5)) and biases of linear and convolution layers.
ESPALIER_API Tensor uniform_by_fan_in(const Shape& shape, int64_t fan_in, const Generator& from);

/// Normal with mean 0 and variance 2 / fan_in: He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015),
/// equation 10.
ESPALIER_API Tensor kaiming_normal(const Shape& shape, int64_t fan_in, const Generator& from);

/// Normal with mean 0 and standard deviation `deviation`.
ESPALIER_API Tensor normal_values(const Shape& shape, double deviation, const Generator& from);

}  // namespace espalier::nn
