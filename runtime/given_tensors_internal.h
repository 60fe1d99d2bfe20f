#pragma once

#include "core/tensor.h"

namespace espalier::runtime {

/// A storage for memory of someone else, which it may be pointed at later.
Ref<Storage> lent(void* data, size_t bytes);

/// Throws, with `what` ("input") and its number, unless a caller's tensor has the shape, type and layout of
/// `type`, and is on the CPU.
void check_given(const char* what, size_t index, const Tensor& given, const Tensor& type);
/// Throws ValueError where a caller gives another number of tensors.
void check_count(const char* what, size_t given, size_t expected);

}  // namespace espalier::runtime
