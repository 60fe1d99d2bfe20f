#include <algorithm>
#include <utility>

#include "core/create.h"
#include "core/parallel.h"
#include "runtime/batch_parts_internal.h"
#include "runtime/given_tensors_internal.h"

namespace espalier::runtime {
namespace {

std::shared_ptr<const Plan> plan_of_part(const PartGraphs& graphs, int64_t examples, KernelChoices* choices) {
  return std::make_shared<const Plan>(graphs.part(examples), PlanOptions{.threads = 1, .choices = choices});
}

/// What `examples` make in all, of what `some` of them make; axis 0 is the outermost in memory.
Tensor of_all(const Tensor& part, int64_t some, int64_t examples) {
  Shape shape = part.shape();
  Strides strides = part.strides();
  strides[0] = part.numel() / shape[0];
  shape[0] = shape[0] / some * examples;
  return empty_strided(shape, strides, part.dtype(), kMeta);
}

}  // namespace

BatchParts::BatchParts(PartGraphs& graphs, int64_t parts, int threads, KernelChoices* choices)
    : examples_(graphs.examples()) {
  const int64_t size = graphs.largest(parts), large = graphs.count_of_largest(parts);
  const auto plan = plan_of_part(graphs, size, choices);
  const auto smaller = large < parts ? plan_of_part(graphs, size - 1, choices) : nullptr;
  for (int64_t lane = 0; lane < std::min<int64_t>(threads, parts); ++lane)
    lanes_.push_back({Runner(plan), smaller ? std::make_unique<Runner>(smaller) : nullptr});
  int64_t first = 0;
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t examples = i < large ? size : size - 1;
    parts_.push_back(new_part(graphs, i < large ? *plan : *smaller, first, examples));
    first += examples;
  }
  for (const Operand& result : plan->results()) result_types_.push_back(of_all(result.type, size, examples_));
}

BatchParts::Part BatchParts::new_part(const PartGraphs& graphs, const Plan& plan, int64_t first,
                                      int64_t examples) const {
  Part part{first, examples, {}, {}, {}};
  const std::vector<int>& batched = graphs.batched().inputs;
  const auto window = [&](const Tensor& type, bool of_batch) {
    const size_t bytes = static_cast<size_t>(type.numel()) * size_of(type.dtype());
    const Tensor tensor(
        make_ref<TensorBody>(lent(nullptr, bytes), type.dtype(), type.shape(), type.strides(), 0));
    part.windows.push_back({tensor, of_batch});
    return tensor;
  };
  const Graph& graph = plan.graph();
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const bool of_batch = std::find(batched.begin(), batched.end(), static_cast<int>(i)) != batched.end();
    part.inputs.push_back(window(graph.value(graph.inputs()[i]).type, of_batch));
  }
  for (const Operand& result : plan.results()) part.results.push_back(window(result.type, true));
  return part;
}

/// Lets a window look into the rows of `given` from the example `first` on.
void BatchParts::point(const Window& window, int64_t first, const Tensor& given) const {
  const int64_t elements = window.of_batch ? given.numel() / examples_ * first : 0;
  const int64_t offset = elements * static_cast<int64_t>(size_of(given.dtype()));
  window.tensor.body().storage->point_at(static_cast<char*>(given.raw_data()) + offset);
}

void BatchParts::run_part(Lane& lane, Part& part, Inputs inputs, std::span<const Tensor> results) {
  for (size_t i = 0; i < inputs.size(); ++i) point(part.windows[i], part.first, inputs[i]);
  for (size_t i = 0; i < results.size(); ++i) point(part.windows[inputs.size() + i], part.first, results[i]);
  Runner& runner = part.examples == largest() ? lane.large : *lane.small;
  runner.run(part.inputs, part.results);
}

void BatchParts::run(Inputs inputs, std::span<const Tensor> results) {
  next_ = 0;
  const ThreadCountGuard guard(threads());
  parallel_for(0, threads(), 1, [&](int64_t lane, int64_t last) {
    for (; lane < last; ++lane) {
      for (int64_t i = next_++; i < count(); i = next_++)
        run_part(lanes_[static_cast<size_t>(lane)], parts_[static_cast<size_t>(i)], inputs, results);
    }
  });
}

}  // namespace espalier::runtime
