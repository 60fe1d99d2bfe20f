// How long it takes from the start of a process to the first answer of a package: ResNet-20 on one image,
// saved for batches of one and for batches of any size, then loaded and asked by processes that each do
// nothing else, in turns.
//
//   build/release/bench/first_answer [PROCESSES]
//
// Two threads. It prints the median and the least time of each part over 20 processes, or as many as asked
// for, and the size of each package; the first process, which may find files not yet in memory, does not
// count. The program asks itself: with a package and the time of its start it is one of those processes.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <espalier/espalier.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace espalier;

namespace {

constexpr std::array kParts = {"process and libraries", "package", "plan", "first run", "second run",
                               "start to first answer"};
using Times = std::array<double, kParts.size()>;  // in seconds

/// The same clock in all processes, in seconds.
double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What one process does; writes its times to standard output as they are in memory.
void answer(const std::string& package, double start) {
  Times times;
  double before = start;
  const auto note = [&](size_t part) {
    const double after = now();
    times[part] = after - before;
    before = after;
  };
  note(0);
  set_num_threads(2);
  runtime::FamilyRunner model(runtime::load_package(package).graphs);
  note(1);
  const Tensor image = zeros({1, 3, 32, 32});
  model.at(model.family().sizes_of(Inputs(&image, 1)));
  note(2);
  model.run(Inputs(&image, 1));
  note(3);
  times[5] = before - start;
  model.run(Inputs(&image, 1));
  note(4);
  std::cout.write(reinterpret_cast<const char*>(times.data()), sizeof times);
}

Times times_of_process(const std::string& package) {
  int ends[2];
  if (pipe(ends) != 0) throw IoError("pipe", "cannot be made");
  const std::string start = std::to_string(now());
  const pid_t process = fork();
  if (process == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "first_answer", package.c_str(), start.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  Times times{};
  const bool whole = read(ends[0], times.data(), sizeof times) == sizeof times;
  close(ends[0]);
  waitpid(process, nullptr, 0);
  if (!whole) throw IoError("first_answer", "a process did not answer");
  return times;
}

/// The packages' files, removed at the end.
struct Packages {
  std::string fixed, free;

  Packages() {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("first_answer_" + std::to_string(getpid()))).string();
    fixed = path + "_fixed";
    free = path + "_free";
    models::ResNetCifar net(3);
    nn::eval(net);
    const NoGrad no_grad;
    const auto forward = [&](const Tensor& x) { return net(x); };
    const auto improved = [](const runtime::Graph& graph) {
      return runtime::optimise(runtime::freeze(graph));
    };
    const runtime::State state(net);
    runtime::save_package(fixed, improved(runtime::capture(forward, {zeros({1, 3, 32, 32})}, state)));
    runtime::save_package(
        free,
        runtime::capture_family(forward, {{"batch", 0, 0}}, {zeros({4, 3, 32, 32})}, state).map(improved));
  }
  ~Packages() {
    std::filesystem::remove(fixed);
    std::filesystem::remove(free);
  }
};

/// Median and least time of a part, in milliseconds.
std::array<std::string, 2> median_and_least(std::vector<Times> all, size_t part) {
  std::sort(all.begin(), all.end(), [&](const Times& a, const Times& b) { return a[part] < b[part]; });
  return {report::fixed(1e3 * all[all.size() / 2][part], 2), report::fixed(1e3 * all[0][part], 2)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    answer(argv[1], std::atof(argv[2]));
    return 0;
  }
  const int processes = argc > 1 ? std::atoi(argv[1]) : 20;
  if (processes < 1) {
    std::cerr << "usage: first_answer [PROCESSES]\n";
    return 1;
  }
  const Packages packages;
  times_of_process(packages.fixed);
  times_of_process(packages.free);
  std::vector<Times> fixed, free;
  for (int i = 0; i < processes; ++i) {
    fixed.push_back(times_of_process(packages.fixed));
    free.push_back(times_of_process(packages.free));
  }
  report::Table table({"", "batch of 1: median ms", "least ms", "any batch: median ms", "least ms"});
  for (size_t part = 0; part < kParts.size(); ++part) {
    const auto of_fixed = median_and_least(fixed, part), of_free = median_and_least(free, part);
    table.add_row({kParts[part], of_fixed[0], of_fixed[1], of_free[0], of_free[1]});
  }
  std::cout << table << "bytes of the packages: " << std::filesystem::file_size(packages.fixed) << " and "
            << std::filesystem::file_size(packages.free) << '\n';
}
