// Rows are walked in blocks of fixed size, so the sums do not depend on the number of threads.

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "ops/class_indices_internal.h"
#include "ops/elementwise_internal.h"
#include "ops/nll_loss.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

constexpr int64_t kBlockRows = 1024;
/// Simple operations a row: what one element far from the last costs.
constexpr int64_t kRowWork = 10;

double read(const Tensor& tensor, int64_t i) {
  double value;
  load_tile(&value, tensor.dtype(),
            static_cast<const char*>(tensor.raw_data()) + i * static_cast<int64_t>(size_of(tensor.dtype())),
            1, 1);
  return value;
}

void write(const Tensor& tensor, int64_t i, double value) {
  store_tile(&value, tensor.dtype(),
             static_cast<char*>(tensor.raw_data()) + i * static_cast<int64_t>(size_of(tensor.dtype())), 1, 1);
}

struct Sums {
  double loss = 0, weight = 0;
};

int64_t count_blocks(const Tensor& targets) {
  return (targets.numel() + kBlockRows - 1) / kBlockRows;
}

}  // namespace

size_t nll_loss_scratch(const NllLoss&, Inputs inputs, std::span<const Tensor>) {
  Workspace counter;
  for (const Tensor& input : inputs) in_row_major(input, counter);
  counter.take<Sums>(count_blocks(inputs[1]));
  return counter.bytes();
}

void nll_loss_cpu(const NllLoss& loss, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace work(scratch);
  const LocalTensor row_major_x = in_row_major(inputs[0], work),
                    row_major_targets = in_row_major(inputs[1], work);
  const LocalTensor row_major_weight = in_row_major(inputs.size() > 2 ? inputs[2] : Tensor(), work);
  const Tensor &x = row_major_x, &targets = row_major_targets, &weight = row_major_weight;
  const int64_t classes = x.shape().back(), rows = targets.numel();
  const ClassIndices indices(NllLoss::kName, targets, classes, loss.ignore_index());
  const bool each = loss.reduction() == LossReduction::none;
  const int64_t count = count_blocks(targets);
  auto* const blocks = work.take<Sums>(count);
  parallel_for(0, count, kSerialWork / (kRowWork * kBlockRows) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      Sums sums;
      for (int64_t row = block * kBlockRows; row < std::min(rows, (block + 1) * kBlockRows); ++row) {
        const int64_t target = indices[row];
        const bool taken = target != loss.ignore_index();
        const double w = !taken ? 0 : weight.defined() ? read(weight, target) : 1;
        const double term = taken ? -w * read(x, row * classes + target) : 0;
        if (each) write(outputs[0], row, term);
        sums.loss += term;
        sums.weight += w;
      }
      blocks[block] = sums;
    }
  });
  Sums total;
  for (int64_t block = 0; block < count; ++block) {
    total.loss += blocks[block].loss;
    total.weight += blocks[block].weight;
  }
  if (!each)
    write(outputs[0], 0, loss.reduction() == LossReduction::mean ? total.loss / total.weight : total.loss);
  write(outputs[1], 0, total.weight);
}

size_t nll_loss_backward_scratch(const NllLossBackward&, Inputs inputs, std::span<const Tensor>) {
  Workspace counter;
  for (const Tensor& input : inputs) in_row_major(input, counter);
  return counter.bytes();
}

void nll_loss_backward_cpu(const NllLossBackward& loss, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace work(scratch);
  const LocalTensor row_major_gradient = in_row_major(inputs[0], work),
                    row_major_targets = in_row_major(inputs[1], work);
  const LocalTensor row_major_weight = in_row_major(inputs.size() > 3 ? inputs[3] : Tensor(), work);
  const Tensor &gradient = row_major_gradient, &targets = row_major_targets, &weight = row_major_weight;
  const int64_t classes = outputs[0].shape().back(), rows = targets.numel();
  const ClassIndices indices(NllLossBackward::kName, targets, classes, loss.ignore_index());
  const bool each = loss.reduction() == LossReduction::none;
  if (rows == 0) return;
  const double scale = each ? 1 : gradient.item();
  const double divisor = loss.reduction() == LossReduction::mean ? inputs[2].item() : 1;
  const auto bytes = static_cast<int64_t>(size_of(outputs[0].dtype())) * classes;
  parallel_for(0, rows, kSerialWork / (kRowWork + classes) + 1, [&](int64_t begin, int64_t end) {
    std::memset(static_cast<char*>(outputs[0].raw_data()) + begin * bytes, 0,
                static_cast<size_t>((end - begin) * bytes));
    for (int64_t row = begin; row < end; ++row) {
      const int64_t target = indices[row];
      if (target == loss.ignore_index()) continue;
      const double w = weight.defined() ? read(weight, target) : 1;
      const double g = each ? read(gradient, row) : scale;
      write(outputs[0], row * classes + target, -w * g / divisor);
    }
  });
}

}  // namespace espalier
