#include "tests/cli/program.h"

#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"

namespace espalier::test {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

pid_t start_program(const std::vector<std::string>& arguments, const std::string& folder) {
  std::vector<const char*> argv = {"espalier"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  const std::string out = folder + "/out", errors = folder + "/errors";
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600),
            error_file = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (out_file < 0 || error_file < 0) ::_exit(126);
  ::dup2(out_file, STDOUT_FILENO);
  ::dup2(error_file, STDERR_FILENO);
  ::execv(ESPALIER_PROGRAM, const_cast<char* const*>(argv.data()));
  ::_exit(127);
}

Outcome wait_for(pid_t program, const std::string& folder) {
  int status = 0;
  EXPECT_EQ(::waitpid(program, &status, 0), program);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(folder + "/out"),
          content(folder + "/errors")};
}

Outcome run_program(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  return wait_for(start_program(arguments, folder.path()), folder.path());
}

std::string output_of(const std::vector<std::string>& arguments) {
  const Outcome outcome = run_program(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  return outcome.out;
}

nlohmann::json json_of(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  return nlohmann::json::parse(output_of(arguments), nullptr, false);
}

}  // namespace espalier::test
