#include "report/page.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/image.h"
#include "ops/copy.h"
#include "report/markup_internal.h"
#include "report/page_style_internal.h"

namespace espalier::report {
namespace {

constexpr int64_t kImageSide = 96;  // pixels on the page that enlarged images reach at most

std::string base64(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    unsigned bits = 0;
    for (size_t n = 0; n < 3; ++n) bits = bits << 8 | (n < count ? bytes[i + n] : 0u);
    for (size_t n = 0; n < 4; ++n) text += n <= count ? kDigits[bits >> (18 - 6 * n) & 63] : '=';
  }
  return text;
}

/// u8 [N, C, H, W], row-major.
Tensor bytes_of(const Tensor& images) {
  Tensor rows = contiguous(images.detach());
  if (rows.dtype() == Dtype::u8) return rows;
  const Tensor bytes = empty(rows.shape(), Dtype::u8);
  const float* const from = rows.data<float>();
  auto* const to = static_cast<unsigned char*>(bytes.raw_data());
  for (int64_t i = 0; i < rows.numel(); ++i) {
    // Written so that NaN, for which every comparison is false, gives 0.
    const float value = from[i] > 0 ? std::min(from[i], 1.0F) : 0.0F;
    to[i] = static_cast<unsigned char>(std::lround(255 * value));
  }
  return bytes;
}

}  // namespace

Page::Page(std::string_view title) : title_(escape(title)) {}

void Page::end_figures() {
  if (in_figures_) body_ += "</div>\n";
  in_figures_ = false;
}

void Page::heading(std::string_view text, int level) {
  if (level != 2 && level != 3)
    throw ValueError("Page::heading", "level " + std::to_string(level) + "; expected 2 or 3");
  end_figures();
  const std::string tag = "h" + std::to_string(level);
  body_ += "<" + tag + ">" + escape(text) + "</" + tag + ">\n";
}

void Page::paragraph(std::string_view text) {
  end_figures();
  body_ += "<p>" + escape(text) + "</p>\n";
}

void Page::verbatim(std::string_view text) {
  end_figures();
  body_ += "<pre>" + escape(text) + "</pre>\n";
}

void Page::key_values(const std::vector<KeyValue>& entries) {
  end_figures();
  if (entries.empty()) return;
  body_ += "<dl>\n";
  for (const auto& [key, value] : entries)
    body_ += "<div><dt>" + escape(key) + "</dt><dd>" + escape(value) + "</dd></div>\n";
  body_ += "</dl>\n";
}

void Page::table(const Table& table, std::string_view caption) {
  end_figures();
  body_ += "<div class=\"table\">\n" + table.html();
  if (!caption.empty()) body_ += "<p class=\"caption\">" + escape(caption) + "</p>\n";
  body_ += "</div>\n";
}

void Page::figure(const Svg& figure, std::string_view caption) {
  if (!in_figures_) body_ += "<div class=\"figures\">\n";
  in_figures_ = true;
  body_ += "<figure>\n" + figure.text + "\n";
  if (!caption.empty()) body_ += "<figcaption>" + escape(caption) + "</figcaption>\n";
  body_ += "</figure>\n";
}

void Page::images(const Tensor& images, const std::vector<std::string>& captions) {
  if (!images.defined()) throw ValueError("Page::images", "the images are undefined");
  const std::string given =
      describe(images) + " and " + std::to_string(captions.size()) + " captions given; ";
  if (images.dtype() != Dtype::u8 && images.dtype() != Dtype::f32)
    throw TypeError("Page::images", given + "expected u8, or f32 from 0 to 1");
  if (images.rank() != 4 || (images.size(1) != 1 && images.size(1) != 3))
    throw ShapeError("Page::images", given + "expected [N, 1 or 3, H, W]");
  if (!captions.empty() && static_cast<int64_t>(captions.size()) != images.size(0))
    throw ShapeError("Page::images", given + "expected a caption for each image, or none");
  end_figures();
  if (images.numel() == 0) return;
  Tensor bytes = bytes_of(images);
  const int64_t channels = bytes.size(1), height = bytes.size(2), width = bytes.size(3);
  const int64_t scale = std::max<int64_t>(1, kImageSide / std::max(height, width));
  const std::string sides =
      "width=\"" + std::to_string(scale * width) + "\" height=\"" + std::to_string(scale * height) + "\"";
  // Captions may be a little wider than narrow images.
  const std::string column = std::to_string(std::max<int64_t>(scale * width, 80));
  body_ += "<div class=\"images\">\n";
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    const Tensor image = bytes.with_layout({channels, height, width}, {height * width, width, 1},
                                           bytes.offset() + i * channels * height * width);
    const std::string caption = captions.empty() ? "" : escape(captions[static_cast<size_t>(i)]);
    body_ += "<figure style=\"width:" + column + "px\"><img ";
    body_ += sides;
    body_ += " alt=\"" + caption + "\" src=\"data:image/png;base64,";
    body_ += base64(io::encode_png(image));
    body_ += "\"/>";
    if (!caption.empty()) body_ += "<figcaption>" + caption + "</figcaption>";
    body_ += "</figure>\n";
  }
  body_ += "</div>\n";
}

std::string Page::html() const {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src data:\"/>\n<title>" +
      title_ + "</title>\n<style>";
  text += kPageStyle;
  text += "</style>\n</head>\n<body>\n<h1>" + title_ + "</h1>\n" + body_;
  if (in_figures_) text += "</div>\n";
  return text + "</body>\n</html>\n";
}

void Page::save(const std::filesystem::path& path) const {
  io::AtomicFile file(path);
  file.write(html());
  file.commit();
}

}  // namespace espalier::report
