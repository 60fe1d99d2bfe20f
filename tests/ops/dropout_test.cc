#include "ops/dropout.h"

#include <cmath>

#include "core/philox.h"
#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// A generator's state: seed and offset.
const InputSpec kState{{2}, 0, 1000, Dtype::i64, false};

/// `run` makes the same mask each time, because it works on a copy of the state.
OpSample sample(std::string label, const Shape& shape, double p,
                const std::function<Tensor(const Tensor&, double, const Generator&)>& run) {
  return {std::move(label),
          {{shape}, kState},
          [=](Inputs in) { return Tensors{run(in[0], p, Generator(copy(in[1])))}; },
          [p](const Arrays& in) {
            const auto seed = static_cast<uint64_t>(in[1][0]), offset = static_cast<uint64_t>(in[1][1]);
            Array result(in[0].shape);
            for (int64_t i = 0; i < count(result.shape); ++i) {
              const double word = philox_word(seed, offset, static_cast<uint64_t>(i));
              if (p == 0 || (p < 1 && word >= std::round(p * 0x1p32))) result[i] = in[0][i] / (1 - p);
            }
            return Arrays{result};
          }};
}

OpSample sample(std::string label, const Shape& shape, double p) {
  return sample(std::move(label), shape, p, dropout);
}

}  // namespace

OpTest dropout_test() {
  return {
      .name = "dropout",
      .covers = {"dropout_backward"},
      .samples =
          {
              sample("half", {3, 7}, 0.5),
              sample("longer than a tile", {3, 700}, 0.25),
              sample("nothing dropped", {4, 3}, 0),
              sample("hardly any left", {4, 30}, 0.9),
              sample("all dropped", {2, 3}, 1),
              sample("channels-last", {2, 3, 4, 5}, 0.4,
                     [](const Tensor& x, double p, const Generator& from) {
                       return dropout(channels_last(x), p, from);
                     }),
              sample("scalar", {}, 0.5),
              sample("empty", {0, 3}, 0.5),
          },
      .errors =
          {
              {"a probability above 1", [] { dropout(zeros({2}), 1.5); }, "ValueError", {"dropout", "1.5"}},
              {"a negative probability",
               [] { dropout(zeros({2}), -0.1); },
               "ValueError",
               {"dropout", "-0.1", "from 0 to 1"}},
              {"NaN", [] { dropout(zeros({2}), std::nan("")); }, "ValueError", {"dropout", "nan"}},
              {"integers", [] { dropout(zeros({2}, Dtype::i64), 0.5); }, "TypeError", {"dropout", "i64[2]"}},
              {"integers, nothing to drop",
               [] { dropout(zeros({2}, Dtype::i64), 0); },
               "TypeError",
               {"dropout", "i64[2]"}},
              {"undefined", [] { dropout(Tensor(), 0.5); }, "ValueError", {"dropout", "undefined"}},
              {"no state",
               [] { apply(Dropout(0.5), {zeros({2}), zeros({2})}); },
               "TypeError",
               {"dropout", "f32[2], f32[2]", "i64[2]"}},
          },
      .dtypes = kAllFloatingTypes,
      .mixed_axes = {0, 1, 2, 3},
      .benchmarks = {sample("1M", {1024, 1024}, 0.1)},
  };
}

}  // namespace espalier::test
