#include "tests/runtime/steady/system_calls.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <set>

#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace espalier::test {
namespace {

constexpr size_t kNumbers = 1024;  // of Linux' system calls there are some 450

/// What the two processes share. The watched one says by plain stores when calls count: a system call of its
/// own for that would be counted.
struct Shared {
  enum State : int { waiting, starting, following, leaving, refused };
  std::atomic<int> state;
  std::atomic<bool> counting;
  std::atomic<int> error;
  std::array<std::atomic<int64_t>, kNumbers> counts;
};

/// The process that follows the threads of `watched`; it leaves them when it is told to.
class Follower {
 public:
  Follower(pid_t watched, Shared& shared) : watched_(watched), shared_(shared) {}

  void run() {
    if (!seize_all()) {
      shared_.error = errno;
      shared_.state = Shared::refused;
      return;
    }
    shared_.state = Shared::following;
    while (!threads_.empty()) {
      int status = 0;
      const pid_t thread = waitpid(-1, &status, __WALL);
      if (thread < 0) return;
      if (WIFSTOPPED(status))
        on_stop(thread, status);
      else
        threads_.erase(thread);
    }
  }

 private:
  bool seize_all() {
    const std::string path = "/proc/" + std::to_string(watched_) + "/task";
    DIR* const folder = opendir(path.c_str());
    if (!folder) return false;
    bool seized = true;
    while (const dirent* entry = seized ? readdir(folder) : nullptr) {
      const auto thread = static_cast<pid_t>(std::atoi(entry->d_name));
      if (thread == 0) continue;  // . and ..
      seized = ptrace(PTRACE_SEIZE, thread, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE) == 0 &&
               ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0;
      if (seized) threads_.insert(thread);
    }
    closedir(folder);
    return seized;
  }

  void on_stop(pid_t thread, int status) {
    threads_.insert(thread);  // one that was just made comes here unasked
    const int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) count(thread);
    if (shared_.state == Shared::leaving) {
      for (const pid_t other : threads_) ptrace(PTRACE_INTERRUPT, other, nullptr, nullptr);
      ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
      threads_.erase(thread);
      return;
    }
    const bool from_outside = status >> 16 == 0 && signal != (SIGTRAP | 0x80);
    ptrace(PTRACE_SYSCALL, thread, nullptr, from_outside ? signal : 0);
  }

  void count(pid_t thread) {
    __ptrace_syscall_info info{};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr < kNumbers && shared_.counting)
      ++shared_.counts[info.entry.nr];
  }

  pid_t watched_;
  Shared& shared_;
  std::set<pid_t> threads_;
};

}  // namespace

SystemCalls system_calls_of(const std::function<void()>& work) {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {.by_number = {}, .refusal = "no memory to share"};
  Shared& shared = *new (memory) Shared{};
  const pid_t watched = getpid();
  const pid_t follower = fork();
  if (follower == 0) {
    while (shared.state == Shared::waiting && getppid() == watched) sched_yield();
    Follower(watched, shared).run();
    _exit(0);
  }
  if (follower < 0) {
    munmap(memory, sizeof(Shared));
    return {.by_number = {}, .refusal = std::string("fork: ") + std::strerror(errno)};
  }
  SystemCalls calls;
  prctl(PR_SET_PTRACER, follower);  // where Yama lets only ancestors follow
  shared.state = Shared::starting;
  while (shared.state == Shared::starting) sched_yield();
  if (shared.state == Shared::following) {
    // The first stops of all threads are over when this one goes through a system call.
    sched_yield();
    shared.counting = true;
    work();
    shared.counting = false;
    for (size_t i = 0; i < kNumbers; ++i) {
      if (const int64_t count = shared.counts[i]) calls.by_number[static_cast<int64_t>(i)] = count;
    }
    shared.state = Shared::leaving;
  } else {
    calls.refusal = std::string("ptrace: ") + std::strerror(shared.error);
  }
  while (waitpid(follower, nullptr, WNOHANG) == 0) sched_yield();
  munmap(memory, sizeof(Shared));
  return calls;
}

}  // namespace espalier::test
