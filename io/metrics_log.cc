#include "io/metrics_log.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/utf8_internal.h"
#include "io/append_file_internal.h"
#include "io/mapped_file.h"
#include "io/metrics_rows_internal.h"

namespace espalier::io {
namespace {

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

void check_name(const std::string& file, const std::string& name) {
  if (name.empty()) throw ValueError(file, "a metric has an empty name");
  if (name == "step")
    throw ValueError(file, "a metric is named 'step', as the column of steps is; rename it");
  if (!detail::is_utf8(name) || has_control_characters(name))
    throw ValueError(file, "the name of a metric, of " + std::to_string(name.size()) +
                               " bytes, has control characters or is not UTF-8");
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, int64_t first_step)
    : name_(path.string()), csv_(path.extension() == ".csv"), first_step_(first_step) {
  if (!csv_ && path.extension() != ".jsonl")
    throw ValueError(name_, "the name must end in .csv or .jsonl, which chooses the format");
  if (first_step < 0)
    throw ValueError(name_, "the first step is " + std::to_string(first_step) + ", under 0");
  file_ = std::make_unique<AppendFile>(path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;  // a pipe, say, which keeps nothing
  KeptMetrics kept;
  size_t size = 0;
  {
    const MappedFile before(path);
    size = before.size();
    const std::string_view content(reinterpret_cast<const char*>(before.data()), size);
    kept = csv_ ? kept_csv(content, first_step, name_) : kept_json_lines(content, first_step, name_);
  }
  if (kept.size < size) file_->truncate(kept.size);
  columns_ = std::move(kept.columns);
}

MetricsLog::~MetricsLog() = default;

void MetricsLog::check(int64_t step, std::span<const Metric> metrics) const {
  if (step < first_step_)
    throw ValueError(
        name_, "step " + std::to_string(step) + " is under the first one, " + std::to_string(first_step_));
  if (last_step_ && step <= *last_step_)
    throw ValueError(name_, "step " + std::to_string(step) + " follows step " + std::to_string(*last_step_) +
                                "; steps must rise, one row each");
  if (metrics.empty()) throw ValueError(name_, "a row needs at least one metric");
  for (const Metric& metric : metrics) {
    check_name(name_, metric.name);
    const auto same = [&](const Metric& other) { return other.name == metric.name; };
    if (std::count_if(metrics.begin(), metrics.end(), same) > 1)
      throw ValueError(name_, "the metric '" + metric.name + "' is twice in one row");
  }
}

void MetricsLog::make_csv_row(int64_t step, std::span<const Metric> metrics) {
  if (columns_.empty()) {
    row_ = "step";
    for (const Metric& metric : metrics) append_csv_text(row_ += ',', metric.name);
    row_ += '\n';
  }
  row_ += std::to_string(step);
  if (columns_.empty()) {
    for (const Metric& metric : metrics) append_csv_number(row_ += ',', metric.value);
    return;
  }
  in_column_.assign(columns_.size(), nullptr);
  for (const Metric& metric : metrics) {
    const auto column = std::find(columns_.begin(), columns_.end(), metric.name);
    if (column == columns_.end()) {
      std::string known;
      for (const std::string& name : columns_) known += (known.empty() ? "" : ", ") + name;
      throw ValueError(name_, "has no column '" + metric.name + "'; its first row fixed them: " + known);
    }
    in_column_[static_cast<size_t>(column - columns_.begin())] = &metric;
  }
  for (const Metric* metric : in_column_) {
    row_ += ',';
    if (metric) append_csv_number(row_, metric->value);
  }
}

void MetricsLog::make_json_row(int64_t step, std::span<const Metric> metrics) {
  row_ = "{\"step\":" + std::to_string(step);
  for (const Metric& metric : metrics) {
    append_json_text(row_ += ',', metric.name);
    append_json_number(row_ += ':', metric.value);
  }
  row_ += '}';
}

void MetricsLog::add(int64_t step, std::span<const Metric> metrics) {
  check(step, metrics);
  row_.clear();
  if (csv_)
    make_csv_row(step, metrics);
  else
    make_json_row(step, metrics);
  file_->append(row_ += '\n');
  last_step_ = step;
  if (csv_ && columns_.empty()) {
    for (const Metric& metric : metrics) columns_.push_back(metric.name);
  }
}

void MetricsLog::flush() {
  file_->flush();
}

}  // namespace espalier::io
