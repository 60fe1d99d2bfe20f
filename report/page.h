#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"
#include "core/tensor.h"
#include "report/svg.h"
#include "report/table.h"

namespace espalier::report {

struct KeyValue {
  std::string key, value;
};

/// An HTML page in one file: it loads nothing and runs no script, follows the reader's choice of light or
/// dark, and prints. All text given to it is escaped; text that is not UTF-8 shows U+FFFD instead. What is
/// added appears in that order. Not for use from several threads.
///
///   Page page("Digits, seed 3");
///   page.key_values({{"test accuracy", "98.9 %"}, {"parameters", "52,650"}});
///   page.heading("Training");
///   page.figure(line_chart(curves, {.x_label = "epoch", .y_label = "loss"}));
///   page.save("report.html");
class ESPALIER_API Page {
 public:
  /// `title` is the page's first heading.
  explicit Page(std::string_view title);

  /// A heading under the title: `level` 2 begins a section, 3 a part of one. Throws ValueError for others.
  void heading(std::string_view text, int level = 2);
  void paragraph(std::string_view text);
  /// Text whose lines and spaces stay as they are: verse, code, what a program printed.
  void verbatim(std::string_view text);
  /// Names and what they stand for, in as many columns as have room.
  void key_values(const std::vector<KeyValue>& entries);
  void table(const Table& table, std::string_view caption = {});
  /// Figures added one after the other stand side by side where there is room.
  void figure(const Svg& figure, std::string_view caption = {});
  /// Images with a caption each (or none at all), pixels enlarged as squares to a side of about 96. `images`
  /// is u8 [N, C, H, W], or f32 from 0 to 1 (what is beyond is cut off, NaN is black); C is 1 or 3. Throws
  /// ShapeError, TypeError, and ValueError for an undefined tensor.
  void images(const Tensor& images, const std::vector<std::string>& captions = {});

  /// The page as it stands, also well-formed as XML.
  std::string html() const;
  /// Writes it, whole or not at all (io/atomic_file.h). Throws IoError.
  void save(const std::filesystem::path& path) const;

 private:
  void end_figures();

  std::string title_, body_;
  bool in_figures_ = false;
};

}  // namespace espalier::report
