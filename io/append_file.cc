#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "io/append_file_internal.h"

namespace espalier::io {
namespace {

// Some hundred scalars a system call; more would save nothing and lose more in a crash.
constexpr size_t kPiece = size_t{1} << 16;

int open_to_append(const std::filesystem::path& path, int flags) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0666);
}

}  // namespace

AppendFile::AppendFile(const std::filesystem::path& path) : AppendFile(path, open_to_append(path, 0)) {
  if (descriptor_ < 0) fail("cannot open it for writing");
}

std::unique_ptr<AppendFile> AppendFile::make(const std::filesystem::path& path) {
  std::unique_ptr<AppendFile> file(new AppendFile(path, open_to_append(path, O_EXCL)));
  if (file->descriptor_ >= 0) return file;
  if (errno == EEXIST) return nullptr;
  file->fail("cannot make it");
}

AppendFile::~AppendFile() {
  if (descriptor_ < 0) return;
  const bool told = told_;
  try {
    flush();
  } catch (const IoError& error) {
    if (!told) log_message(LogLevel::error, error.what());
  }
  ::close(descriptor_);
}

void AppendFile::truncate(size_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail("cannot shorten it");
}

void AppendFile::append(std::string_view bytes) {
  if (buffer_.size() >= kPiece) flush();
  buffer_ += bytes;
  told_ = false;
}

void AppendFile::flush() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t written = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (written < 0 && errno != EINTR) {
      buffer_.erase(0, done);
      told_ = true;
      fail("cannot write");
    }
    if (written > 0) done += static_cast<size_t>(written);
  }
  buffer_.clear();
}

void AppendFile::fail(const char* what) const {
  throw IoError(name_, std::string(what) + ": " + std::generic_category().message(errno));
}

}  // namespace espalier::io
