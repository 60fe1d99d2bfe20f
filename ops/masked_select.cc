#include "ops/masked_select.h"

#include <vector>

#include "ops/expand.h"
#include "ops/index_select.h"
#include "ops/masked_select_internal.h"
#include "ops/reshape.h"

namespace espalier {
namespace {

/// Row-major numbers of the elements that are not zero.
std::vector<int64_t> nonzero_numbers(const Tensor& x) {
  std::vector<int64_t> numbers;
  visit_dtype(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto scan = [&numbers](const auto& values) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (!(values[i] == T{})) numbers.push_back(static_cast<int64_t>(i));
      }
    };
    if (x.is_contiguous())
      scan(std::span<const T>(x.data<T>(), static_cast<size_t>(x.numel())));
    else
      scan(x.to_vector<T>());
  });
  return numbers;
}

}  // namespace

Tensor true_places(const Tensor& mask) {
  const std::vector<int64_t> numbers = nonzero_numbers(mask);
  return from_values(numbers, {static_cast<int64_t>(numbers.size())});
}

Tensor nonzero(const Tensor& x) {
  check_defined("nonzero", x);
  const std::vector<int64_t> numbers = nonzero_numbers(x);
  const Tensor result = empty({static_cast<int64_t>(numbers.size()), x.rank()}, Dtype::i64);
  auto* to = static_cast<int64_t*>(result.raw_data());
  for (int64_t number : numbers) {
    for (int i = x.rank() - 1; i >= 0; --i) {
      to[i] = number % x.shape()[i];  // NOLINT(clang-analyzer-core.NullDereference): numbers have places
      number /= x.shape()[i];
    }
    to += x.rank();
  }
  return result;
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  const Tensor inputs[] = {x, mask};
  check_defined("masked_select", inputs);
  if (mask.dtype() != Dtype::boolean)
    throw TypeError("masked_select", "inputs " + describe(inputs) + "; expected a mask of type bool");
  const Shape shape = broadcast_shapes(x.shape(), mask.shape(), "masked_select");
  return index_select(flatten(expand(x, shape)), 0, true_places(expand(mask, shape)));
}

}  // namespace espalier
