#include <algorithm>
#include <string>

#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"
#include "ops/solve.h"

namespace espalier {
namespace {

/// What the solution of one system needs: its factors, and k right-hand sides that lie column by column.
template <class T>
struct SolveRoom {
  SolveRoom(int64_t n, int64_t k, Workspace& memory)
      : lu(memory.take<T>(n * n)), pivots(memory.take<int>(n)), turned(memory.take<T>(k == 1 ? 0 : n * k)) {}

  T* lu;
  int* pivots;
  T* turned;
};

/// Solves one system; returns the number of the pivot that is zero, counted from 1, or 0.
template <class T>
int solve_one(const SolveRoom<T>& room, T* x, const T* a, const T* b, int64_t n, int64_t k) {
  std::copy_n(a, n * n, room.lu);
  const int size = static_cast<int>(n), columns = static_cast<int>(k);
  int info = 0;
  lapack::Routines<T>::getrf(&size, &size, room.lu, &size, room.pivots, &info);
  if (info > 0) return info;
  // What LAPACK has factorised is the transpose.
  T* const sides = k == 1 ? x : room.turned;
  transpose_into(sides, b, n, k);
  lapack::Routines<T>::getrs("T", &size, &columns, room.lu, &size, room.pivots, sides, &size, &info, 1);
  if (k != 1) transpose_into(x, sides, k, n);
  return 0;
}

/// What the inversion of one matrix needs.
template <class T>
struct InverseRoom {
  InverseRoom(int64_t n, Workspace& memory)
      : pivots(memory.take<int>(n)),
        work(
            [&](T* array, const int* length) {
              int info = 0;
              invert(static_cast<int>(n), nullptr, array, length, &info);
            },
            memory) {}

  void invert(int n, T* x, T* array, const int* length, int* info) const {
    lapack::Routines<T>::getri(&n, x, &n, pivots, array, length, info);
  }

  int* pivots;
  lapack::WorkArray<T> work;
};

/// Inverts one matrix; returns as solve_one() does. The inverse of the transpose is the transposed inverse,
/// so memory needs no turning.
template <class T>
int invert_one(const InverseRoom<T>& room, T* x, const T* a, int64_t n) {
  std::copy_n(a, n * n, x);
  const int size = static_cast<int>(n);
  int info = 0;
  lapack::Routines<T>::getrf(&size, &size, x, &size, room.pivots, &info);
  if (info > 0) return info;
  room.invert(size, x, room.work.data, &room.work.length, &info);
  return info;
}

void check_regular(std::string_view name, Inputs inputs, const WrongMatrix& wrong) {
  if (wrong.what == 0) return;
  throw_for_matrix(name, inputs, wrong.matrix,
                   "is singular: pivot " + std::to_string(wrong.what - 1) + ", counted from 0, is zero");
}

template <class T>
class SolveWork {
 public:
  SolveWork(const Solve&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : inputs_(inputs),
        n_(inputs[1].size(-2)),
        k_(inputs[1].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        b_(row_major_as<T>(inputs[1], work)),
        x_(static_cast<T*>(outputs[0].raw_data())),
        batch_(outputs[0].numel() == 0 ? 0 : batch_size(inputs[0].shape()),
               static_cast<double>(n_ * n_) * (static_cast<double>(n_) / 3 + static_cast<double>(k_)),
               scratch_of<SolveRoom<T>>(n_, k_), work) {}

  void run() const {
    check_regular(Solve::kName, inputs_, batch_.run([&](int64_t i, Workspace& memory) {
      return solve_one(SolveRoom<T>(n_, k_, memory), x_ + i * n_ * k_, a_ + i * n_ * n_, b_ + i * n_ * k_, n_,
                       k_);
    }));
  }

 private:
  Inputs inputs_;
  int64_t n_, k_;
  const T *a_, *b_;
  T* x_;
  MatrixBatch batch_;
};

template <class T>
class InverseWork {
 public:
  InverseWork(const Inverse&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : inputs_(inputs),
        n_(inputs[0].size(-1)),
        a_(row_major_as<T>(inputs[0], work)),
        x_(static_cast<T*>(outputs[0].raw_data())),
        batch_(n_ == 0 ? 0 : batch_size(inputs[0].shape()), static_cast<double>(n_ * n_ * n_),
               n_ == 0 ? 0 : scratch_of<InverseRoom<T>>(n_), work) {}

  void run() const {
    check_regular(Inverse::kName, inputs_, batch_.run([&](int64_t i, Workspace& memory) {
      return invert_one(InverseRoom<T>(n_, memory), x_ + i * n_ * n_, a_ + i * n_ * n_, n_);
    }));
  }

 private:
  Inputs inputs_;
  int64_t n_;
  const T* a_;
  T* x_;
  MatrixBatch batch_;
};

}  // namespace

size_t solve_scratch(const Solve& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<SolveWork>::scratch(op, inputs, outputs);
}
void solve_cpu(const Solve& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<SolveWork>::run(op, inputs, outputs, scratch);
}

size_t inverse_scratch(const Inverse& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<InverseWork>::scratch(op, inputs, outputs);
}
void inverse_cpu(const Inverse& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<InverseWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
