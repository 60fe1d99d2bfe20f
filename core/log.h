#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/export.h"

namespace espalier {

enum class LogLevel : uint8_t { debug, info, warning, error };

/// Subjects that say more when asked: the words of the environment variable ESPALIER_LOG, a list with commas
/// (`dispatch,memory`).
enum class LogTopic : uint8_t {
  dispatch,  ///< which implementation of an operation was chosen, and why not the others
  memory,    ///< what allocators take from the system and give back
};
inline constexpr int kLogTopicCount = 2;

namespace detail {

// One bit a topic. All are set until ESPALIER_LOG has been read, which topic_enabled does.
ESPALIER_API extern std::atomic<uint32_t> log_topics;
ESPALIER_API bool topic_enabled(LogTopic topic) noexcept;

}  // namespace detail

/// Whether messages on a topic are wanted. One load if not, so it may stand in a hot path; ask it before
/// making a message's text.
inline bool log_enabled(LogTopic topic) noexcept {
  const uint32_t topics = detail::log_topics.load(std::memory_order_relaxed);
  return ((topics >> static_cast<int>(topic)) & 1) != 0 && detail::topic_enabled(topic);
}

/// Replaces the choice of ESPALIER_LOG by the same kind of list; empty switches all topics off. Throws
/// ValueError for an unknown topic (the environment variable's unknown topics give a warning instead). Any
/// thread may call it.
ESPALIER_API void set_log_topics(std::string_view topics);

/// Sends `topic: text` to the sink at level info if the topic is enabled. Never throws. Any thread may call
/// it.
ESPALIER_API void log_message(LogTopic topic, std::string_view text) noexcept;

/// Sends text to the sink unless its level is under that of set_log_level. Never throws. Any thread may call
/// it.
ESPALIER_API void log_message(LogLevel level, std::string_view text) noexcept;

/// The least level that reaches the sink; info at first. Any thread may call it.
ESPALIER_API void set_log_level(LogLevel level) noexcept;

/// Takes every message of the library. Called by one thread at a time, whichever logs; what it throws is
/// dropped, what it logs itself goes to stderr. It must not call set_log_sink.
using LogSink = std::function<void(LogLevel level, std::string_view text)>;

/// Replaces the sink; an empty one brings back the first, which writes `espalier: LEVEL: text` to stderr, one
/// line each. Returns when the old sink runs no more. Any thread may call it.
ESPALIER_API void set_log_sink(LogSink sink);

/// `debug`, `info`, `warning` or `error`.
ESPALIER_API std::string_view log_level_name(LogLevel level) noexcept;

}  // namespace espalier
