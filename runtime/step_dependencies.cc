#include <algorithm>
#include <iterator>
#include <map>

#include "runtime/step_dependencies_internal.h"

namespace espalier::runtime {

std::vector<std::vector<int>> dependencies_of(const Graph& graph, const std::vector<Step>& steps,
                                              const std::vector<Buffer>& buffers) {
  struct Users {
    int writer = -1;
    std::vector<int> readers;  // since
  };
  std::map<const void*, Users> memory;
  // States may look into one storage.
  const auto users = [&](int buffer) -> Users& {
    const Buffer& place = buffers[static_cast<size_t>(buffer)];
    const bool known = place.place == Buffer::Place::state || place.place == Buffer::Place::constant;
    return memory[known ? static_cast<const void*>(graph.value(place.index).tensor.body().storage.get())
                        : static_cast<const void*>(&place)];
  };
  std::vector<std::vector<int>> all(steps.size());
  for (int i = 0; i < static_cast<int>(steps.size()); ++i) {
    const Step& step = steps[static_cast<size_t>(i)];
    std::vector<int>& waits = all[static_cast<size_t>(i)];
    for (const Operand& input : step.inputs) {
      if (input.buffer < 0) continue;
      Users& found = users(input.buffer);
      if (found.writer >= 0) waits.push_back(found.writer);
      found.readers.push_back(i);
    }
    for (const Operand& output : step.outputs) {
      Users& found = users(output.buffer);
      if (found.writer >= 0) waits.push_back(found.writer);
      std::copy_if(found.readers.begin(), found.readers.end(), std::back_inserter(waits),
                   [&](int reader) { return reader != i; });
      found = {.writer = i, .readers = {}};
    }
    std::sort(waits.begin(), waits.end());
    waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
    waits.erase(std::remove(waits.begin(), waits.end(), i), waits.end());
  }
  return all;
}

}  // namespace espalier::runtime
