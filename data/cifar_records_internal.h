#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/examples.h"

namespace espalier::data {

/// Records of `label_bytes` labels, of which the last one counts, and 3,072 pixels. Throws FormatError for
/// anything but whole records with labels under `classes`; `name` stands for the file.
ESPALIER_API Examples parse_cifar_records(std::span<const unsigned char> bytes, int64_t label_bytes,
                                          int64_t classes, const std::string& name);

}  // namespace espalier::data
