#pragma once

#include <string>

#include "tests/support/temporary_folder.h"

namespace espalier::test {

/// A run of a small convolutional network on the embedded digits 0, 1 and 2, which `images` in the folder has
/// as grey images, one sub-folder a digit.
std::string trained(const TemporaryFolder& folder);

}  // namespace espalier::test
