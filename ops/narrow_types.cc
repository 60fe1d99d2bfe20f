#include "core/strided_copy_internal.h"
#include "ops/cast.h"
#include "ops/narrow_types_internal.h"

namespace espalier {

void cast_cpu(const Cast&, Inputs, Outputs);

void convert_into(const Tensor& to, const Tensor& from) {
  Tensor output = to;
  cast_cpu(Cast(to.dtype()), Inputs(&from, 1), Outputs(&output, 1));
}

Tensor converted(const Tensor& tensor, Dtype dtype) {
  Tensor result = empty(tensor.shape(), dtype);
  convert_into(result, tensor);
  return result;
}

Tensor packed(const Tensor& tensor) {
  Tensor result = empty(tensor.shape(), tensor.dtype());
  copy_strided(result.raw_data(), result.strides(), tensor.raw_data(), tensor.strides(), tensor.shape(),
               size_of(tensor.dtype()));
  return result;
}

}  // namespace espalier
