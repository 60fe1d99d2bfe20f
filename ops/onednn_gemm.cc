// Matrix products. Two ways through the library: dnnl_sgemm, a plain function, and the matmul primitive,
// which fuses the extras and copes with a transposed B. Measured with oneDNN 2.6.3 on 2 cores of an EPYC 9004
// (AVX-512), best of 9 in turns, GFLOP/s (3.7 shows the same picture):
//   m x n x k                         sgemm  matmul      m x n x k                          sgemm  matmul
//   128 x 1024 x 1024  X W^T            102     207      128 x 10 x 1024   X W^T               63      57
//   128 x 1024 x 784   X W^T            157     202      768 x 65 x 128    X W^T              165     148
//   768 x 128 x 512    X W^T            184     221      16 x 1024 x 1024  X W^T               20     117
//   1024 x 384 x 1536  X W^T            189     213      8 x 1024 x 1024   X W^T              160      88
//   768 x 384 x 128    X W^T            207     207      1 x 1024 x 1024   X W^T               61      15
//   1024 x 1536 x 384  X W^T            222     217      1024 x 1152 x 384 X W^T              215     215
//   128 x 1024 x 1024  dY W             196     200      1024 x 384 x 1536 dY W               222     229
//   1024 x 784 x 128   dY^T X           194     209      384 x 128 x 768   dY^T X             231     219
//   1024 x 1024 x 128  dY^T X           212     196      1536 x 384 x 1024 dY^T X             217     197
//   10 x 1024 x 128    dY^T X           164     121      128 x 128 x 768   dY^T X             221     193
// Hence: matmul where B is transposed and there are rows and columns enough to pay for its copy of B; sgemm
// otherwise.

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>

#include "core/cpu_features.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/onednn_compat_internal.h"
#include "ops/onednn_internal.h"
#include "ops/onednn_runtime_internal.h"
#include "ops/parts_internal.h"

