#pragma once

#include <algorithm>
#include <cstddef>

#include "core/workspace.h"

// The routines of BLAS and LAPACK that the linear algebra stands on, as Fortran has them: matrices lie column
// by column, arguments are pointers, and the lengths of the character arguments come last. E. Anderson et
// al., "LAPACK Users' Guide", third edition (1999), describes them.
//
// A row-major matrix is, read column by column, its transpose. The kernels hand it over as it lies and ask
// for the transposed problem, so that only few results have to be turned.

namespace espalier::lapack {

extern "C" {
// NOLINTBEGIN(bugprone-macro-parentheses): T is a type
#define ESPALIER_DECLARE(p, T)                                                                             \
  void p##trsm_(const char* side, const char* uplo, const char* trans, const char* diag, const int* m,     \
                const int* n, const T* alpha, const T* a, const int* lda, T* b, const int* ldb, size_t,    \
                size_t, size_t, size_t);                                                                   \
  void p##potrf_(const char* uplo, const int* n, T* a, const int* lda, int* info, size_t);                 \
  void p##getrf_(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);                \
  void p##getrs_(const char* trans, const int* n, const int* columns, const T* a, const int* lda,          \
                 const int* pivots, T* b, const int* ldb, int* info, size_t);                              \
  void p##getri_(const int* n, T* a, const int* lda, const int* pivots, T* work, const int* lwork,         \
                 int* info);                                                                               \
  void p##geqrf_(const int* m, const int* n, T* a, const int* lda, T* tau, T* work, const int* lwork,      \
                 int* info);                                                                               \
  void p##orgqr_(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau, T* work,    \
                 const int* lwork, int* info);                                                             \
  void p##gesdd_(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u,            \
                 const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, int* iwork, int* info, \
                 size_t);                                                                                  \
  void p##syevd_(const char* job, const char* uplo, const int* n, T* a, const int* lda, T* w, T* work,     \
                 const int* lwork, int* iwork, const int* liwork, int* info, size_t, size_t);
ESPALIER_DECLARE(s, float)
ESPALIER_DECLARE(d, double)
#undef ESPALIER_DECLARE
// NOLINTEND(bugprone-macro-parentheses)
}

/// The routines for one type of element.
template <class T>
struct Routines;
#define ESPALIER_ROUTINES(p, T)              \
  template <>                                \
  struct Routines<T> {                       \
    static constexpr auto trsm = p##trsm_;   \
    static constexpr auto potrf = p##potrf_; \
    static constexpr auto getrf = p##getrf_; \
    static constexpr auto getrs = p##getrs_; \
    static constexpr auto getri = p##getri_; \
    static constexpr auto geqrf = p##geqrf_; \
    static constexpr auto orgqr = p##orgqr_; \
    static constexpr auto gesdd = p##gesdd_; \
    static constexpr auto syevd = p##syevd_; \
  };
ESPALIER_ROUTINES(s, float)
ESPALIER_ROUTINES(d, double)
#undef ESPALIER_ROUTINES

/// Memory in which a routine works: as much as it asks for. `ask(first, length)` calls the routine, with
/// length -1, upon which it puts the length that it wants into the first element.
template <class T>
struct WorkArray {
  template <class Ask>
  WorkArray(const Ask& ask, Workspace& memory) {
    T wanted = 0;
    const int query = -1;
    ask(&wanted, &query);
    // An f32 holds no integer beyond 2^24 exactly; LAPACK rounds to the nearest, so a little is added.
    const double rounded = static_cast<double>(wanted) * (sizeof(T) == 4 ? 1 + 0x1p-23 : 1);
    length = static_cast<int>(std::max(rounded, 1.0));
    data = memory.take<T>(length);
  }

  T* data;
  int length;
};

}  // namespace espalier::lapack
