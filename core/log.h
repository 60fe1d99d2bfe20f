#pragma once
#include <string_view>
namespace espalier {
enum class LogTopic { dispatch };
inline bool log_enabled(LogTopic) { return false; }
inline void log_message(LogTopic, std::string_view) {}
}  // namespace espalier
