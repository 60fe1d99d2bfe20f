#pragma once

// What onednn_conv.cc (running) shares with onednn_conv_plan.cc (making).

#include <array>
#include <memory>
#include <string>

#include "ops/onednn_internal.h"
#include "ops/onednn_runtime_internal.h"

namespace espalier::onednn {

/// A copy from one memory format to another.
struct ConvCopy {
  std::unique_ptr<const Primitive> primitive = nullptr;  // null: none is needed
  size_t scratch_bytes = 0;

  explicit operator bool() const { return primitive != nullptr; }
  void run(const void* source, const void* target, void* library_scratch) const {
    primitive->run({source, target, library_scratch});
  }
};

/// One tensor of a convolution: as the caller has it, as the library wants it, and the copies between, if
/// they differ.
struct ConvOperand {
  dnnl::memory::desc inside;
  bool copied = false;
  ConvCopy in, out;
  size_t offset = 0;  // of the copy in the scratch
};

struct ConvPlan {
  ConvProblem problem;
  int threads = 1;
  std::unique_ptr<const Primitive> primitive;  // of input, weights, bias, output and the library's scratch
  std::string implementation;
  ConvOperand input, weights, bias, output;
  size_t library_offset = 0;  // the copies' code and the primitive use it in turn
  size_t scratch_bytes = 0;

  /// `packed` says that the filters are; `scratch` has scratch_bytes.
  void run(const void* in, const void* filters, const void* shift, const void* out, bool packed,
           void* scratch) const;
};

/// Makes the primitive by one method; null if the library has none that way.
std::unique_ptr<ConvPlan> make_conv_plan(const ConvProblem& problem, ConvMethod method, int threads);

/// The methods to try for a problem, best first.
std::array<ConvMethod, 3> conv_methods(const ConvProblem& problem);

}  // namespace espalier::onednn
