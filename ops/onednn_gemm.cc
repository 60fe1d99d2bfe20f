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
  dnnl::memory::desc a, b, bias, c, scratch;
  dnnl::matmul primitive;
};

dnnl::memory::desc describe(int64_t rows, int64_t columns, Form form, dnnl::memory::data_type type) {
  const dnnl::memory::dims strides =
      form.transposed ? dnnl::memory::dims{1, form.leading} : dnnl::memory::dims{form.leading, 1};
  return {{rows, columns}, type, strides};
}

std::shared_ptr<const Matmul> make(const MatmulKey& key) {
  auto made = std::make_shared<Matmul>();
  const auto type = key.narrow ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  made->a = describe(key.m, key.k, key.a, type);
  made->b = describe(key.k, key.n, key.b, type);
  made->c = describe(key.m, key.n, {false, key.c_row}, type);
  if (key.bias) made->bias = describe(1, key.n, {false, key.n}, type);
  dnnl::post_ops extras;
  if (key.accumulate) extras.append_sum(1.0f);
  if (key.relu) compat::append(extras, dnnl::algorithm::eltwise_relu);
  dnnl::primitive_attr attributes = user_scratch();
  attributes.set_post_ops(extras);
  try {
    const auto described =
        compat::matmul(engine(), made->a, made->b, key.bias ? &made->bias : nullptr, made->c, attributes);
    made->primitive = dnnl::matmul(described);
    made->scratch = described.scratchpad_desc();
  } catch (const dnnl::error& e) {
    check(e.status, "matmul");
  }
  return made;
}

template <class T>
void run_matmul(const GemmOf<T>& p, Form a, Form b, const TeamScope& team) {
  static auto* const cache = new Cache<MatmulKey, Matmul>;  // never destroyed, as the engine
  const MatmulKey key{p.m,
                      p.n,
                      p.k,
                      a,
                      b,
                      p.c_row,
                      p.bias != nullptr,
                      p.accumulate,
                      p.relu,
                      std::is_same_v<T, bfloat16>,
                      team.threads()};
  const auto matmul = cache->get(key, [&] { return make(key); });
  const Scratch scratch(matmul->scratch.get_size());
  execute(matmul->primitive,
          {{DNNL_ARG_SRC, &matmul->a, p.a},
           {DNNL_ARG_WEIGHTS, &matmul->b, p.b},
           {DNNL_ARG_BIAS, &matmul->bias, p.bias},
           {DNNL_ARG_DST, &matmul->c, p.c},
           {DNNL_ARG_SCRATCHPAD, &matmul->scratch, scratch.get()}},
          "matmul");
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

void run(const Gemm& p, Form a, Form b, const TeamScope& team) {
  const bool extras = p.bias || p.relu;
  if (p.m >= kMatmulMinRows && p.n >= kMatmulMinColumns && (b.transposed || extras)) {
    run_matmul(p, a, b, team);
    return;
  }
  check(dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', p.m, p.n, p.k, 1.0f, p.a, a.leading,
                   p.b, b.leading, p.accumulate ? 1.0f : 0.0f, p.c, p.c_row),
        "gemm");
  if (extras) add_bias_and_relu(p);
}

// bf16 has the matmul primitive alone. Of one column only dense results: see kMatmulMinColumns.
void run(const GemmOf<bfloat16>& p, Form a, Form b, const TeamScope& team) {
  if (p.k > 0) return run_matmul(p, a, b, team);
  // A sum of nothing, which the library divides by zero over.
  for (int64_t i = 0; i < p.m && !p.accumulate; ++i) {
    for (int64_t j = 0; j < p.n; ++j) p.c[i * p.c_row + j] = p.bias ? p.bias[j] : bfloat16(0);
  }
}

template <class T>
Form form_of_a(const GemmOf<T>& p) {
  return form_of("A", p.m, p.k, p.a_row, p.a_col);
}
template <class T>
Form form_of_b(const GemmOf<T>& p) {
  return form_of("B", p.k, p.n, p.b_row, p.b_col);
}

/// `one(p)` for each product of a batch: with all threads, one after the other, where there are fewer
/// products than threads (`each`), else dealt out to the threads (`alone`, which gets a team of one).
template <class T, class Each, class Alone>
void for_each_product(const GemmOf<T>& first, int64_t batch, const std::array<int64_t, 3>& steps, Each&& each,
                      Alone&& alone) {
  const auto at = [&](int64_t i) {
    GemmOf<T> p = first;
    p.a += i * steps[0];
    p.b += i * steps[1];
    p.c += i * steps[2];
    return p;
  };
  if (first.m == 0 || first.n == 0 || batch == 0) return;
  if (batch < num_threads()) {
    for (int64_t i = 0; i < batch; ++i) each(at(i));
    return;
  }
  // A multiply-add is worth about a thirtieth of the scalar operation that kSerialWork counts in (100 GFLOP/s
  // a core).
  constexpr int64_t kSpeed = 16;
  const int64_t work = std::max<int64_t>(1, first.m * first.n / kSpeed * std::max<int64_t>(first.k, 1));
  parallel_for(0, batch, std::max<int64_t>(1, kSerialWork / work), [&](int64_t begin, int64_t end) {
    const TeamScope team(1);
    for (int64_t i = begin; i < end; ++i) alone(at(i), team);
  });
}

}  // namespace

void gemm(const Gemm& p) {
  if (p.m == 0 || p.n == 0) return;
  if (small_gemm_wins(p)) {
    small_gemm(p);
    return;
  }
  const TeamScope team;
  run(p, form_of_a(p), form_of_b(p), team);
}

void batched_gemm(const Gemm& first, int64_t batch, int64_t a_step, int64_t b_step, int64_t c_step) {
  const bool small = small_gemm_wins(first);
  for_each_product(
      first, batch, {a_step, b_step, c_step}, [](const Gemm& p) { gemm(p); },
      [&](const Gemm& p, const TeamScope& team) {
        if (small) {
          small_gemm(p);
        } else {
          run(p, form_of_a(p), form_of_b(p), team);
        }
      });
}

bool has_bf16() {
#if defined(__x86_64__)
  static const bool cpu_has = __builtin_cpu_supports("avx512bf16");
  return cpu_has && cpu_level() == CpuLevel::avx512;
#else
  return false;
#endif
}

void gemm(const GemmOf<bfloat16>& p) {
  if (p.m == 0 || p.n == 0) return;
  const TeamScope team;
  run(p, form_of_a(p), form_of_b(p), team);
}

void batched_gemm(const GemmOf<bfloat16>& first, int64_t batch, int64_t a_step, int64_t b_step,
                  int64_t c_step) {
  for_each_product(
      first, batch, {a_step, b_step, c_step}, [](const GemmOf<bfloat16>& p) { gemm(p); },
      [](const GemmOf<bfloat16>& p, const TeamScope& team) { run(p, form_of_a(p), form_of_b(p), team); });
}

}  // namespace espalier::onednn
