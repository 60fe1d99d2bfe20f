#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace espalier::test {

/// What became of a program.
struct Outcome {
  int code = -1;  ///< what it ended with; -1 where a signal ended it
  std::string out, errors;
};

/// Runs the program `espalier` to its end.
Outcome run_program(const std::vector<std::string>& arguments);

/// Runs it and expects that it ends well.
std::string output_of(const std::vector<std::string>& arguments);
/// The same with `--json`: what it prints.
nlohmann::json json_of(std::vector<std::string> arguments);

/// Starts it; its output goes to files in `folder`. wait_for() collects what became of it.
pid_t start_program(const std::vector<std::string>& arguments, const std::string& folder);
Outcome wait_for(pid_t program, const std::string& folder);

}  // namespace espalier::test
