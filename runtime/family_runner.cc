#include "runtime/family_runner.h"

#include <algorithm>
#include <utility>

#include "core/create.h"
#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/copy.h"
#include "runtime/passes.h"

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
    : family_(std::move(family)), most_plans_(most_plans), options_(options) {
  if (most_plans < 1) throw ValueError("family runner", "keeps no plans; expected at least 1");
}

Runner& FamilyRunner::at(const Sizes& sizes) {
  const auto fits = [&](const std::unique_ptr<Made>& made) {
    return made->sizes == sizes && made->threads == num_threads();
  };
  auto found = std::find_if(made_.begin(), made_.end(), fits);
  if (found == made_.end()) {
    // Not every pass has seen what is known of these sizes alone.
    auto plan = std::make_shared<const Plan>(optimise(family_.at(sizes), options_.equality), options_);
    made_.push_back(std::make_unique<Made>(Made{sizes, num_threads(), Runner(std::move(plan))}));
    found = made_.end() - 1;
  }
  std::rotate(made_.begin(), found, found + 1);
  if (made_.size() > most_plans_) made_.pop_back();
  return made_.front()->runner;
}

std::vector<Tensor> FamilyRunner::run(Inputs inputs) {
  Runner& runner = at(family_.sizes_of(inputs));
  const Graph& graph = runner.plan().graph();
  std::vector<Tensor> given;
  for (size_t i = 0; i < inputs.size(); ++i)
    given.push_back(laid_out_as(graph.value(graph.inputs()[i]).type, inputs[i]));
  return runner.run(given);
}

}  // namespace espalier::runtime
