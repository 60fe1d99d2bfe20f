#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "io/atomic_folder_internal.h"

namespace espalier::io {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw IoError(path.string(), std::string(what) + ": " + std::generic_category().message(errno));
}

std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Brings a folder's list of names to the disk.
void sync_folder(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "cannot open the folder");
  const bool done = ::fsync(descriptor) == 0 || errno == EINVAL;  // some file systems have nothing to do
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!done) fail(path, "cannot bring the folder to the disk");
}

}  // namespace

AtomicFolder::AtomicFolder(std::filesystem::path target) : target_(std::move(target)) {
  std::string name = (parent_of(target_) / (kPrefix + target_.filename().string() + ".XXXXXX")).string();
  if (!::mkdtemp(name.data())) fail(target_, "cannot make a temporary folder beside it");
  path_ = name;
  // mkdtemp makes private folders; this one gets the rights that any new one would.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::chmod(path_.c_str(), 0777 & ~mask);
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;  // what cannot be removed now is so when the next one is made
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

void AtomicFolder::commit() {
  sync_folder(path_);
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0) {
    path_.clear();
  } else if (errno != EEXIST ||
             ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0) {
    fail(target_, "cannot give the folder its name");
  }
  sync_folder(parent_of(target_));
}

void remove_folder(const std::filesystem::path& path) {
  const std::filesystem::path doomed =
      parent_of(path) / (AtomicFolder::kPrefix + path.filename().string() + ".removed");
  std::error_code error;
  std::filesystem::remove_all(doomed, error);
  std::filesystem::rename(path, doomed, error);
  if (!error) std::filesystem::remove_all(doomed, error);
  if (error) throw IoError(path.string(), "cannot remove it: " + error.message());
}

}  // namespace espalier::io
