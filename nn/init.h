#pragma once

#include <cstdint>

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

/// How many inputs one output sums over, and how many outputs one input goes into.
struct Fans {
  int64_t in;
  int64_t out;
};

/// The fans of a weight [out, in] of a linear layer, or [out, in, kernel...] of a convolution (in, for one in
/// groups, is that of a group). Throws ValueError for fewer than two axes.
ESPALIER_API Fans fans_of(const Shape& weight);

/// What follows a layer.
enum class Nonlinearity : uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };
enum class Fan : uint8_t { in, out };

/// The factor on standard deviations that keeps the signal's size through `after`, as PyTorch recommends
/// (torch.nn.init.calculate_gain): 1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 +
/// slope^2)) for leaky_relu, 3/4 for selu. `slope` is leaky_relu's for negative inputs.
ESPALIER_API double gain_of(Nonlinearity after, double slope = 0.01);

// The functions below fill `target`, of a floating type, in place and return it; also a parameter, whose
// recording they leave out. A target without elements stays as it is. They throw ValueError for a gain that
// is not finite or is negative and, where fans count, for fewer than two axes; TypeError for another type.

/// Uniform in [-a, a) with a = gain sqrt(6 / (fan_in + fan_out)): X. Glorot, Y. Bengio, "Understanding the
/// difficulty of training deep feedforward neural networks" (2010), equation 16.
ESPALIER_API Tensor xavier_uniform_(const Tensor& target, double gain = 1, const Generator& from = {});
/// Normal with mean 0 and standard deviation gain sqrt(2 / (fan_in + fan_out)) (the same, equation 12).
ESPALIER_API Tensor xavier_normal_(const Tensor& target, double gain = 1, const Generator& from = {});
/// Uniform in [-a, a) with a = gain sqrt(3 / fan): K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into
/// rectifiers" (2015), in the uniform form. Fan::out keeps the size of gradients instead of activations.
ESPALIER_API Tensor kaiming_uniform_(const Tensor& target, double gain = gain_of(Nonlinearity::relu),
                                     Fan fan = Fan::in, const Generator& from = {});
/// Normal with mean 0 and standard deviation gain / sqrt(fan) (the same, equations 10 and 14).
ESPALIER_API Tensor kaiming_normal_(const Tensor& target, double gain = gain_of(Nonlinearity::relu),
                                    Fan fan = Fan::in, const Generator& from = {});

/// Normal with `mean` and `deviation`, conditioned on [low, high] (which count as they are, not in
/// deviations): a uniform number through the inverse of the distribution function, so that each element takes
/// one number, as in PyTorch (trunc_normal_). Throws ValueError unless mean and deviation are finite, the
/// deviation is above 0, low < high, and the interval has a probability above 0 in double precision (some 37
/// deviations are too far).
ESPALIER_API Tensor truncated_normal_(const Tensor& target, double mean = 0, double deviation = 1,
                                      double low = -2, double high = 2, const Generator& from = {});

/// A random orthogonal matrix times `gain`: with all axes but the first joined, rows are orthonormal, or
/// columns where there are more rows. Uniformly distributed, as the Q of a normal matrix whose R has a
/// positive diagonal: F. Mezzadri, "How to generate random matrices from the classical compact groups",
/// Notices of the AMS 54 (2007); A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear
/// dynamics of learning in deep linear neural networks" (2014). Throws ValueError for fewer than two axes.
ESPALIER_API Tensor orthogonal_(const Tensor& target, double gain = 1, const Generator& from = {});

/// One value everywhere. Throws ValueError where the type cannot hold it.
ESPALIER_API Tensor constant_(const Tensor& target, double value);
ESPALIER_API Tensor zeros_(const Tensor& target);
ESPALIER_API Tensor ones_(const Tensor& target);

}  // namespace espalier::nn
