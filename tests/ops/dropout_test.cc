#include "ops/dropout.h"

#include <cmath>

#include "core/philox.h"
#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// A generator's state: seed and offset.
const InputSpec kDropoutState{{2}, 0, 1000, Dtype::i64, false};

/// `run` makes the same mask each time, because it works on a copy of the state.
OpSample dropout_sample(std::string label, const Shape& shape, double p,
                        const std::function<Tensor(const Tensor&, double, const Generator&)>& run) {
  return {std::move(label),
          {{shape}, kDropoutState},
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

OpSample dropout_sample(std::string label, const Shape& shape, double p) {
  return dropout_sample(std::move(label), shape, p, dropout);
}

}  // namespace

OpTest dropout_test() {
  return {
      .name = "dropout",
      .covers = {"dropout_backward"},
      .samples =
          {
              dropout_sample("half", {3, 7}, 0.5),
              dropout_sample("longer than a tile", {3, 700}, 0.25),
              dropout_sample("nothing dropped", {4, 3}, 0),
              dropout_sample("hardly any left", {4, 30}, 0.9),
              dropout_sample("all dropped", {2, 3}, 1),
              dropout_sample("channels-last", {2, 3, 4, 5}, 0.4,
                             [](const Tensor& x, double p, const Generator& from) {
                               return dropout(channels_last(x), p, from);
                             }),
              dropout_sample("scalar", {}, 0.5),
              dropout_sample("empty", {0, 3}, 0.5),
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
      .benchmarks = {dropout_sample("1M", {1024, 1024}, 0.1)},
  };
}

}  // namespace espalier::test
