#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/determinant.h"
#include "ops/lapack_internal.h"
#include "ops/linalg_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// What the factorisation of one matrix needs.
template <class T>
struct DeterminantRoom {
  DeterminantRoom(int64_t n, Workspace& memory) : lu(memory.take<T>(n * n)), exchanges(memory.take<int>(n)) {}

  T* lu;
  int* exchanges;
};

/// Factorises the matrices. Memory holds their transposes, whose determinants are the same.
template <class T>
class Factorisations {
 public:
  Factorisations(const Tensor& input, Workspace& work)
      : n_(input.size(-1)),
        a_(row_major_as<T>(input, work)),
        batch_(batch_size(input.shape()), static_cast<double>(n_ * n_ * n_) / 3,
               scratch_of<DeterminantRoom<T>>(n_), work) {}

  int64_t n() const { return n_; }
  /// Calls `take(matrix, pivots, odd)` with the pivots of each matrix, n apart by n + 1, and whether the
  /// exchange of rows changes the sign; `pivots` is null for a singular matrix.
  template <class Take>
  void run(const Take& take) const {
    batch_.run([&](int64_t i, Workspace& memory) {
      const DeterminantRoom<T> room(n_, memory);
      const int rows = static_cast<int>(n_);
      std::copy_n(a_ + i * n_ * n_, n_ * n_, room.lu);
      int info = 0;
      if (n_ > 0) lapack::Routines<T>::getrf(&rows, &rows, room.lu, &rows, room.exchanges, &info);
      bool odd = false;
      for (int j = 0; j < rows; ++j) odd ^= room.exchanges[j] != j + 1;
      take(i, info > 0 ? nullptr : room.lu, odd);
      return 0;
    });
  }

 private:
  int64_t n_;
  const T* a_;
  MatrixBatch batch_;
};

template <class T>
class DeterminantWork {
 public:
  DeterminantWork(const Determinant&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : factorisations_(inputs[0], work), result_(static_cast<T*>(outputs[0].raw_data())) {}

  void run() const {
    const int64_t n = factorisations_.n();
    factorisations_.run([&](int64_t i, const T* pivots, bool odd) {
      T product = !pivots && n > 0 ? 0 : odd ? -1 : 1;
      for (int64_t j = 0; pivots && j < n; ++j) product *= pivots[j * (n + 1)];
      result_[i] = product;
    });
  }

 private:
  Factorisations<T> factorisations_;
  T* result_;
};

template <class T>
class LogDeterminantWork {
 public:
  LogDeterminantWork(const LogDeterminant&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : factorisations_(inputs[0], work),
        sign_(static_cast<T*>(outputs[0].raw_data())),
        magnitude_(static_cast<T*>(outputs[1].raw_data())) {}

  void run() const {
    const int64_t n = factorisations_.n();
    factorisations_.run([&](int64_t i, const T* pivots, bool odd) {
      if (!pivots && n > 0) {
        sign_[i] = 0;
        magnitude_[i] = -std::numeric_limits<T>::infinity();
        return;
      }
      T sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        const T pivot = pivots[j * (n + 1)];
        sum += std::log(std::abs(pivot));
        odd ^= pivot < 0;
      }
      sign_[i] = std::isnan(sum) ? sum : odd ? T(-1) : T(1);
      magnitude_[i] = sum;
    });
  }

 private:
  Factorisations<T> factorisations_;
  T *sign_, *magnitude_;
};

}  // namespace

size_t determinant_scratch(const Determinant& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<DeterminantWork>::scratch(op, inputs, outputs);
}
void determinant_cpu(const Determinant& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<DeterminantWork>::run(op, inputs, outputs, scratch);
}

size_t log_determinant_scratch(const LogDeterminant& op, Inputs inputs, std::span<const Tensor> outputs) {
  return MatrixKernel<LogDeterminantWork>::scratch(op, inputs, outputs);
}
void log_determinant_cpu(const LogDeterminant& op, Inputs inputs, Outputs outputs, void* scratch) {
  MatrixKernel<LogDeterminantWork>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
