#include <cmath>
#include <string>

#include "core/door.h"
#include "core/error.h"

namespace espalier {
namespace {

/// The place, in row-major order, of the first element that is not finite, or -1.
template <class T>
int64_t first_not_finite(const Tensor& tensor) {
  const T* data = static_cast<const T*>(tensor.raw_data());
  const Shape& shape = tensor.shape();
  Dims index = Dims::filled(shape.rank(), 0);
  for (int64_t n = 0; n < tensor.numel(); ++n) {
    int64_t at = 0;
    for (int i = 0; i < shape.rank(); ++i) at += index[i] * tensor.strides()[i];
    double value;
    if constexpr (std::is_arithmetic_v<T>)
      value = static_cast<double>(data[at]);
    else
      value = static_cast<double>(static_cast<float>(data[at]));
    if (!std::isfinite(value)) return n;
    for (int i = shape.rank() - 1; i >= 0 && ++index[i] == shape[i]; --i) index[i] = 0;
  }
  return -1;
}

class Checker final : public Listener {
 public:
  void after(const Operation& operation, Inputs inputs, Outputs outputs) override {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Tensor& output = outputs[i];
      if (!is_floating(output.dtype()) || output.device() != kCpu) continue;
      const int64_t place = visit_dtype(
          output.dtype(), [&](auto tag) { return first_not_finite<typename decltype(tag)::type>(output); });
      if (place < 0) continue;
      throw NumericError(operation.name(), "element " + std::to_string(place) + " of its output " +
                                               std::to_string(i) + ", " + describe(output) +
                                               ", is not finite (inputs " + describe(inputs) + ")");
    }
  }
};

Checker& checker() {
  static Checker* const instance =
      new Checker;  // never destroyed: a thread may compute until the program's end
  return *instance;
}

}  // namespace

FiniteCheck::FiniteCheck() noexcept : scope_(ListenerSlot::checker, &checker()) {}

}  // namespace espalier
