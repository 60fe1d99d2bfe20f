#include "runtime/family_runner.h"

#include <algorithm>
#include <utility>

#include "core/create.h"
#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/copy.h"

namespace espalier::runtime {
namespace {

/// The tensor as it is, or copied to the layout of `type`.
Tensor laid_out_as(const Tensor& type, const Tensor& given) {
  const bool fits = given.strides() == type.strides() || (given.is_contiguous() && type.is_contiguous());
  if (fits) return given;
  const NoGrad no_grad;
  const Tensor arranged = empty_strided(type.shape(), type.strides(), type.dtype());
  copy_(arranged, given);
  return arranged;
}

}  // namespace

FamilyRunner::FamilyRunner(GraphFamily family, size_t most_plans)
    : FamilyRunner(std::move(family), PlanOptions(), most_plans) {}

FamilyRunner::FamilyRunner(GraphFamily family, const PlanOptions& options, size_t most_plans)
    : family_(std::move(family)), most_plans_(most_plans), options_(batch_options(options)) {
  if (most_plans < 1) throw ValueError("family runner", "keeps no plans; expected at least 1");
}

/// The batch is the first name that stands for first axes alone.
BatchedGraph FamilyRunner::batched(const Sizes& sizes) const {
  BatchedGraph graph{[this, sizes](int64_t) { return family_.at(sizes); }, {}, 1};
  for (const auto& [name, size] : sizes) {
    std::vector<int> inputs;
    bool first_axes = true;
    for (const FreeAxis& axis : family_.axes()) {
      if (axis.name != name) continue;
      first_axes &= axis.axis == 0;
      inputs.push_back(axis.input);
    }
    if (!first_axes || inputs.empty()) continue;
    const auto of_examples = [this, sizes, name](int64_t examples) {
      Sizes changed = sizes;
      changed[name] = examples;
      return family_.at(changed);
    };
    return {of_examples, inputs, size};
  }
  return graph;
}

BatchRunner& FamilyRunner::at(const Sizes& sizes) {
  const auto fits = [&](const std::unique_ptr<Made>& made) {
    return made->sizes == sizes && made->threads == num_threads();
  };
  auto found = std::find_if(made_.begin(), made_.end(), fits);
  if (found == made_.end()) {
    BatchRunner runner(batched(sizes), options_);
    made_.push_back(std::make_unique<Made>(Made{sizes, num_threads(), std::move(runner)}));
    found = made_.end() - 1;
  }
  std::rotate(made_.begin(), found, found + 1);
  if (made_.size() > most_plans_) made_.pop_back();
  return made_.front()->runner;
}

std::vector<Tensor> FamilyRunner::run(Inputs inputs) {
  BatchRunner& runner = at(family_.sizes_of(inputs));
  std::vector<Tensor> given;
  for (size_t i = 0; i < inputs.size(); ++i) given.push_back(laid_out_as(runner.input_types()[i], inputs[i]));
  return runner.run(given);
}

}  // namespace espalier::runtime
