#pragma once

#include <cstdint>

namespace espalier {

/// Rows to normalise, each of `size` neighbouring elements.
template <class T>
struct LayerNormRows {
  int64_t size;
  T epsilon;
  const T *x, *weight, *bias;  // weight and bias may be null
  T *y, *mean, *scale;         // the last two, one value a row
};

/// Rows whose gradient is taken.
template <class T>
struct LayerNormGradients {
  int64_t size;
  const T *dy, *x, *weight;  // weight may be null
  const T *mean, *scale;
  T* dx;  // may be null
};

/// Normalises the rows [first, last).
void layer_norm_rows(const LayerNormRows<float>& rows, int64_t first, int64_t last);
void layer_norm_rows(const LayerNormRows<double>& rows, int64_t first, int64_t last);

/// Writes the gradients of the rows [first, last), and adds their parts of the parameters' gradients to
/// `dweight` and `dbias`, unless those are null.
void layer_norm_gradients(const LayerNormGradients<float>& rows, int64_t first, int64_t last, float* dweight,
                          float* dbias);
void layer_norm_gradients(const LayerNormGradients<double>& rows, int64_t first, int64_t last,
                          double* dweight, double* dbias);

}  // namespace espalier
