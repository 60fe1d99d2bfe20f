#include <algorithm>
#include <array>
#include <cstring>

#include "core/parallel.h"
#include "ops/elementwise_internal.h"
#include "ops/fused_elementwise.h"
#include "ops/kernel_lists_internal.h"

namespace espalier {
namespace {

using Body = ElementwiseBody;
using ChainLoop = BasicElementwiseLoop<kMaxChainOperands>;
static_assert(kMaxChainOperands == FusedElementwise::kMaxInputs + FusedElementwise::kMaxResults);

/// A tile. With the few values that are alive at once, inputs and results it fits into a first-level cache of
/// 32 KiB.
constexpr size_t kChainTileBytes = 4096;

/// Rows of up to so many elements share a tile: a call for each link and row costs as much as computing some
/// 100 elements.
constexpr int64_t kShortRow = 256;

/// Where a value is: an operand of the loop, or between two links a tile.
struct Place {
  bool in_memory = false;
  int index = 0;  ///< of the operand or the tile
  Dtype dtype = Dtype::f32;
};

/// A link made ready: what it computes, of what, and where to.
struct Instruction {
  OwnedElementwiseBody body;
  InlineVector<Place, Body::kMaxInputs> inputs;
  Place output;
};

/// Gives values tiles, which are free again when their last reader has run.
class Tiles {
 public:
  explicit Tiles(const std::vector<FusedElementwise::Link>& links) : last_(links.size()) {
    for (size_t k = 0; k < links.size(); ++k) {
      last_[k] = k;
      for (const int operand : links[k].operands) {
        if (operand < 0) last_[~static_cast<size_t>(operand)] = k;
      }
    }
  }

  /// For the value of link `k`, when it comes: no tile that it reads.
  int take(size_t k) {
    const auto free = std::find_if(until_.begin(), until_.end(), [&](size_t until) { return until <= k; });
    *free = last_[k] + 1;
    return static_cast<int>(free - until_.begin());
  }

 private:
  std::vector<size_t> last_;                                 ///< the last reader of each value
  std::array<size_t, FusedElementwise::kMaxLinks> until_{};  ///< the link before which each tile is taken
};

/// A chain made ready.
class Chain final : public PreparedKernel {
 public:
  Chain(const FusedElementwise& chain, Inputs inputs, Specs outputs) : loop_(make_loop(inputs, outputs)) {
    const std::vector<Tensor> values = chain.values(inputs);
    Tiles tiles(chain.links());
    std::vector<Place> places;
    for (size_t k = 0; k < values.size(); ++k) {
      const FusedElementwise::Link& link = chain.links()[k];
      Instruction made;
      Tensors operands;
      for (const int operand : link.operands) {
        const auto i = static_cast<size_t>(operand >= 0 ? operand : ~operand);
        operands.push_back(operand >= 0 ? inputs[i] : values[i]);
        made.inputs.push_back(operand >= 0 ? Place{true, operand + 1, inputs[i].dtype()} : places[i]);
      }
      Tensors output{values[k]};
      made.body = record_elementwise_body(link.operation->kernels().kernels(DeviceType::cpu)[0],
                                          *link.operation, operands, output);
      const auto& results = chain.results();
      const auto result =
          std::find(results.begin(), results.end(), static_cast<int64_t>(k)) - results.begin();
      if (result == 0)
        made.output = {true, 0, values[k].dtype()};
      else if (result < std::ssize(results))
        made.output = {true, static_cast<int>(std::ssize(inputs) + result), values[k].dtype()};
      else
        made.output = {false, tiles.take(k), values[k].dtype()};
      places.push_back(made.output);
      work_ += made.body.work;
      for (const Dtype dtype : made.body.body.operands) widest_ = std::max(widest_, size_of(dtype));
      widest_ = std::max(widest_, size_of(made.output.dtype));
      program_.push_back(made);
    }
  }

  void run(Inputs inputs, Outputs outputs, void*) const override {
    if (loop_.elements == 0) return;
    ChainLoop loop = loop_;
    char** data = loop.data.data();
    *data++ = static_cast<char*>(outputs[0].raw_data());
    for (const Tensor& input : inputs) *data++ = static_cast<char*>(input.raw_data());
    for (const Tensor& output : outputs.subspan(1)) *data++ = static_cast<char*>(output.raw_data());
    parallel_for(0, loop.elements, std::max<int64_t>(1, kSerialWork / work_),
                 [&](int64_t first, int64_t last) {
                   Walker walker(*this, loop);
                   for_each_rows(loop, first, last, [&](const ChainLoop::Rows& rows) { walker.run(rows); });
                 });
  }

 private:
  /// The first result, the inputs, the other results, which lie in memory as the first does.
  static ChainLoop make_loop(Inputs inputs, Specs outputs) {
    InlineVector<Tensor, kMaxChainOperands> others;
    for (const Tensor& input : inputs) others.push_back(input);
    for (const Tensor& output : outputs.subspan(1)) others.push_back(output);
    return {outputs[0], others};
  }

  /// A thread's way through its part.
  class Walker {
   public:
    Walker(const Chain& chain, const ChainLoop& loop) : chain_(chain), loop_(loop) {}

