#include "data/digits.h"

#include <charconv>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "data/digits_csv_internal.h"

namespace espalier::data {
namespace {

constexpr int64_t kPixels = 64;
constexpr float kInk = 16;  // the darkest value in the file

struct Rows {
  std::vector<float> pixels;
  std::vector<int64_t> labels;

  Examples examples() const {
    const auto n = static_cast<int64_t>(labels.size());
    return {from_values(pixels, {n, 1, 8, 8}), from_values(labels, {n})};
  }
};

}  // namespace

Split digits() {
  Rows train, test;
  const char* at = kDigitsCsv;
  const char* const end = at + std::strlen(at);
  for (int64_t row = 1; at != end; ++row) {
    Rows& rows = row % 5 == 0 ? test : train;
    for (int64_t column = 0; column <= kPixels; ++column) {
      int value = 0;
      const auto [stop, error] = std::from_chars(at, end, value);
      if (error != std::errc() || stop == end)
        throw FormatError("digits.csv", "row " + std::to_string(row) + " is not 65 numbers");
      at = stop + 1;  // the comma or the end of the line
      if (column < kPixels)
        rows.pixels.push_back(static_cast<float>(value) / kInk);
      else
        rows.labels.push_back(value);
    }
  }
  return {train.examples(), test.examples()};
}

}  // namespace espalier::data
