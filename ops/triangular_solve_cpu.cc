#include <algorithm>
#include <string>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"
#include "ops/triangular_solve.h"

namespace espalier {
namespace {

/// Solves one system; returns the number of the first zero on the diagonal, counted from 1, or 0.
template <class T>
int solve_one(const TriangularOptions& options, T* x, const T* a, const T* b, int64_t n, int64_t k) {
  for (int64_t i = 0; !options.unit_diagonal && i < n; ++i) {
    if (a[i * n + i] == 0) return static_cast<int>(i) + 1;
  }
  std::copy_n(b, n * k, x);
  const int columns = static_cast<int>(k), size = static_cast<int>(n);
  const T one = 1;
  // LAPACK sees the transposes: X^T A^T = B^T, and of A^T, which it was given, the other triangle.
  lapack::Routines<T>::trsm("R", options.lower ? "U" : "L", options.transposed ? "T" : "N",
                            options.unit_diagonal ? "U" : "N", &columns, &size, &one, a, &size, x, &columns,
                            1, 1, 1, 1);
  return 0;
}

template <class T>
class TriangularSolveWork {
 public:
  TriangularSolveWork(const TriangularSolve& op, Inputs inputs, std::span<const Tensor> outputs,
                      Workspace& work)
      : options_(op.options()),
        inputs_(inputs),
        n_(inputs[1].size(-2)),
        k_(inputs[1].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        b_(row_major_as<T>(inputs[1], work)),
        x_(static_cast<T*>(outputs[0].raw_data())),
        batch_(outputs[0].numel() == 0 ? 0 : batch_size(inputs[0].shape()),
               static_cast<double>(n_ * n_) * static_cast<double>(k_) / 2, 0, work) {}

  void run() const {
    const WrongMatrix wrong = batch_.run([&](int64_t i, Workspace&) {
      return solve_one(options_, x_ + i * n_ * k_, a_ + i * n_ * n_, b_ + i * n_ * k_, n_, k_);
    });
    if (wrong.what == 0) return;
    throw_for_matrix(TriangularSolve::kName, inputs_, wrong.matrix,
                     "is singular: pivot " + std::to_string(wrong.what - 1) + ", counted from 0, is zero");
  }

 private:
  TriangularOptions options_;
  Inputs inputs_;
  int64_t n_, k_;
  const T *a_, *b_;
  T* x_;
  MatrixBatch batch_;
};

}  // namespace

size_t triangular_solve_scratch(const TriangularSolve& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<TriangularSolveWork>::scratch(op, inputs, outputs);
}
void triangular_solve_cpu(const TriangularSolve& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<TriangularSolveWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
