#pragma once

#include <vector>

#include "nn/visit.h"
#include "ops/concat.h"
#include "ops/slice.h"

namespace espalier::models {

/// The article's DataParallelNet: runs a network on parts of the batch, which could be on as many devices,
/// and joins the results. Layers that look at the whole batch (batch norm in training) see a part.
template <class Net>
struct DataParallelNet {
  Tensor operator()(const Tensor& x) const {
    const int64_t size = (x.size(0) + parts - 1) / parts;
    std::vector<Tensor> results;
    for (int64_t start = 0; start < x.size(0); start += size)
      results.push_back(net(slice(x, 0, {start, start + size})));
    return concat(results, 0);
  }
  void visit(nn::Visitor& visitor) { visitor("net", net); }

  Net net;
  int64_t parts = 2;
};

}  // namespace espalier::models
