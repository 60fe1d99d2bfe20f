#include <string>

#include "core/error.h"
#include "runtime/given_tensors_internal.h"

namespace espalier::runtime {

Ref<Storage> lent(void* data, size_t bytes) {
  return make_ref<Storage>(data, bytes, kCpu, std::function<void()>());
}

void check_given(const char* what, size_t index, const Tensor& given, const Tensor& type) {
  const auto where = [&] { return std::string(what) + " " + std::to_string(index); };
  const auto expected = [&] {
    return (given.defined() ? describe(given) : "undefined") + " was given to a plan for " +
           std::string(to_string(type.dtype())) + to_string(type.shape());
  };
  if (!given.defined()) throw ValueError(where(), expected());
  if (given.dtype() != type.dtype()) throw TypeError(where(), expected());
  if (given.shape() != type.shape()) throw ShapeError(where(), expected());
  if (given.device() != kCpu) throw DeviceError(where(), expected() + " on the cpu");
  if (given.strides() != type.strides() && !(given.is_contiguous() && type.is_contiguous())) {
    throw ShapeError(where(), expected() + "; its strides are " + to_string(given.strides()) + ", expected " +
                                  to_string(type.strides()) + " (contiguous() may give them)");
  }
}

void check_count(const char* what, size_t given, size_t expected) {
  if (given != expected) {
    throw ValueError("plan", std::to_string(given) + " " + what + " were given to a plan with " +
                                 std::to_string(expected));
  }
}

}  // namespace espalier::runtime
