#include "data/digits.h"

#include <vector>

#include "data/csv.h"
#include "data/digits_csv_internal.h"
#include "ops/divide.h"
#include "ops/reshape.h"

namespace espalier::data {
namespace {

constexpr double kInk = 16;  // the darkest value in the file

}  // namespace

Split digits() {
  const CsvTable table = parse_csv(kDigitsCsv, {.header = false, .labels = {-1}}, "digits.csv");
  const Tensor images = reshape(table.values / kInk, {-1, 1, 8, 8});
  std::vector<int64_t> train, test;
  for (int64_t row = 0; row < images.size(0); ++row) (row % 5 == 4 ? test : train).push_back(row);
  return {{take_rows(images, train), take_rows(table.labels, train)},
          {take_rows(images, test), take_rows(table.labels, test)}};
}

}  // namespace espalier::data
