#pragma once

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"

namespace espalier::test {

/// A disk of so many pages, in memory. It is mounted in a process of its own, where nobody else sees it, so
/// that it goes with that process whatever becomes of the test; its files are reached through /proc.
class SmallDisk {
 public:
  explicit SmallDisk(size_t pages) {
    const std::string options = "size=" + std::to_string(pages * page());
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) {
      problem_ = "no pipe";
      return;
    }
    keeper_ = ::fork();
    if (keeper_ == 0) keep(place_.path().c_str(), options.c_str(), ready[1]);
    ::close(ready[1]);
    int error = EAGAIN;  // for a process that could not be made, or ended
    if (::read(ready[0], &error, sizeof error) != sizeof error) error = EAGAIN;
    ::close(ready[0]);
    if (error != 0) {
      problem_ = "the system lets this user mount no tmpfs: " + std::generic_category().message(error);
    } else if (!std::filesystem::is_directory(path())) {
      problem_ = "the system shows no other process's files in /proc";
    }
  }
  ~SmallDisk() {
    if (keeper_ <= 0) return;
    ::kill(keeper_, SIGKILL);
    ::waitpid(keeper_, nullptr, 0);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// Why there is none, or empty.
  const std::string& problem() const { return problem_; }
  std::filesystem::path path() const {
    return "/proc/" + std::to_string(keeper_) + "/root" + std::filesystem::absolute(place_.path()).string();
  }
  /// Fills the disk but for `pages`; make_room() undoes it.
  void leave(size_t pages) const {
    const size_t fill = std::filesystem::space(path()).available / page() - pages;
    std::ofstream ballast(path() / kBallast, std::ios::binary);
    ballast << std::string(fill * page(), 'x');
  }
  void make_room() const { std::filesystem::remove(path() / kBallast); }

  /// The unit in which a disk in memory has room, in bytes.
  static size_t page() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

 private:
  static constexpr const char* kBallast = "ballast";

  /// As root, or as root of a namespace of its own.
  static bool separate(uid_t user, gid_t group) {
    if (::unshare(CLONE_NEWNS) == 0) return true;
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    return write_line("/proc/self/setgroups", "deny") &&
           write_line("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
           write_line("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  static bool write_line(const char* path, const std::string& text) {
    const int descriptor = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool done = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return done;
  }
  [[noreturn]] static void keep(const char* place, const char* options, int ready) {
    const bool mounted = separate(::getuid(), ::getgid()) &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("tmpfs", place, "tmpfs", 0, options) == 0;
    const int error = mounted ? 0 : errno;
    if (::write(ready, &error, sizeof error) != sizeof error || error != 0) ::_exit(1);
    ::alarm(600);  // more than any test takes, for one that was killed
    for (;;) ::pause();
  }

  TemporaryFolder place_;
  pid_t keeper_ = -1;
  std::string problem_;
};

}  // namespace espalier::test
