#include "models/mlp.h"

#include "core/error.h"
#include "ops/relu.h"

namespace espalier::models {

Mlp::Mlp(const std::vector<int64_t>& widths) {
  if (widths.size() < 2)
    throw ValueError("Mlp", std::to_string(widths.size()) +
                                " widths; expected those of the input and the output at least");
  for (size_t i = 0; i + 1 < widths.size(); ++i) layers.emplace_back(widths[i], widths[i + 1]);
}

Tensor Mlp::operator()(const Tensor& x) const {
  Tensor y = x;
  for (size_t i = 0; i < layers.size(); ++i) {
    y = layers[i](y);
    if (i + 1 < layers.size()) y = relu(y);
  }
  return y;
}

void Mlp::visit(nn::Visitor& visitor) {
  visitor("layers", layers);
}

}  // namespace espalier::models
