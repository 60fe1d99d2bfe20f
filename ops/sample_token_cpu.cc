#include <algorithm>

#include "core/parallel.h"
#include "core/philox.h"
#include "ops/elementwise_internal.h"
#include "ops/random_internal.h"
#include "ops/token_sampler_internal.h"

namespace espalier {
namespace {

/// Simple operations a logit: a conversion, a comparison, an exponential in f64 (about sixteen), and the walk
/// to the token.
constexpr int64_t kSamplingWork = 24;

/// Random words that a row takes.
constexpr uint64_t kWordsOfToken = 2;

/// In C: double for f64, float for the other types.
template <class C>
class SampleTokenWork {
 public:
  SampleTokenWork(const SampleToken& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : options_(op.options()),
        logits_(inputs[0]),
        state_(inputs[1]),
        tokens_(static_cast<int64_t*>(outputs[0].raw_data())),
        parts_(std::clamp<int64_t>(kSamplingWork * logits_.numel() / kSerialWork, 1,
                                   std::max<int64_t>(1, std::min<int64_t>(rows(), num_threads())))),
        bytes_(scratch_of<Part>(*this)),
        memory_(work.take<char>(parts_ * static_cast<int64_t>(bytes_))) {}

  void run() const {
    const bool shared = state_.rank() == 1;
    const RandomPlace all =
        shared ? claim_random_blocks(state_, philox_blocks(static_cast<uint64_t>(rows()), kWordsOfToken))
               : RandomPlace{};
    // Each part of the rows is one thread's, which has memory for a row.
    parallel_for(0, parts_, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part) {
        Workspace work(memory_ + part * static_cast<int64_t>(bytes_));
        const Part own(*this, work);
        for (int64_t row = rows() * part / parts_; row < rows() * (part + 1) / parts_; ++row) {
          const RandomPlace place = shared ? all : claim_of_row(row);
          const uint64_t number =
              philox_word64(place.seed, place.offset, shared ? static_cast<uint64_t>(row) : 0);
          tokens_[row] = own.sampler.draw(logits_of(row, own.row), row, philox_uniform(number));
        }
      }
    });
  }

 private:
  /// What a thread needs for itself.
  struct Part {
    Part(const SampleTokenWork& all, Workspace& work)
        : row(all.in_place() ? nullptr : work.take<C>(all.size())), sampler(all.options_, all.size(), work) {}
    C* row;
    TokenSampler<C> sampler;
  };

  int64_t rows() const { return logits_.size(0); }
  int64_t size() const { return logits_.size(1); }
  bool in_place() const {
    return logits_.dtype() == dtype_of<C>() && (logits_.strides()[1] == 1 || size() == 1);
  }

  RandomPlace claim_of_row(int64_t row) const {
    const Strides& strides = state_.strides();
    auto* const words = static_cast<int64_t*>(state_.raw_data()) + row * strides[0];
    return claim_random_blocks(words, strides[1], philox_blocks(1, kWordsOfToken));
  }

  const C* logits_of(int64_t row, C* memory) const {
    const Strides& strides = logits_.strides();
    const char* const first = static_cast<const char*>(logits_.raw_data()) +
                              row * strides[0] * static_cast<int64_t>(size_of(logits_.dtype()));
    if (in_place()) return reinterpret_cast<const C*>(first);
    load_tile(memory, logits_.dtype(), first, strides[1], size());
    return memory;
  }

  SamplingOptions options_;
  Tensor logits_, state_;
  int64_t* tokens_;
  int64_t parts_;
  size_t bytes_;  ///< of a part
  char* memory_;
};

}  // namespace

size_t sample_token_scratch(const SampleToken& op, Inputs inputs, std::span<const Tensor> outputs) {
  return inputs[0].dtype() == Dtype::f64 ? scratch_of<SampleTokenWork<double>>(op, inputs, outputs)
                                         : scratch_of<SampleTokenWork<float>>(op, inputs, outputs);
}

void sample_token_cpu(const SampleToken& op, Inputs inputs, Outputs outputs, void* scratch) {
  if (inputs[0].dtype() == Dtype::f64)
    run_with<SampleTokenWork<double>>(scratch, op, inputs, outputs);
  else
    run_with<SampleTokenWork<float>>(scratch, op, inputs, outputs);
}

}  // namespace espalier
