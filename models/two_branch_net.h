#pragma once

#include "nn/visit.h"
#include "ops/add.h"

namespace espalier::models {

/// The article's ModelParallelNet: the sum of two networks of one input, each of which may have a device of
/// its own.
template <class Net>
struct TwoBranchNet {
  Tensor operator()(const Tensor& x) const { return net1(x) + net2(x); }
  void visit(nn::Visitor& visitor) {
    visitor("net1", net1);
    visitor("net2", net2);
  }

  Net net1, net2;
};

}  // namespace espalier::models
