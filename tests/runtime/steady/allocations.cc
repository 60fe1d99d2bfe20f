#include "tests/runtime/steady/allocations.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

// The C library's allocator under the names that it keeps for programs with a malloc of their own.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void* block);
}

namespace espalier::test {
namespace {

std::atomic<bool> watching = false;
std::atomic<int> inside_library = 0;  // calls of oneDNN that have not returned, of all threads
std::atomic<int64_t> own_calls = 0, library_calls = 0, executions = 0;

void count_call() {
  if (!watching.load(std::memory_order_relaxed)) return;
  (inside_library.load(std::memory_order_relaxed) > 0 ? library_calls : own_calls)
      .fetch_add(1, std::memory_order_relaxed);
}

/// The library's own function that this program's stands before.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Inside {
  Inside() {
    if (watching.load(std::memory_order_relaxed)) executions.fetch_add(1, std::memory_order_relaxed);
    inside_library.fetch_add(1, std::memory_order_relaxed);
  }
  ~Inside() { inside_library.fetch_sub(1, std::memory_order_relaxed); }
};

}  // namespace

HeapWatch::HeapWatch() {
  own_calls = library_calls = executions = 0;
  watching = true;
}
HeapWatch::~HeapWatch() {
  watching = false;
}

HeapCalls HeapWatch::calls() const {
  return {own_calls.load(), library_calls.load(), executions.load()};
}

}  // namespace espalier::test

using espalier::test::count_call;

// The libraries that this program loads are to find these before those of the C library and of oneDNN.
#pragma GCC visibility push(default)
extern "C" {

void* malloc(size_t bytes) {
  count_call();
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  count_call();
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, size_t bytes) {
  count_call();
  return __libc_realloc(block, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  count_call();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  count_call();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  count_call();
  *block = __libc_memalign(alignment, bytes);
  return *block ? 0 : ENOMEM;
}
void free(void* block) {
  if (block) count_call();
  __libc_free(block);
}

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count,
                                     const dnnl_exec_arg_t* arguments) {
  static auto* const real = espalier::test::next<decltype(dnnl_primitive_execute)>("dnnl_primitive_execute");
  const espalier::test::Inside inside;
  return real(primitive, stream, count, arguments);
}

dnnl_status_t dnnl_sgemm(char a_form, char b_form, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k, float alpha,
                         const float* a, dnnl_dim_t a_row, const float* b, dnnl_dim_t b_row, float beta,
                         float* c, dnnl_dim_t c_row) {
  static auto* const real = espalier::test::next<decltype(dnnl_sgemm)>("dnnl_sgemm");
  const espalier::test::Inside inside;
  return real(a_form, b_form, m, n, k, alpha, a, a_row, b, b_row, beta, c, c_row);
}

}  // extern "C"
#pragma GCC visibility pop
