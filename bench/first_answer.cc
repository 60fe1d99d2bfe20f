// How long it takes from the start of a process to the first answer of a package: ResNet-20 with a batch of
// one image, saved, then loaded and asked by processes that each do nothing else.
//
//   build/release/bench/first_answer [PROCESSES]
//
// Two threads. It prints the median and the least time of each part over 20 processes, or as many as asked
// for; the first one, which may find files not yet in memory, does not count. The program asks itself: with a
// package and the time of its start it is one of those processes.

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
  const runtime::Graph graph = runtime::load_package(package).graph;
  note(1);
  runtime::Runner runner(std::make_shared<const runtime::Plan>(runtime::optimise(graph)));
  note(2);
  const Tensor image = zeros({1, 3, 32, 32});
  const std::vector<Tensor> results = runner.run(Inputs(&image, 1));
  note(3);
  times[5] = before - start;
  runner.run(Inputs(&image, 1), results);
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

std::string save_resnet() {
  models::ResNetCifar net(3);
  nn::eval(net);
  const NoGrad no_grad;
  const Tensor image = zeros({1, 3, 32, 32});
  const runtime::Graph graph = runtime::optimise(runtime::freeze(
      runtime::capture([&](const Tensor& x) { return net(x); }, {image}, runtime::State(net))));
  std::string path =
      (std::filesystem::temp_directory_path() / ("first_answer_" + std::to_string(getpid()))).string();
  runtime::save_package(path, graph);
  return path;
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
  const std::string package = save_resnet();
  times_of_process(package);
  std::vector<Times> all;
  for (int i = 0; i < processes; ++i) all.push_back(times_of_process(package));
  std::filesystem::remove(package);
  report::Table table({"", "median ms", "least ms"});
  for (size_t part = 0; part < kParts.size(); ++part) {
    std::sort(all.begin(), all.end(), [&](const Times& a, const Times& b) { return a[part] < b[part]; });
    table.add_row({kParts[part], report::fixed(1e3 * all[all.size() / 2][part], 2),
                   report::fixed(1e3 * all[0][part], 2)});
  }
  std::cout << table;
}
