#include <algorithm>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/qr.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

// LAPACK would take the memory as it lies for the LQ factorisation of the transpose, whose two factors are
// the same; but that works along rows, and measured 2.8 times slower for 1024 x 128 than to turn the
// matrices.

/// What the factorisation of one matrix needs.
template <class T>
struct QrRoom {
  QrRoom(int64_t m, int64_t n, Workspace& memory)
      : rows(static_cast<int>(m)),
        columns(static_cast<int>(n)),
        rank(std::min(rows, columns)),
        factors(memory.take<T>(m * n)),
        tau(memory.take<T>(rank)),
        to_reduce([this](T* work, const int* length) { reduce(work, length); }, memory),
        to_expand([this](T* work, const int* length) { expand(work, length); }, memory) {}

  void reduce(T* work, const int* length) const {
    int info = 0;
    lapack::Routines<T>::geqrf(&rows, &columns, factors, &rows, tau, work, length, &info);
  }
  void expand(T* work, const int* length) const {
    int info = 0;
    lapack::Routines<T>::orgqr(&rows, &rank, &rank, factors, &rows, tau, work, length, &info);
  }

  int rows, columns, rank;
  T *factors, *tau;
  lapack::WorkArray<T> to_reduce, to_expand;
};

template <class T>
void factorise(const QrRoom<T>& room, T* q, T* r, const T* a, int64_t m, int64_t n) {
  const int64_t k = std::min(m, n);
  transpose_into(room.factors, a, m, n);
  room.reduce(room.to_reduce.data, &room.to_reduce.length);
  std::fill_n(r, k * n, T(0));
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < std::min(j + 1, k); ++i) r[i * n + j] = room.factors[j * m + i];
  }
  room.expand(room.to_expand.data, &room.to_expand.length);
  transpose_into(q, room.factors, k, m);
}

template <class T>
class QrWork {
 public:
  QrWork(const Qr&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : m_(inputs[0].size(-2)),
        n_(inputs[0].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        q_(static_cast<T*>(outputs[0].raw_data())),
        r_(static_cast<T*>(outputs[1].raw_data())),
        batch_(empty() ? 0 : batch_size(inputs[0].shape()),
               2 * static_cast<double>(m_ * n_) * static_cast<double>(std::min(m_, n_)),
               empty() ? 0 : scratch_of<QrRoom<T>>(m_, n_), work) {}

  void run() const {
    const int64_t k = std::min(m_, n_);
    batch_.run([&](int64_t i, Workspace& memory) {
      factorise(QrRoom<T>(m_, n_, memory), q_ + i * m_ * k, r_ + i * k * n_, a_ + i * m_ * n_, m_, n_);
      return 0;
    });
  }

 private:
  bool empty() const { return m_ * n_ == 0; }

  int64_t m_, n_;
  const T* a_;
  T *q_, *r_;
  MatrixBatch batch_;
};

}  // namespace

size_t qr_scratch(const Qr& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<QrWork>::scratch(op, inputs, outputs);
}
void qr_cpu(const Qr& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<QrWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
