#include <algorithm>
#include <cmath>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"
#include "ops/svd.h"

namespace espalier {
namespace {

enum Wrong { kNone, kNotFinite, kNotConverged };

/// What LAPACK needs for a matrix. For it memory holds A^T = V S U^T: what it calls U is V, and its V^T is
/// U^T, each transposed again in row-major memory.
template <class T>
struct SvdRoom {
  SvdRoom(int64_t m, int64_t n, Workspace& memory)
      : rows(static_cast<int>(n)),
        columns(static_cast<int>(m)),
        rank(std::min(rows, columns)),
        matrix(memory.take<T>(m * n)),
        integers(memory.take<int>(int64_t{8} * rank)),
        work(
            [this](T* array, const int* length) {
              int info = 0;
              run(nullptr, nullptr, nullptr, array, length, &info);
            },
            memory) {}

  void run(T* u, T* s, T* vt, T* array, const int* length, int* info) const {
    lapack::Routines<T>::gesdd("S", &rows, &columns, matrix, &rows, s, vt, &rows, u, &rank, array, length,
                               integers, info, 1);
  }

  int rows, columns, rank;
  T* matrix;
  int* integers;
  lapack::WorkArray<T> work;
};

template <class T>
int decompose(const SvdRoom<T>& room, T* u, T* s, T* vt, const T* a, int64_t elements) {
  if (!std::all_of(a, a + elements, [](T x) { return std::isfinite(x); })) return kNotFinite;
  std::copy_n(a, elements, room.matrix);
  int info = 0;
  room.run(u, s, vt, room.work.data, &room.work.length, &info);
  return info == 0 ? kNone : kNotConverged;
}

template <class T>
class SvdWork {
 public:
  SvdWork(const Svd&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : inputs_(inputs),
        m_(inputs[0].size(-2)),
        n_(inputs[0].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        u_(static_cast<T*>(outputs[0].raw_data())),
        s_(static_cast<T*>(outputs[1].raw_data())),
        vt_(static_cast<T*>(outputs[2].raw_data())),
        batch_(empty() ? 0 : batch_size(inputs[0].shape()),
               10 * static_cast<double>(m_ * n_) * static_cast<double>(std::min(m_, n_)),
               empty() ? 0 : scratch_of<SvdRoom<T>>(m_, n_), work) {}

  void run() const {
    const int64_t k = std::min(m_, n_);
    const WrongMatrix wrong = batch_.run([&](int64_t i, Workspace& memory) {
      return decompose(SvdRoom<T>(m_, n_, memory), u_ + i * m_ * k, s_ + i * k, vt_ + i * k * n_,
                       a_ + i * m_ * n_, m_ * n_);
    });
    if (wrong.what == kNotFinite)
      throw_for_matrix(Svd::kName, inputs_, wrong.matrix, "has elements that are not finite");
    if (wrong.what == kNotConverged) throw_for_matrix(Svd::kName, inputs_, wrong.matrix, "did not converge");
  }

 private:
  bool empty() const { return m_ * n_ == 0; }

  Inputs inputs_;
  int64_t m_, n_;
  const T* a_;
  T *u_, *s_, *vt_;
  MatrixBatch batch_;
};

}  // namespace

size_t svd_scratch(const Svd& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<SvdWork>::scratch(op, inputs, outputs);
}
void svd_cpu(const Svd& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<SvdWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
