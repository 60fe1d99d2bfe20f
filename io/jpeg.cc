#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it

#include <jerror.h>
#include <jpeglib.h>

#include "core/error.h"
#include "io/image_internal.h"

namespace espalier::io {
namespace {

// A progressive file may refine the image as often as it likes, at the cost of a pass over all of it for a
// few bytes; encoders write about ten scans.
constexpr int kMaxScans = 100;

// Warnings that leave the pixels as they are. All others mean that some were made up.
constexpr std::array kHarmless = {JWRN_ADOBE_XFORM, JWRN_BOGUS_ICC, JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR};

/// libjpeg reports errors by a callback that must not return, so it jumps back to attempt(). What the jump
/// passes over may hold nothing with a destructor: the functions given to attempt() call libjpeg and touch
/// plain values alone; whatever owns memory lives outside.
struct Decoder {
  Decoder() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) { fail(common); };
    errors.emit_message = [](j_common_ptr common, int level) {
      if (level < 0 && std::ranges::find(kHarmless, common->err->msg_code) == kHarmless.end()) fail(common);
    };
    errors.output_message = [](j_common_ptr) {};
    progress.progress_monitor = [](j_common_ptr common) {
      if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number <= kMaxScans) return;
      auto& decoder = *static_cast<Decoder*>(common->client_data);
      std::snprintf(decoder.message, sizeof decoder.message, "more than %d scans", kMaxScans);
      std::longjmp(decoder.failure, 1);
    };
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  template <class F>
  bool attempt(F&& f) {
    if (setjmp(failure) != 0) return false;
    f();
    return true;
  }

  [[noreturn]] static void fail(j_common_ptr common) {
    auto& decoder = *static_cast<Decoder*>(common->client_data);
    common->err->format_message(common, decoder.message);
    std::longjmp(decoder.failure, 1);
  }

  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failure;
  char message[JMSG_LENGTH_MAX] = "";
};

}  // namespace

Tensor parse_jpeg(std::span<const unsigned char> bytes, const std::string& name) {
  Decoder decoder;
  jpeg_decompress_struct& info = decoder.info;
  const auto refuse = [&] { throw FormatError(name, std::string("is no good JPEG: ") + decoder.message); };

  if (!decoder.attempt([&] {
        jpeg_create_decompress(&info);
        info.progress = &decoder.progress;
        jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
        jpeg_read_header(&info, TRUE);
      }))
    refuse();
  const int64_t height = info.image_height, width = info.image_width;
  const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
  if (!grey && info.jpeg_color_space != JCS_YCbCr && info.jpeg_color_space != JCS_RGB)
    throw FormatError(name, "is a JPEG of " + std::to_string(info.num_components) +
                                " components (CMYK, say); grey and RGB are read: convert it");
  if (info.arith_code)
    throw FormatError(name,
                      "is a JPEG in arithmetic coding, which is not read; convert it to Huffman coding");
  // A block of 8 x 8 pixels takes a bit or more, so a byte holds at most 512 pixels.
  check_image(info.image_width, info.image_height, static_cast<uint64_t>(height * width), bytes.size(), name);

  const int64_t channels = grey ? 1 : 3;
  const Tensor pixels = empty({height, width, channels}, Dtype::u8);
  auto* const to = static_cast<unsigned char*>(pixels.raw_data());
  if (!decoder.attempt([&] {
        info.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
        info.dct_method = JDCT_ISLOW;  // the exact one, so that bits do not depend on the machine
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
          JSAMPROW row = to + info.output_scanline * width * channels;
          jpeg_read_scanlines(&info, &row, 1);
        }
        jpeg_finish_decompress(&info);
      }))
    refuse();
  return pixels;
}

}  // namespace espalier::io
