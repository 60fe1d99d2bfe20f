#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "core/door.h"
#include "core/error.h"
#include "ops/max.h"
#include "runtime/quantize.h"
#include "runtime/runner.h"

namespace espalier::runtime {
namespace {

struct SeenRange {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

/// Throws ValueError where `seen` is not a range of finite numbers; `name` is the value's.
void check_range(const SeenRange& seen, const std::string& name, size_t batch) {
  if (std::isfinite(seen.low) && std::isfinite(seen.high)) return;
  throw ValueError("calibrate", "value " + name + " holds NaN or an infinity in batch " +
                                    std::to_string(batch) + "; calibrate on data that the model is for");
}

}  // namespace

Quantizations calibrate(const Graph& graph, std::span<const std::vector<Tensor>> batches) {
  const std::vector<ValueId> watched = quantizable_values(graph);
  if (watched.empty()) {
    throw ValueError("calibrate",
                     "the graph has no convolution or linear layer with constant weights in f32 that could "
                     "be quantised; freeze() makes weights constant");
  }
  if (batches.empty())
    throw ValueError("calibrate", "there are no batches; expected some of data that the model is for");
  if (!graph.updates().empty())
    throw ValueError("calibrate", "the graph changes states; expected one of a model in evaluation");
  Graph watching = graph;
  watching.set_outputs(watched);
  Runner runner(std::make_shared<const Plan>(std::move(watching)));
  std::vector<SeenRange> ranges(watched.size());
  const NoGrad no_grad;
  for (size_t batch = 0; batch < batches.size(); ++batch) {
    const std::vector<Tensor> values = runner.run(batches[batch]);
    for (size_t i = 0; i < watched.size(); ++i) {
      if (values[i].numel() == 0)
        throw ValueError("calibrate", "value " + graph.name_of(watched[i]) + " has no elements");
      const SeenRange now{min(values[i]).item(), max(values[i]).item()};
      check_range(now, graph.name_of(watched[i]), batch);
      ranges[i].low = std::min(ranges[i].low, now.low);
      ranges[i].high = std::max(ranges[i].high, now.high);
    }
  }
  Quantizations found;
  for (size_t i = 0; i < watched.size(); ++i)
    found.emplace(watched[i], quantization_for(ranges[i].low, ranges[i].high));
  return found;
}

}  // namespace espalier::runtime
