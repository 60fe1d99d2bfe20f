#include "core/log.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>

#include "core/error.h"

namespace espalier {
namespace {

constexpr std::array<std::string_view, kLogTopicCount> kTopicNames = {"dispatch", "memory"};
constexpr uint32_t kNotRead = 0x80000000;  // beyond the bits of topics

std::atomic<LogLevel> least_level = LogLevel::info;

struct Sink {
  std::mutex mutex;
  LogSink function;
};

// Never destroyed: a message may come while the process exits.
Sink& sink() {
  static Sink& instance = *new Sink;
  return instance;
}

thread_local bool inside_sink = false;

void write_to_stderr(LogLevel level, std::string_view text) {
  std::string line = "espalier: " + std::string(log_level_name(level)) + ": ";
  for (const char c : text) line += c == '\n' || c == '\r' ? ' ' : c;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void send(LogLevel level, std::string_view text) noexcept {
  try {
    if (inside_sink) return write_to_stderr(level, text);
    Sink& current = sink();
    const std::lock_guard lock(current.mutex);
    if (!current.function) return write_to_stderr(level, text);
    struct Inside {
      Inside() { inside_sink = true; }
      ~Inside() { inside_sink = false; }
      Inside(const Inside&) = delete;
      Inside& operator=(const Inside&) = delete;
    } const inside;
    current.function(level, text);
  } catch (...) {  // NOLINT(bugprone-empty-catch): nothing can be told, for telling is what failed
  }
}

// The bits of a list of topics; the first unknown one, if any, in `unknown`.
uint32_t parse_topics(std::string_view list, std::string_view& unknown) {
  uint32_t topics = 0;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view word = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word.empty()) continue;
    size_t topic = 0;
    while (topic < kTopicNames.size() && kTopicNames[topic] != word) ++topic;
    if (topic < kTopicNames.size()) {
      topics |= 1U << topic;
    } else if (unknown.empty()) {
      unknown = word;
    }
  }
  return topics;
}

std::string unknown_topic(std::string_view word) {
  std::string text = "'" + std::string(word) + "' is not a topic; there are: ";
  for (const std::string_view name : kTopicNames)
    text += (name == kTopicNames[0] ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

namespace detail {

constinit std::atomic<uint32_t> log_topics = 0xFFFFFFFF;

bool topic_enabled(LogTopic topic) noexcept {
  uint32_t topics = log_topics.load(std::memory_order_relaxed);
  if ((topics & kNotRead) != 0) {
    const char* list = std::getenv("ESPALIER_LOG");
    std::string_view unknown;
    const uint32_t wanted = parse_topics(list == nullptr ? "" : list, unknown);
    // Only one thread tells what is wrong with the list, and set_log_topics is not overruled.
    if (log_topics.compare_exchange_strong(topics, wanted) && !unknown.empty()) {
      try {
        send(LogLevel::warning, "[ESPALIER_LOG] " + unknown_topic(unknown));
      } catch (...) {  // NOLINT(bugprone-empty-catch): telling is what failed
      }
    }
    topics = log_topics.load(std::memory_order_relaxed);
  }
  return ((topics >> static_cast<int>(topic)) & 1) != 0;
}

}  // namespace detail

void set_log_topics(std::string_view topics) {
  std::string_view unknown;
  const uint32_t wanted = parse_topics(topics, unknown);
  if (!unknown.empty()) throw ValueError("set_log_topics", unknown_topic(unknown));
  detail::log_topics.store(wanted);
}

void log_message(LogTopic topic, std::string_view text) noexcept {
  if (!log_enabled(topic)) return;
  try {
    log_message(LogLevel::info,
                std::string(kTopicNames[static_cast<size_t>(topic)]) + ": " + std::string(text));
  } catch (...) {
    send(LogLevel::info, text);  // no memory for the prefix
  }
}

void log_message(LogLevel level, std::string_view text) noexcept {
  if (level >= least_level.load(std::memory_order_relaxed)) send(level, text);
}

void set_log_level(LogLevel level) noexcept {
  least_level.store(level, std::memory_order_relaxed);
}

void set_log_sink(LogSink sink_function) {
  Sink& current = sink();
  const std::lock_guard lock(current.mutex);
  current.function.swap(sink_function);
}

std::string_view log_level_name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

}  // namespace espalier
