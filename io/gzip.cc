#include "io/gzip.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include <zlib.h>

#include "core/error.h"
#include "io/mapped_file.h"

namespace espalier::io {
namespace {

constexpr size_t kBlock = size_t{64} << 10;
constexpr size_t kMaxInput = size_t{1} << 30;  // zlib counts in 32 bits
constexpr int kGzipWindow = 16 + MAX_WBITS;    // gzip's frame, checksum and length included
constexpr std::array<unsigned char, 2> kGzipMagic = {0x1f, 0x8b};

bool is_gzip(std::span<const unsigned char> bytes) {
  return bytes.size() >= kGzipMagic.size() && std::equal(kGzipMagic.begin(), kGzipMagic.end(), bytes.begin());
}

[[noreturn]] void too_long(size_t limit, const std::string& name) {
  throw FormatError(name, "has more than " + std::to_string(limit) + " bytes, the limit given for it");
}

void append(std::vector<unsigned char>& content, std::span<const unsigned char> more, size_t limit,
            const std::string& name) {
  if (more.size() > limit - content.size()) too_long(limit, name);
  const size_t wanted = content.size() + more.size();
  if (wanted > content.capacity()) content.reserve(std::min(limit, std::max(wanted, 2 * content.capacity())));
  content.insert(content.end(), more.begin(), more.end());
}

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

}  // namespace

std::vector<unsigned char> read_gzip_or_plain(const std::filesystem::path& path, size_t limit) {
  const auto file = make_ref<MappedFile>(path);
  return inflate_gzip_or_plain({file->data(), file->size()}, limit, path.string());
}

std::vector<unsigned char> inflate_gzip_or_plain(std::span<const unsigned char> bytes, size_t limit,
                                                 const std::string& name) {
  if (!is_gzip(bytes)) {
    if (bytes.size() > limit) too_long(limit, name);
    return {bytes.begin(), bytes.end()};
  }
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, EndInflate> end(&stream);

  std::vector<unsigned char> content, block(kBlock);
  while (true) {
    const size_t input = std::min(bytes.size(), kMaxInput);
    stream.next_in = const_cast<unsigned char*>(bytes.data());  // zlib's type has no const; it only reads
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = block.data();
    stream.avail_out = static_cast<uInt>(block.size());
    const int state = inflate(&stream, Z_NO_FLUSH);
    if (state == Z_MEM_ERROR) throw std::bad_alloc();
    // Z_BUF_ERROR says that all there is has been read and nothing more can come of it.
    if (state == Z_BUF_ERROR) throw FormatError(name, "ends inside its gzip stream (is it cut short?)");
    if (state != Z_OK && state != Z_STREAM_END)
      throw FormatError(name, std::string("is corrupt: ") + (stream.msg ? stream.msg : "no gzip stream"));
    append(content, std::span(block).first(block.size() - stream.avail_out), limit, name);
    bytes = bytes.subspan(input - stream.avail_in);
    if (state == Z_OK) continue;
    if (bytes.empty()) return content;
    if (!is_gzip(bytes))
      throw FormatError(name, std::to_string(bytes.size()) + " bytes follow its gzip stream");
    inflateReset(&stream);
  }
}

}  // namespace espalier::io
