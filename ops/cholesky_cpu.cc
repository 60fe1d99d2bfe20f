#include <algorithm>
#include <string>

#include "ops/cholesky.h"
#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// The factor of one matrix; returns the number of the pivot that is not positive, counted from 1, or 0.
template <class T>
int factorise(T* l, const T* a, int64_t n) {
  std::copy_n(a, n * n, l);
  const int size = static_cast<int>(n);
  int info = 0;
  // The lower triangle of row-major memory is the upper one of what LAPACK sees, and so is the factor's.
  lapack::Routines<T>::potrf("U", &size, l, &size, &info, 1);
  if (info > 0) return info;
  for (int64_t i = 0; i < n; ++i) {
    if (!(l[i * n + i] > 0)) return static_cast<int>(i) + 1;  // not every implementation sees a NaN
    std::fill(l + i * n + i + 1, l + (i + 1) * n, T(0));
  }
  return 0;
}

template <class T>
class CholeskyWork {
 public:
  CholeskyWork(const Cholesky&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : inputs_(inputs),
        n_(inputs[0].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        l_(static_cast<T*>(outputs[0].raw_data())),
        batch_(n_ == 0 ? 0 : batch_size(inputs[0].shape()), static_cast<double>(n_ * n_ * n_) / 6, 0, work) {}

  void run() const {
    const WrongMatrix wrong =
        batch_.run([&](int64_t i, Workspace&) { return factorise(l_ + i * n_ * n_, a_ + i * n_ * n_, n_); });
    if (wrong.what == 0) return;
    throw_for_matrix(Cholesky::kName, inputs_, wrong.matrix,
                     "is not positive definite: pivot " + std::to_string(wrong.what - 1) +
                         ", counted from 0, is not positive");
  }

 private:
  Inputs inputs_;
  int64_t n_;
  const T* a_;
  T* l_;
  MatrixBatch batch_;
};

}  // namespace

size_t cholesky_scratch(const Cholesky& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<CholeskyWork>::scratch(op, inputs, outputs);
}
void cholesky_cpu(const Cholesky& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<CholeskyWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
