#include "nn/embedding.h"

#include "autograd/autograd.h"
#include "nn/init.h"
#include "ops/embedding.h"

namespace espalier::nn {

Embedding::Embedding(int64_t count, int64_t width, const Generator& from)
    : weight(make_parameter(normal_values({count, width}, 1, from), "Embedding")) {}

Tensor Embedding::operator()(const Tensor& indices) const {
  return embedding(weight, indices);
}

}  // namespace espalier::nn
