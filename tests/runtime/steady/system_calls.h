#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace espalier::test {

/// The system calls of a stretch of a program.
struct SystemCalls {
  std::map<int64_t, int64_t> by_number;  ///< how often each was made, by all threads
  std::string refusal;                   ///< why they could not be counted; empty: they were
};

/// Runs `work` while another process, made for it, follows every thread of this one (ptrace). Where the
/// system does not let it, `work` does not run, and the reason is told.
SystemCalls system_calls_of(const std::function<void()>& work);

}  // namespace espalier::test
