#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include <png.h>

#include "core/error.h"
#include "io/image.h"
#include "io/image_internal.h"
#include "ops/copy.h"
#include "ops/permute.h"

namespace espalier::io {
namespace {

constexpr int64_t kMaxSide = 1'000'000;  // libpng's own limit unless told otherwise

/// What both directions share. libpng reports errors by a callback that must not return, so it jumps back to
/// attempt(). What the jump passes over may hold nothing with a destructor: the functions given to attempt()
/// call libpng and touch plain values alone; whatever owns memory lives outside.
struct Session {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf failure;
  char message[128] = "";

  template <class F>
  bool attempt(F&& f) {
    if (setjmp(failure) != 0) return false;
    f();
    return true;
  }

  [[noreturn]] static void fail(png_structp png, png_const_charp message) {
    auto& session = *static_cast<Session*>(png_get_error_ptr(png));
    std::snprintf(session.message, sizeof session.message, "%s", message);
    std::longjmp(session.failure, 1);
  }
  static void ignore(png_structp, png_const_charp) {}
};

struct PngReader : Session {
  explicit PngReader(std::span<const unsigned char> bytes) : rest(bytes) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<Session*>(this), fail, ignore);
    if (png) info = png_create_info_struct(png);
    if (!info) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  static void take(png_structp png, png_bytep to, size_t size) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > reader.rest.size()) png_error(png, "the file ends too soon (is it cut short?)");
    std::memcpy(to, reader.rest.data(), size);
    reader.rest = reader.rest.subspan(size);
  }

  std::span<const unsigned char> rest;
};

struct Writer : Session {
  Writer() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, static_cast<Session*>(this), fail, ignore);
    if (png) info = png_create_info_struct(png);
    if (!info) {
      png_destroy_write_struct(&png, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  static void put(png_structp png, png_bytep from, size_t size) {
    auto& writer = *static_cast<Writer*>(png_get_io_ptr(png));
    try {
      writer.bytes.insert(writer.bytes.end(), from, from + size);
    } catch (const std::bad_alloc&) {
      writer.no_memory = true;
    }
    if (writer.no_memory)
      png_error(png, "no memory");  // not from the handler, which the jump would leave open
  }
  static void flush(png_structp) {}

  std::vector<unsigned char> bytes;
  bool no_memory = false;
};

}  // namespace

Tensor parse_png(std::span<const unsigned char> bytes, const std::string& name) {
  PngReader reader(bytes);
  png_struct* const png = reader.png;
  png_info* const info = reader.info;
  const auto refuse = [&] { throw FormatError(name, std::string("is no good PNG: ") + reader.message); };

  if (!reader.attempt([&] {
        png_set_read_fn(png, static_cast<PngReader*>(&reader), PngReader::take);
        // Texts, colour profiles and the like are not unpacked: nothing is made of them.
        png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_read_info(png, info);
      }))
    refuse();
  const uint64_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  const uint64_t bits = uint64_t{png_get_bit_depth(png, info)} * png_get_channels(png, info);
  check_image(width, height, height * ((width * bits + 7) / 8 + 1), bytes.size(), name);

  int passes = 0;
  if (!reader.attempt([&] {
        if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
        if (png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
        png_set_scale_16(png);
        png_set_strip_alpha(png);
        passes = png_set_interlace_handling(png);
        png_read_update_info(png, info);
      }))
    refuse();
  const int64_t channels = png_get_channels(png, info);
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
  if ((channels != 1 && channels != 3) || png_get_rowbytes(png, info) != row)
    throw FormatError(name, "is a PNG of " + std::to_string(channels) + " channels; 1 and 3 are read");

  const Tensor pixels =
      empty({static_cast<int64_t>(height), static_cast<int64_t>(width), channels}, Dtype::u8);
  auto* const to = static_cast<unsigned char*>(pixels.raw_data());
  // An interlaced image comes in passes, each of which fills in pixels of the rows before.
  std::memset(to, 0, row * height);
  if (!reader.attempt([&] {
        for (int pass = 0; pass < passes; ++pass)
          for (uint64_t y = 0; y < height; ++y) png_read_row(png, to + y * row, nullptr);
        png_read_end(png, nullptr);
      }))
    refuse();
  return pixels;
}

std::vector<unsigned char> encode_png(const Tensor& image) {
  const std::string name = "encode_png";
  if (!image.defined()) throw ValueError(name, "the image is undefined");
  const std::string given = describe(image) + " given; expected ";
  if (image.dtype() != Dtype::u8) throw TypeError(name, given + "u8");
  if (image.rank() != 3 || (image.size(0) != 1 && image.size(0) != 3))
    throw ShapeError(name, given + "u8[1 or 3, H, W]");
  const int64_t height = image.size(1), width = image.size(2);
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide || height * width > kMaxImagePixels)
    throw ShapeError(name, given + "sides from 1 to " + std::to_string(kMaxSide) + " and at most " +
                               std::to_string(kMaxImagePixels) + " pixels");
  if (image.device() != kCpu)
    throw DeviceError(name, "the image is on " + to_string(image.device()) + "; copy it to cpu first");

  const Tensor pixels = contiguous(permute(image.detach(), {1, 2, 0}));
  const auto* const from = static_cast<const unsigned char*>(pixels.raw_data());
  const int colours = image.size(0) == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
  const int64_t row = width * image.size(0);
  Writer writer;
  png_struct* const png = writer.png;
  png_info* const info = writer.info;
  if (!writer.attempt([&] {
        png_set_write_fn(png, static_cast<Writer*>(&writer), Writer::put, Writer::flush);
        png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8, colours,
                     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png, info);
        for (int64_t y = 0; y < height; ++y) png_write_row(png, from + y * row);
        png_write_end(png, info);
      })) {
    if (writer.no_memory) throw std::bad_alloc();
    throw ValueError(name, std::string("libpng refuses ") + describe(image) + ": " + writer.message);
  }
  return std::move(writer.bytes);
}

}  // namespace espalier::io
