#include <string_view>

#include "train/run_events_internal.h"

namespace espalier::training {
namespace {

/// A line a note, indented, which makes Markdown show them as they are.
std::string recipe_of(const std::map<std::string, std::string>& notes) {
  std::string text;
  for (const auto& [name, value] : notes) {
    text += "    " + name + ": ";
    for (const char c : value) text += c == '\n' ? std::string("\n        ") : std::string(1, c);
    text += '\n';
  }
  return text;
}

}  // namespace

RunEvents::RunEvents(const std::filesystem::path& folder, int64_t first_step,
                     const std::map<std::string, std::string>& notes)
    : file_(folder, first_step) {
  // A run that goes on has it in an earlier file.
  if (first_step == 0 && !notes.empty()) file_.add_text("recipe", recipe_of(notes), 0);
}

void RunEvents::add_training(int64_t step, std::span<const io::Metric> metrics) {
  constexpr std::string_view kPrefix = "train_";
  for (const io::Metric& metric : metrics) {
    std::string_view name = metric.name;
    if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
    file_.add_scalar("train/" + std::string(name), metric.value, step);
  }
}

void RunEvents::add_evaluation(int64_t step, std::span<const io::Metric> metrics,
                               const optim::Optimiser& optimiser) {
  for (const io::Metric& metric : metrics) file_.add_scalar("evaluation/" + metric.name, metric.value, step);
  for (size_t i = 0; i < optimiser.names().size(); ++i)
    file_.add_histogram("parameters/" + optimiser.names()[i], optimiser.parameters()[i], step);
}

}  // namespace espalier::training
