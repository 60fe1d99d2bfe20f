#include <string>
#include <utility>

#include <omp.h>

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

dnnl::primitive_attr user_scratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

Primitive::Primitive(dnnl::primitive primitive, std::initializer_list<Argument> arguments, const char* where)
    : primitive_(std::move(primitive)), where_(where) {
  for (const Argument& argument : arguments) {
    if (count_ == kMaxArguments) throw DeviceError(where, "a primitive with more than 8 arguments");
    arguments_[count_++] = argument;
  }
}

Primitive::~Primitive() {
  for (std::atomic<Memories*>& kept : kept_) delete kept.load(std::memory_order_relaxed);
}

void Primitive::run(std::initializer_list<const void*> data) const {
  std::array<dnnl_exec_arg_t, kMaxArguments> list{};
  int given = 0;
  try {
    std::unique_ptr<Memories> memories = borrow();
    size_t i = 0;
    for (const void* const place : data) {
      const dnnl::memory& memory = (*memories)[i];
      const int name = arguments_[i++].name;
      if (place == nullptr || !memory) continue;
      // The library takes a pointer to data that it only reads as it takes one that it writes.
      memory.set_data_handle(const_cast<void*>(place));
      list[static_cast<size_t>(given++)] = {name, memory.get()};
    }
    // Not dnnl::primitive::execute, which builds a map for the arguments at each call.
    check(dnnl_primitive_execute(primitive_.get(), stream().get(), given, list.data()), where_);
    give_back(std::move(memories));
  } catch (const dnnl::error& e) {
    check(e.status, where_);
  }
}

std::unique_ptr<Primitive::Memories> Primitive::borrow() const {
  for (std::atomic<Memories*>& kept : kept_) {
    if (Memories* found = kept.exchange(nullptr, std::memory_order_acquire))
      return std::unique_ptr<Memories>(found);
  }
  auto made = std::make_unique<Memories>();
  for (size_t i = 0; i < count_; ++i) {
    const dnnl::memory::desc& desc = arguments_[i].desc;
    if (desc.get_size() > 0) (*made)[i] = dnnl::memory(desc, engine(), DNNL_MEMORY_NONE);
  }
  return made;
}

void Primitive::give_back(std::unique_ptr<Memories> memories) const {
  for (std::atomic<Memories*>& kept : kept_) {
    Memories* none = nullptr;
    if (kept.compare_exchange_strong(none, memories.get(), std::memory_order_release,
                                     std::memory_order_relaxed)) {
      static_cast<void>(memories.release());
      return;
    }
  }
}

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace espalier::onednn
