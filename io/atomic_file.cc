#include "io/atomic_file.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace espalier::io {

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + ".XXXXXX") {
  descriptor_ = ::mkstemp(temporary_.data());
  if (descriptor_ < 0) fail("cannot make a temporary file beside it");
  // mkstemp makes private files; the result gets the rights that any new file would.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail("cannot write");
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) {
  write(std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot bring it to the disk");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot give it its name");
  ::close(std::exchange(descriptor_, -1));
}

void AtomicFile::fail(const char* what) const {
  throw IoError(path_.string(), std::string(what) + ": " + std::generic_category().message(errno));
}

}  // namespace espalier::io
