#pragma once

#include "nn/visit.h"
#include "ops/adaptive_pool2d.h"
#include "ops/avg_pool2d.h"
#include "ops/max_pool2d.h"
#include "ops/pool1d.h"

namespace espalier::nn {

// Pooling as layers, without tensors of their own: each calls the function of the same name, which says what
// it takes and refuses.

/// The mean of each window of [N, C, H, W].
struct AvgPool2d {
  explicit AvgPool2d(Size2d kernel_, const AvgPool2dOptions& options_ = {})
      : kernel(kernel_), options(options_) {}
  Tensor operator()(const Tensor& x) const { return avg_pool2d(x, kernel, options); }
  void visit(Visitor&) {}

  Size2d kernel;
  AvgPool2dOptions options;
};

/// The largest value of each window of [N, C, H, W].
struct MaxPool2d {
  explicit MaxPool2d(Size2d kernel_, const MaxPool2dOptions& options_ = {})
      : kernel(kernel_), options(options_) {}
  Tensor operator()(const Tensor& x) const { return max_pool2d(x, kernel, options); }
  void visit(Visitor&) {}

  Size2d kernel;
  MaxPool2dOptions options;
};

/// Means over windows that divide [N, C, H, W] into [N, C, size].
struct AdaptiveAvgPool2d {
  explicit AdaptiveAvgPool2d(Size2d size_) : size(size_) {}
  Tensor operator()(const Tensor& x) const { return adaptive_avg_pool2d(x, size); }
  void visit(Visitor&) {}

  Size2d size;
};

/// The largest values of windows that divide [N, C, H, W] into [N, C, size].
struct AdaptiveMaxPool2d {
  explicit AdaptiveMaxPool2d(Size2d size_) : size(size_) {}
  Tensor operator()(const Tensor& x) const { return adaptive_max_pool2d(x, size); }
  void visit(Visitor&) {}

  Size2d size;
};

/// The mean of each window of [N, C, L].
struct AvgPool1d {
  explicit AvgPool1d(int64_t kernel_, const AvgPool1dOptions& options_ = {})
      : kernel(kernel_), options(options_) {}
  Tensor operator()(const Tensor& x) const { return avg_pool1d(x, kernel, options); }
  void visit(Visitor&) {}

  int64_t kernel;
  AvgPool1dOptions options;
};

/// The largest value of each window of [N, C, L].
struct MaxPool1d {
  explicit MaxPool1d(int64_t kernel_, const MaxPool1dOptions& options_ = {})
      : kernel(kernel_), options(options_) {}
  Tensor operator()(const Tensor& x) const { return max_pool1d(x, kernel, options); }
  void visit(Visitor&) {}

  int64_t kernel;
  MaxPool1dOptions options;
};

}  // namespace espalier::nn
