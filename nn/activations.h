#pragma once

#include "ops/elu.h"
#include "ops/gelu.h"
#include "ops/hardtanh.h"
#include "ops/relu.h"
#include "ops/sigmoid.h"
#include "ops/silu.h"
#include "ops/softplus.h"
#include "ops/tanh.h"

/// Activations as layers, with PyTorch's names and defaults, for models that are put together from layers.
/// They have no tensors, work element by element, and only call the function of the same name, which says
/// more; where there is nothing to set, the function itself will do as a layer.
namespace espalier::nn {

/// max(x, 0).
struct ReLU {
  Tensor operator()(const Tensor& x) const { return relu(x); }
};

/// x between 0 and 6.
struct ReLU6 {
  Tensor operator()(const Tensor& x) const { return relu6(x); }
};

/// x where it is positive, else negative_slope x.
struct LeakyReLU {
  explicit LeakyReLU(double slope = 0.01) : negative_slope(slope) {}
  Tensor operator()(const Tensor& x) const { return leaky_relu(x, negative_slope); }
  double negative_slope;
};

/// x where it is positive, else alpha (e^x - 1).
struct ELU {
  explicit ELU(double factor = 1) : alpha(factor) {}
  Tensor operator()(const Tensor& x) const { return elu(x, alpha); }
  double alpha;
};

/// x where it is positive, else alpha (e^(x / alpha) - 1); alpha must not be 0.
struct CELU {
  explicit CELU(double factor = 1) : alpha(factor) {}
  Tensor operator()(const Tensor& x) const { return celu(x, alpha); }
  double alpha;
};

/// The self-normalising form of ELU.
struct SELU {
  Tensor operator()(const Tensor& x) const { return selu(x); }
};

/// x Phi(x): exact, as in PyTorch, unless the tanh form is asked for, which the function gelu computes.
struct GELU {
  explicit GELU(GeluForm computed_by = GeluForm::erf) : form(computed_by) {}
  Tensor operator()(const Tensor& x) const { return form == GeluForm::erf ? gelu_exact(x) : gelu(x); }
  GeluForm form;
};

/// x sigmoid(x).
struct SiLU {
  Tensor operator()(const Tensor& x) const { return silu(x); }
};

/// x tanh(softplus(x)).
struct Mish {
  Tensor operator()(const Tensor& x) const { return mish(x); }
};

/// ln(1 + e^(beta x)) / beta, or x where beta x > threshold; beta must not be 0.
struct Softplus {
  explicit Softplus(double scale = 1, double linear_from = 20) : beta(scale), threshold(linear_from) {}
  Tensor operator()(const Tensor& x) const { return softplus(x, beta, threshold); }
  double beta, threshold;
};

/// 1 / (1 + e^-x).
struct Sigmoid {
  Tensor operator()(const Tensor& x) const { return sigmoid(x); }
};

/// ln sigmoid(x).
struct LogSigmoid {
  Tensor operator()(const Tensor& x) const { return log_sigmoid(x); }
};

/// The hyperbolic tangent.
struct Tanh {
  Tensor operator()(const Tensor& x) const { return tanh(x); }
};

/// x between min_val and max_val.
struct Hardtanh {
  explicit Hardtanh(double low = -1, double high = 1) : min_val(low), max_val(high) {}
  Tensor operator()(const Tensor& x) const { return hardtanh(x, min_val, max_val); }
  double min_val, max_val;
};

/// (x + 3) / 6 between 0 and 1.
struct Hardsigmoid {
  Tensor operator()(const Tensor& x) const { return hardsigmoid(x); }
};

/// x hardsigmoid(x).
struct Hardswish {
  Tensor operator()(const Tensor& x) const { return hardswish(x); }
};

/// The first half along `dim` times the sigmoid of the second.
struct GLU {
  explicit GLU(int64_t axis = -1) : dim(axis) {}
  Tensor operator()(const Tensor& x) const { return glu(x, dim); }
  int64_t dim;
};

}  // namespace espalier::nn
