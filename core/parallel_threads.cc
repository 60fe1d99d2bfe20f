#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/parallel_internal.h"

namespace espalier::detail {
namespace {

// Threads that wait for tasks; started when first needed, joined at exit.
class Team {
 public:
  ~Team() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  void run(ParallelTask& task) {
    grow(task.parts() - 1);
    {
      const std::lock_guard lock(mutex_);
      task_ = &task;
      next_ = 0;
    }
    wake_.notify_all();
    std::unique_lock lock(mutex_);
    take_parts(lock);
    idle_.wait(lock, [&] { return running_ == 0; });
    task_ = nullptr;
  }

 private:
  // Where the system gives no more threads, those that exist take more parts each.
  void grow(int wanted) {
    try {
      while (static_cast<int>(workers_.size()) < wanted) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || parts_left(); });
      if (stopping_) return;
      take_parts(lock);
    }
  }

  bool parts_left() const { return task_ != nullptr && next_ < task_->parts(); }

  void take_parts(std::unique_lock<std::mutex>& lock) {
    while (parts_left()) {
      ParallelTask& task = *task_;
      const int part = next_++;
      ++running_;
      lock.unlock();
      task.run(part);
      lock.lock();
      if (--running_ == 0) idle_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  ParallelTask* task_ = nullptr;
  int next_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace

void run_on_team(ParallelTask& task) {
  static Team team;
  team.run(task);
}

int default_team_size() {
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace espalier::detail
