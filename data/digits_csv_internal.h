#pragma once

namespace espalier::data {

/// The rows of digits.csv: 64 pixels from 0 to 16 and the label, separated by commas.
extern const char* const kDigitsCsv;

}  // namespace espalier::data
