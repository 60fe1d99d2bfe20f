// Any bytes, the first of which chooses options, are either refused with an error or give tables whose every
// number can be read and which are no larger than the text.

#include "data/csv.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = *data;
  espalier::data::CsvOptions options;
  options.header = (choice & 1) != 0;
  options.delimiter = (choice & 2) != 0 ? ';' : ',';
  if (choice & 4) options.fill = 0.5;
  if (choice & 8) options.dtype = espalier::Dtype::f64;
  if (choice & 16) options.labels = {-1};
  if (choice & 32) options.labels.emplace_back(0);
  if (choice & 64) options.label_dtype = espalier::Dtype::f32;
  try {
    const auto table =
        espalier::data::parse_csv({reinterpret_cast<const char*>(data + 1), size - 1}, options);
    const auto labels = table.labels.defined() ? table.labels.numel() : 0;
    if (static_cast<std::size_t>(table.values.numel() + labels) > size) std::abort();
    volatile double kept = 0;
    if (options.dtype == espalier::Dtype::f64)
      for (const double value : table.values.to_vector<double>()) kept = value;
    else
      for (const float value : table.values.to_vector<float>()) kept = value;
    static_cast<void>(kept);
  } catch (const espalier::FormatError&) {
    return 0;
  } catch (const espalier::ValueError&) {
    return 0;  // columns that the text does not have
  }
  return 0;
}
