#pragma once

#include <vector>

#include <espalier/espalier.h>

namespace models {

/// The article's DataParallelNet: runs a network on parts of the batch, which could be on as many devices,
/// and joins the results. Layers that look at the whole batch (batch norm in training) see a part.
template <class Net>
struct DataParallelNet {
  espalier::Tensor operator()(const espalier::Tensor& x) const {
    using namespace espalier;
    const int64_t size = (x.size(0) + parts - 1) / parts;
    std::vector<Tensor> results;
    for (int64_t start = 0; start < x.size(0); start += size)
      results.push_back(net(slice(x, 0, {start, start + size})));
    return concat(results, 0);
  }
  void visit(espalier::nn::Visitor& visitor) { visitor("net", net); }

  Net net;
  int64_t parts = 2;
};

}  // namespace models
