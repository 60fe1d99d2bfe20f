#include <cstring>

#include "ops/class_indices_internal.h"
#include "ops/elementwise_internal.h"
#include "ops/one_hot.h"

namespace espalier {

const char* one_hot_declines(const OneHot&, Inputs inputs, std::span<const Tensor>) {
  return inputs[0].is_contiguous() ? nullptr : "wants row-major indices";
}

void one_hot_cpu(const OneHot& op, Inputs inputs, Outputs outputs) {
  const ClassIndices indices(OneHot::kName, inputs[0], op.classes());
  const auto size = static_cast<int64_t>(size_of(outputs[0].dtype()));
  auto* rows = static_cast<char*>(outputs[0].raw_data());
  if (outputs[0].numel() == 0) return;
  std::memset(rows, 0,
              static_cast<size_t>(outputs[0].numel() * size));  // all bits zero is zero in every type
  const int32_t one = 1;
  for (int64_t row = 0; row < inputs[0].numel(); ++row) {
    store_tile(&one, outputs[0].dtype(), rows + (row * op.classes() + indices[row]) * size, 1, 1);
  }
}

}  // namespace espalier