namespace espalier::onednn {
namespace {

// Up to 15 rows sgemm has code of its own for this, 1.4 to 5 times as fast as what it does from 16 on.
constexpr int64_t kMatmulMinRows = 16;
// Below it sgemm wins by some 10 %, above it now and then, but where the row length of B is a multiple of
// 1024 it can take ten times as long as it should. (One column must not go to matmul: oneDNN 3.7.2 then
// ignores the row stride of C and gives wrong numbers.)
constexpr int64_t kMatmulMinColumns = 16;

// How a matrix lies in memory, in BLAS terms.
struct Form {
  bool transposed = false;
  int64_t leading = 1;
  friend bool operator==(const Form&, const Form&) = default;
};

Form form_of(const char* name, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
  // A stride along an axis of length one means nothing.
  if (column_stride == 1 || columns == 1) {
    if (rows == 1) return {false, columns};
    if (row_stride >= columns) return {false, row_stride};
  }
  if (row_stride == 1 || rows == 1) {
    if (columns == 1) return {true, rows};
    if (column_stride >= rows) return {true, column_stride};
  }
  throw ShapeError("gemm", std::string("operand ") + name + " [" + std::to_string(rows) + ", " +
                               std::to_string(columns) + "] has strides (" + std::to_string(row_stride) +
                               ", " + std::to_string(column_stride) +
                               "); one of them must be 1 and the other span a row; make it contiguous first");
}

struct MatmulKey {
  int64_t m, n, k;
  Form a, b;
  int64_t c_row;
  bool bias, accumulate, relu;
  bool narrow;  // bf16 instead of f32
  int threads;
  friend bool operator==(const MatmulKey&, const MatmulKey&) = default;
};

size_t hash_value(const MatmulKey& key) {
  return Hash()(key.m)(key.n)(key.k)(key.a.leading)(key.b.leading)(key.c_row)(
             key.a.transposed | key.b.transposed << 1 | key.bias << 2 | key.accumulate << 3 | key.relu << 4 |
             key.narrow << 5 | key.threads << 6)
      .value();
}

struct Matmul {
  std::unique_ptr<const Primitive> primitive;  // of A, B, bias, C and scratch
  size_t scratch_bytes;
};

dnnl::memory::desc describe(int64_t rows, int64_t columns, Form form, dnnl::memory::data_type type) {
  const dnnl::memory::dims strides =
      form.transposed ? dnnl::memory::dims{1, form.leading} : dnnl::memory::dims{form.leading, 1};
  return {{rows, columns}, type, strides};
}

std::shared_ptr<const Matmul> make(const MatmulKey& key) {
  const auto type = key.narrow ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  const auto a = describe(key.m, key.k, key.a, type), b = describe(key.k, key.n, key.b, type),
             c = describe(key.m, key.n, {false, key.c_row}, type);
  const auto bias = key.bias ? describe(1, key.n, {false, key.n}, type) : dnnl::memory::desc();
  dnnl::post_ops extras;
  if (key.accumulate) extras.append_sum(1.0f);
  if (key.relu) compat::append(extras, dnnl::algorithm::eltwise_relu);
  dnnl::primitive_attr attributes = user_scratch();
  attributes.set_post_ops(extras);
  try {
    const auto described = compat::matmul(engine(), a, b, key.bias ? &bias : nullptr, c, attributes);
    const auto scratch = described.scratchpad_desc();
    return std::make_shared<Matmul>(Primitive::make(dnnl::matmul(described),
                                                    {{DNNL_ARG_SRC, a},
                                                     {DNNL_ARG_WEIGHTS, b},
                                                     {DNNL_ARG_BIAS, bias},
                                                     {DNNL_ARG_DST, c},
                                                     {DNNL_ARG_SCRATCHPAD, scratch}},
                                                    "matmul"),
                                    scratch.get_size());
  } catch (const dnnl::error& e) {
    check(e.status, "matmul");
    return nullptr;
  }
}

/// Operands that lie in some way, whose addresses do not matter.
struct Forms {
  Form a, b;
};

template <class T>
std::shared_ptr<const Matmul> matmul_for(const GemmOf<T>& p, const Forms& forms, bool bias,
                                         const TeamScope& team) {
  static auto* const cache = new Cache<MatmulKey, Matmul>;  // never destroyed, as the engine
  const MatmulKey key{p.m,           p.n,  p.k,          forms.a, forms.b,
                      p.c_row,       bias, p.accumulate, p.relu,  std::is_same_v<T, bfloat16>,
                      team.threads()};
  return cache->get(key, [&] { return make(key); });
}

template <class T>
void run_matmul(const GemmOf<T>& p, const Forms& forms, const TeamScope& team, void* scratch) {
  matmul_for(p, forms, p.bias != nullptr, team)->primitive->run({p.a, p.b, p.bias, p.c, scratch});
}

/// Whether the product goes to the matmul primitive; else sgemm computes it.
bool takes_matmul(const Gemm& p, const Forms& forms, bool bias) {
  return p.m >= kMatmulMinRows && p.n >= kMatmulMinColumns && (forms.b.transposed || bias || p.relu);
}
// bf16 has nothing else.
bool takes_matmul(const GemmOf<bfloat16>&, const Forms&, bool) {
  return true;
}

// What sgemm does not do itself.
void add_bias_and_relu(const Gemm& p) {
  for (int64_t i = 0; i < p.m; ++i) {
    float* c = p.c + i * p.c_row;
    if (p.bias && p.relu) {
      for (int64_t j = 0; j < p.n; ++j) c[j] = std::max(c[j] + p.bias[j], 0.0f);
    } else if (p.bias) {
      for (int64_t j = 0; j < p.n; ++j) c[j] += p.bias[j];
    } else {
      for (int64_t j = 0; j < p.n; ++j) c[j] = std::max(c[j], 0.0f);
    }
  }
}

template <class T>
Forms forms_of(const GemmOf<T>& p) {
  return {form_of("A", p.m, p.k, p.a_row, p.a_col), form_of("B", p.k, p.n, p.b_row, p.b_col)};
}

void run(const Gemm& p, const TeamScope& team, void* scratch) {
  const Forms forms = forms_of(p);
  if (takes_matmul(p, forms, p.bias != nullptr)) return run_matmul(p, forms, team, scratch);
  const Form &a = forms.a, &b = forms.b;
  check(dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', p.m, p.n, p.k, 1.0f, p.a, a.leading,
                   p.b, b.leading, p.accumulate ? 1.0f : 0.0f, p.c, p.c_row),
        "gemm");
  if (p.bias || p.relu) add_bias_and_relu(p);
}

// Of one column only dense results: see kMatmulMinColumns.
void run(const GemmOf<bfloat16>& p, const TeamScope& team, void* scratch) {
  if (p.k > 0) return run_matmul(p, forms_of(p), team, scratch);
  // A sum of nothing, which the library divides by zero over.
  for (int64_t i = 0; i < p.m && !p.accumulate; ++i) {
    for (int64_t j = 0; j < p.n; ++j) p.c[i * p.c_row + j] = p.bias ? p.bias[j] : bfloat16(0);
  }
}

/// Whether it takes no oneDNN.
bool is_small(const Gemm& p) {
  return p.m == 0 || p.n == 0 || small_gemm_wins(p);
}
bool is_small(const GemmOf<bfloat16>& p) {
  return p.m == 0 || p.n == 0 || p.k == 0;
}

template <class T>
size_t scratch_bytes_of(const GemmOf<T>& p, bool bias, const TeamScope& team) {
  if (is_small(p)) return 0;
  const Forms forms = forms_of(p);
  return takes_matmul(p, forms, bias) ? matmul_for(p, forms, bias, team)->scratch_bytes : 0;
}

void run_on_team(const Gemm& p, const TeamScope& team, void* scratch) {
  if (p.m == 0 || p.n == 0) return;
  if (small_gemm_wins(p)) return small_gemm(p);
  run(p, team, scratch);
}
void run_on_team(const GemmOf<bfloat16>& p, const TeamScope& team, void* scratch) {
  if (p.m > 0 && p.n > 0) run(p, team, scratch);
}

/// A batch of products: with all threads, one after the other, where there are fewer products than threads,
/// else dealt out to the threads, each with a team of one.
template <class T>
class Batch {
 public:
  Batch(const GemmOf<T>& first, int64_t size)
      : first_(first), size_(size), together_(size < num_threads()), parts_(size, grain(first)) {}

