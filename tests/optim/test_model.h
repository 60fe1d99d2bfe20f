#pragma once

#include <vector>

#include "autograd/autograd.h"
#include "nn/visit.h"
#include "ops/add.h"
#include "ops/multiply.h"
#include "ops/sum.h"

namespace espalier::test {

/// weight * x + bias, element by element: a layer small enough to follow by hand.
struct Scale {
  explicit Scale(const std::vector<float>& values)
      : weight(make_parameter(from_values(values, {static_cast<int64_t>(values.size())}), "Scale")),
        bias(make_parameter(zeros(weight.shape()), "Scale")) {}

  Tensor operator()(const Tensor& x) const { return weight * x + bias; }
  void visit(nn::Visitor& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Tensor weight, bias;
};

struct TwoScales {
  Tensor operator()(const Tensor& x) const { return second(first(x)); }
  void visit(nn::Visitor& visitor) {
    visitor("first", first);
    visitor("second", second);
  }

  Scale first{{1, -2, 3}};
  Scale second{{0.5F, 0.25F, -1}};
};

/// The model's backward from a loss that every parameter reaches.
template <class M>
void backward_once(const M& model) {
  const Tensor y = model(from_values<float>({1, 2, 3}, {3}));
  backward(sum(y * y));
}

}  // namespace espalier::test
