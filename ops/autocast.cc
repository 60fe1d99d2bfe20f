#include "ops/autocast.h"

#include <string>

#include "core/error.h"
#include "ops/cast.h"

namespace espalier {
namespace {

std::optional<Dtype> checked(std::optional<Dtype> dtype) {
  if (dtype && *dtype != Dtype::bf16 && *dtype != Dtype::f16)
    throw TypeError("Autocast", "type is " + std::string(to_string(*dtype)) + "; expected bf16 or f16");
  return dtype;
}

}  // namespace

Autocast::Autocast(std::optional<Dtype> dtype) : scope_(checked(dtype), cast) {}

}  // namespace espalier
