#pragma once

#include <espalier/espalier.h>

namespace models {

/// The article's ModelParallelNet: the sum of two networks of one input, each of which may have a device of
/// its own.
template <class Net>
struct TwoBranchNet {
  espalier::Tensor operator()(const espalier::Tensor& x) const { return net1(x) + net2(x); }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("net1", net1);
    visitor("net2", net2);
  }

  Net net1, net2;
};

}  // namespace models
