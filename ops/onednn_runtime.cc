#include <array>
#include <initializer_list>
#include <string>

#include <omp.h>

#include "core/backend.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/onednn_internal.h"
#include "ops/onednn_runtime_internal.h"

namespace espalier::onednn {

const dnnl::engine& engine() {
  // Never destroyed: a kernel may still run while static objects go.
  static const auto* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

const dnnl::stream& stream() {
  static thread_local const dnnl::stream stream(engine());
  return stream;
}

TeamScope::TeamScope() : TeamScope(omp_in_parallel() ? 1 : num_threads()) {}

TeamScope::TeamScope(int threads) : threads_(threads), previous_(omp_get_max_threads()) {
  if (threads_ != previous_) omp_set_num_threads(threads_);
}

TeamScope::~TeamScope() {
  if (threads_ != previous_) omp_set_num_threads(previous_);
}

void check(dnnl_status_t status, const char* where) {
  if (status == dnnl_success) return;
  const char* reason = "an internal error";
  if (status == dnnl_out_of_memory) reason = "out of memory";
  if (status == dnnl_invalid_arguments) reason = "invalid arguments";
  if (status == dnnl_unimplemented) reason = "not implemented for this problem";
  if (status == dnnl_runtime_error) reason = "an error while running";
  throw DeviceError(where, "oneDNN " + version() + " declined: " + reason);
}

Scratch::Scratch(size_t bytes)
    : bytes_(bytes), block_(bytes ? backend(kCpu).allocator(kCpu).allocate(bytes, Stream{}) : nullptr) {}

Scratch::~Scratch() {
  if (block_) backend(kCpu).allocator(kCpu).release(block_, bytes_, Stream{});
}

dnnl::primitive_attr user_scratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments, const char* where) {
  constexpr size_t kMax = 8;
  std::array<dnnl::memory, kMax> memories;
  std::array<dnnl_exec_arg_t, kMax> list{};
  size_t count = 0;
  try {
    for (const Argument& a : arguments) {
      if (a.data == nullptr || a.desc->get_size() == 0 || count == kMax) continue;
      // The library takes a pointer to data that it only reads as it takes one that it writes.
      memories[count] = dnnl::memory(*a.desc, engine(), const_cast<void*>(a.data));
      list[count] = {a.name, memories[count].get()};
      ++count;
    }
    // Not dnnl::primitive::execute, which builds a map for the arguments at each call.
    check(dnnl_primitive_execute(primitive.get(), stream().get(), static_cast<int>(count), list.data()),
          where);
  } catch (const dnnl::error& e) {
    check(e.status, where);
  }
}

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace espalier::onednn
