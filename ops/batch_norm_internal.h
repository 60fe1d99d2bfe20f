#pragma once

#include <cstdint>

namespace espalier {

// The vectorised loops of batch normalisation in f32. Sums are taken over blocks short enough for f32; the
// callers add up the blocks in f64.

/// A mean and a sum of squared distances from it in f64, of parts that are merged.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  /// Merges a part's (Chan, Golub and LeVeque, 1979).
  void merge(double n, double part_mean, double part_squares) {
    const double distance = part_mean - mean;
    count += n;
    mean += distance * (n / count);
    squares += part_squares + distance * distance * (n * (count - n) / count);
  }
};

/// One number for each channel.
struct NormCoefficients {
  const float* mean;
  const float* scale;  ///< forward: weight / deviation; backward: what multiplies the gradient
  const float* slope;  ///< backward: what multiplies x - mean; null in forward
  const float* shift;  ///< forward: added (bias); backward: subtracted
};

/// For channels-last memory, `rows` rows of `channels` neighbours: the mean of each channel and the sum of
/// squared distances from it (in two passes over a block that stays in cache).
void row_moments(const float* x, int64_t rows, int64_t channels, float* mean, float* squares);
/// The sums of the gradient and of the gradient times x - mean, channel by channel.
void row_products(const float* gradient, const float* x, const float* mean, int64_t rows, int64_t channels,
                  float* sum, float* product);
/// y = (x - mean) * scale + shift.
void row_normalize(const float* x, const NormCoefficients& k, int64_t rows, int64_t channels, float* y);
/// dx = gradient * scale - shift - (x - mean) * slope.
void row_gradient(const float* gradient, const float* x, const NormCoefficients& k, int64_t rows,
                  int64_t channels, float* dx);

/// `n` neighbours of each of `channels` channels, which begin `stride` apart.
struct Runs {
  int64_t channels, stride, n;
};

/// The mean and the sum of squared distances of `n` neighbours.
void run_moments(const float* x, int64_t n, float* mean, float* squares);
/// The others of the above for runs, with one mean, sum, ... for each channel.
void run_products(const float* gradient, const float* x, const float* mean, const Runs& runs, float* sum,
                  float* product);
void run_normalize(const float* x, const NormCoefficients& k, const Runs& runs, float* y);
void run_gradient(const float* gradient, const float* x, const NormCoefficients& k, const Runs& runs,
                  float* dx);

}  // namespace espalier
