#pragma once

namespace espalier::cli {

/// The program: reads its arguments, runs a command and says what went wrong in one line on standard error.
/// Returns what the program ends with (Exit, cli/commands.h).
int run(int argc, const char* const* argv);

}  // namespace espalier::cli