    void run(const ChainLoop::Rows& rows) {
      const auto width = static_cast<int64_t>(kChainTileBytes / chain_.widest_);
      rows_ = &rows;
      height_ = rows.size <= kShortRow ? width / rows.size : 1;
      for (row_ = 0; row_ < rows.count; row_ += height_) {
        height_ = std::min(height_, rows.count - row_);
        for (column_ = 0; column_ < rows.size; column_ += width) {
          size_ = height_ > 1 ? height_ * rows.size : std::min(width, rows.size - column_);
          for (size_t k = 0; k < chain_.program_.size(); ++k) compute(k);
        }
      }
      rows_ = nullptr;  // the caller's
    }

   private:
    void compute(size_t k) {
      const Instruction& instruction = chain_.program_[k];
      const Body& body = instruction.body.body;
      Body::Places in{};
      Body::Walks walks{-1, -1, -1};
      for (size_t i = 0; i < instruction.inputs.size(); ++i) {
        const Place& place = instruction.inputs[i];
        const Dtype operand = body.operands[i + 1];
        const int64_t stride = place.in_memory ? stride_of(place) : 1;
        const char* const data = at(place);
        if (height_ > 1 && place.in_memory && !goes_on(place)) {
          in[i] = gathered_[i];
          gather_rows(gathered_[i], operand, place, data);
        } else if (stride == 0) {
          in[i] = repeated_[k][i];
          walks[i] = 0;
          if (column_ == 0 && (row_ == 0 || loop_.step(place.index) != 0))
            gather_operand(repeated_[k][i], operand, place.dtype, data, 0, body.lanes);
        } else if (stride == 1 && is_operand(place.dtype, operand)) {
          in[i] = data;
        } else {
          in[i] = gathered_[i];
          gather_operand(gathered_[i], operand, place.dtype, data, stride, size_);
        }
      }
      const Place& output = instruction.output;
      const bool direct = is_operand(output.dtype, body.operands[0]);
      instruction.body.apply(direct ? at(output) : computed_, in, walks, size_);
      if (!direct) scatter_operand(computed_, body.operands[0], output.dtype, at(output), 1, size_);
    }

    /// Whether the next row's elements follow this one's, as those of results do.
    bool goes_on(const Place& place) const {
      return loop_.step(place.index) ==
             rows_->size * stride_of(place) * static_cast<int64_t>(size_of(place.dtype));
    }
    /// The rows of a tile that do not go on, one behind the other.
    void gather_rows(char* tile, Dtype operand, const Place& place, const char* data) {
      const auto bytes = static_cast<size_t>(rows_->size) * size_of(operand);
      const int64_t step = loop_.step(place.index);
      for (int64_t r = 0; r < (step == 0 ? 1 : height_); ++r) {
        gather_operand(tile + static_cast<size_t>(r) * bytes, operand, place.dtype, data + r * step,
                       stride_of(place), rows_->size);
      }
      if (step != 0) return;
      const size_t all = static_cast<size_t>(height_) * bytes;
      for (size_t done = bytes; done < all; done *= 2)
        std::memcpy(tile + done, tile, std::min(done, all - done));
    }

    int64_t stride_of(const Place& place) const {
      return loop_.inner().strides[static_cast<size_t>(place.index)];
    }
    /// The first element of the tile in hand.
    char* at(const Place& place) {
      if (!place.in_memory) return tiles_[place.index];
      return rows_->data[static_cast<size_t>(place.index)] + row_ * loop_.step(place.index) +
             column_ * stride_of(place) * static_cast<int64_t>(size_of(place.dtype));
    }

    const Chain& chain_;
    const ChainLoop& loop_;
    const ChainLoop::Rows* rows_ = nullptr;
    int64_t row_ = 0, column_ = 0;  ///< where the tile in hand begins
    int64_t height_ = 1;            ///< its rows
    int64_t size_ = 0;              ///< its elements
    alignas(Body::kVectorBytes) char tiles_[FusedElementwise::kMaxLinks][kChainTileBytes];
    alignas(Body::kVectorBytes) char gathered_[Body::kMaxInputs][kChainTileBytes];
    alignas(Body::kVectorBytes) char computed_[kChainTileBytes];
    /// Inputs that are one element along a row, as a vector of it: by link and operand.
    alignas(
        Body::kVectorBytes) char repeated_[FusedElementwise::kMaxLinks][Body::kMaxInputs][Body::kVectorBytes];
  };

  ChainLoop loop_;
  std::vector<Instruction> program_;
  int64_t work_ = 0;   ///< the cost of one element in simple operations
  size_t widest_ = 1;  ///< element of a tile, in bytes
};

}  // namespace

Prepared prepare_fused_elementwise(const FusedElementwise& chain, Inputs inputs, Specs outputs, uint32_t) {
  return std::make_unique<const Chain>(chain, inputs, outputs);
}

void fused_elementwise(const FusedElementwise& chain, Inputs inputs, Outputs outputs) {
  Chain(chain, inputs, outputs).run(inputs, outputs, nullptr);
}

}  // namespace espalier