  size_t scratch_bytes() const {
    return together_ ? scratch_bytes_of(first_, first_.bias, TeamScope())
                     : static_cast<size_t>(parts_.count()) * piece();
  }

  void run(const std::array<int64_t, 3>& steps, void* scratch) const {
    const auto at = [&](int64_t i) {
      GemmOf<T> p = first_;
      p.a += i * steps[0];
      p.b += i * steps[1];
      p.c += i * steps[2];
      return p;
    };
    if (together_) {
      for (int64_t i = 0; i < size_; ++i) run_on_team(at(i), TeamScope(), scratch);
      return;
    }
    const size_t bytes = piece();
    parts_.run([&](int64_t part, int64_t begin, int64_t end) {
      const TeamScope team(1);
      void* const own = static_cast<char*>(scratch) + static_cast<size_t>(part) * bytes;
      for (int64_t i = begin; i < end; ++i) run_on_team(at(i), team, own);
    });
  }

 private:
  static int64_t grain(const GemmOf<T>& p) {
    // A multiply-add is worth about a thirtieth of the scalar operation that kSerialWork counts in (100
    // GFLOP/s a core).
    constexpr int64_t kSpeed = 16;
    return kSerialWork / std::max<int64_t>(1, p.m * p.n / kSpeed * std::max<int64_t>(p.k, 1));
  }
  /// What a part of the batch needs for itself.
  size_t piece() const {
    if (is_small(first_)) return 0;
    const size_t bytes = scratch_bytes_of(first_, first_.bias, TeamScope(1));
    return static_cast<size_t>(Parts::apart<char>(static_cast<int64_t>(bytes)));
  }

  const GemmOf<T>& first_;
  int64_t size_;
  bool together_;
  Parts parts_;
};

}  // namespace

void gemm(const Gemm& p, void* scratch) {
  run_on_team(p, TeamScope(), scratch);
}

size_t gemm_scratch_bytes(const Gemm& p, bool bias) {
  return scratch_bytes_of(p, bias, TeamScope());
}

void batched_gemm(const Gemm& first, int64_t batch, const std::array<int64_t, 3>& steps, void* scratch) {
  Batch(first, batch).run(steps, scratch);
}

size_t batched_gemm_scratch_bytes(const Gemm& first, int64_t batch) {
  return Batch(first, batch).scratch_bytes();
}

bool has_bf16() {
#if defined(__x86_64__)
  static const bool cpu_has = __builtin_cpu_supports("avx512bf16");
  return cpu_has && cpu_level() == CpuLevel::avx512;
#else
  return false;
#endif
}

void gemm(const GemmOf<bfloat16>& p, void* scratch) {
  run_on_team(p, TeamScope(), scratch);
}

size_t gemm_scratch_bytes(const GemmOf<bfloat16>& p, bool bias) {
  return scratch_bytes_of(p, bias, TeamScope());
}

void batched_gemm(const GemmOf<bfloat16>& first, int64_t batch, const std::array<int64_t, 3>& steps,
                  void* scratch) {
  Batch(first, batch).run(steps, scratch);
}

size_t batched_gemm_scratch_bytes(const GemmOf<bfloat16>& first, int64_t batch) {
  return Batch(first, batch).scratch_bytes();
}

}  // namespace espalier::onednn
