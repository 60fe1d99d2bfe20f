#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "core/create.h"
#include "core/parallel.h"
#include "ops/matrix_vector_internal.h"
#include "ops/random.h"

namespace espalier::test {
namespace {

struct LevelScope {
  CpuLevel best = cpu_level();
  ~LevelScope() { set_cpu_level(best); }
};

std::vector<float> matrix_vector_product(const Tensor& w, const Tensor& x, const Tensor& bias,
                                         const Tensor& start, bool relu) {
  const int64_t rows = w.size(0), columns = w.size(1);
  const Tensor packed = empty({static_cast<int64_t>(packed_matrix_size(rows, columns))});
  pack_matrix(w.data<float>(), rows, columns, static_cast<float*>(packed.raw_data()));
  std::vector<float> y = start.to_vector<float>();
  matrix_vector({.rows = rows,
                 .columns = columns,
                 .packed = packed.data<float>(),
                 .x = x.data<float>(),
                 .bias = bias.data<float>(),
                 .y = y.data(),
                 .accumulate = true,
                 .relu = relu});
  return y;
}

TEST(MatrixVector, AgreesWithPlainLoopsOnEveryInstructionSet) {
  const LevelScope scope;
  manual_seed(3);
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{1, 1}, {10, 64}, {16, 7}, {64, 128}, {100, 33}, {800, 784}}) {
    const Tensor w = normal({rows, columns}), x = normal({columns}), bias = normal({rows}),
                 start = normal({rows});
    for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, scope.best}) {
      if (level > scope.best) continue;
      set_cpu_level(level);
      for (const bool relu : {false, true}) {
        const std::vector<float> got = matrix_vector_product(w, x, bias, start, relu);
        for (int64_t r = 0; r < rows; ++r) {
          const double added =
              static_cast<double>(bias.data<float>()[r]) + static_cast<double>(start.data<float>()[r]);
          double sum = added, sizes = std::abs(added);
          for (int64_t c = 0; c < columns; ++c) {
            const double term = static_cast<double>(w.data<float>()[r * columns + c]) *
                                static_cast<double>(x.data<float>()[c]);
            sum += term;
            sizes += std::abs(term);
          }
          // Every term goes through at most columns / 2 + 4 roundings (Higham, "Accuracy and stability of
          // numerical algorithms", 2002, section 3.1).
          const double bound = (static_cast<double>(columns) / 2 + 4) * 0x1p-24 * sizes;
          EXPECT_NEAR(got[static_cast<size_t>(r)], relu ? std::max(sum, 0.0) : sum, bound)
              << rows << " x " << columns << ", row " << r << ", " << cpu_level_name(level);
        }
      }
    }
  }
}

TEST(MatrixVector, GivesTheSameBitsForAnyNumberOfThreads) {
  const Tensor w = normal({800, 784}), x = normal({784}), bias = normal({800}), start = normal({800});
  const std::vector<float> expected = matrix_vector_product(w, x, bias, start, true);
  const ThreadCountGuard one(1);
  EXPECT_EQ(matrix_vector_product(w, x, bias, start, true), expected);
}

TEST(MatrixVector, KeepsNan) {
  const Tensor w = full({2, 2}, 1.0), zero = zeros({2});
  const Tensor x = from_values(std::vector<float>{NAN, 1}, {2});
  for (const float value : matrix_vector_product(w, x, zero, zero, true)) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace espalier::test
