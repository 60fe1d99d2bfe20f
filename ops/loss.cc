#include <string>

#include "ops/loss_internal.h"

namespace espalier {

void check_loss_type(std::string_view name, Dtype type, Inputs inputs) {
  if (is_floating(type) && size_of(type) > 1) return;
  throw TypeError(name, "inputs " + describe(inputs) + ": expected f64, f32, f16 or bf16, not " +
                            std::string(to_string(type)));
}

Dims position_of(int64_t index, const Shape& shape) {
  Dims position = Dims::filled(shape.rank(), 0);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    position[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return position;
}

}  // namespace espalier
