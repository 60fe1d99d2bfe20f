#include <algorithm>
#include <cmath>
#include <utility>

#include "ops/eigh.h"
#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

enum Wrong { kNone, kNotFinite, kNotConverged };

/// What LAPACK needs for a matrix.
template <class T>
struct EighRoom {
  EighRoom(int64_t n, Workspace& memory)
      : integer_length(3 + 5 * static_cast<int>(n)),
        integers(memory.take<int>(integer_length)),
        work(
            [&](T* array, const int* length) {
              // Asked for the length, the routine writes that of the integers as well.
              int integer = 0, info = 0;
              run(static_cast<int>(n), nullptr, nullptr, array, length, &integer, &info);
            },
            memory) {}

  /// The lower triangle of row-major memory is the upper one of what LAPACK sees.
  void run(int n, T* w, T* v, T* array, const int* length, int* integer_array, int* info) const {
    lapack::Routines<T>::syevd("V", "U", &n, v, &n, w, array, length, integer_array, &integer_length, info, 1,
                               1);
  }

  int integer_length;
  int* integers;
  lapack::WorkArray<T> work;
};

template <class T>
int decompose(const EighRoom<T>& room, T* w, T* v, const T* a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (!std::all_of(a + i * n, a + i * n + i + 1, [](T x) { return std::isfinite(x); })) return kNotFinite;
  }
  std::copy_n(a, n * n, v);
  int info = 0;
  room.run(static_cast<int>(n), w, v, room.work.data, &room.work.length, room.integers, &info);
  if (info != 0) return kNotConverged;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) std::swap(v[i * n + j], v[j * n + i]);
  }
  return kNone;
}

template <class T>
class EighWork {
 public:
  EighWork(const Eigh&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : inputs_(inputs),
        n_(inputs[0].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        w_(static_cast<T*>(outputs[0].raw_data())),
        v_(static_cast<T*>(outputs[1].raw_data())),
        batch_(n_ == 0 ? 0 : batch_size(inputs[0].shape()), 5 * static_cast<double>(n_ * n_ * n_),
               n_ == 0 ? 0 : scratch_of<EighRoom<T>>(n_), work) {}

  void run() const {
    const WrongMatrix wrong = batch_.run([&](int64_t i, Workspace& memory) {
      const int64_t at = i * n_ * n_;
      return decompose(EighRoom<T>(n_, memory), w_ + i * n_, v_ + at, a_ + at, n_);
    });
    if (wrong.what == kNotFinite) {
      throw_for_matrix(Eigh::kName, inputs_, wrong.matrix,
                       "has elements in its lower triangle that are not finite");
    }
    if (wrong.what == kNotConverged) throw_for_matrix(Eigh::kName, inputs_, wrong.matrix, "did not converge");
  }

 private:
  Inputs inputs_;
  int64_t n_;
  const T* a_;
  T *w_, *v_;
  MatrixBatch batch_;
};

}  // namespace

size_t eigh_scratch(const Eigh& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<EighWork>::scratch(op, inputs, outputs);
}
void eigh_cpu(const Eigh& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<EighWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
