#include "core/error.h"

#include <algorithm>

namespace espalier {
namespace {

/// One line, also where a file's name, say, has several.
std::string compose(std::string_view where, std::string_view message) {
  std::string line;
  line.reserve(where.size() + message.size() + 3);
  line.append("[").append(where).append("] ").append(message);
  std::replace_if(
      line.begin(), line.end(), [](char letter) { return letter == '\n' || letter == '\r'; }, ' ');
  return line;
}

}  // namespace

Error::Error(std::string_view where, std::string_view message)
    : std::runtime_error(compose(where, message)), where_(where), message_(message) {}

// Out-of-line destructors anchor each type's run-time information in this library, so that a `catch` in a
// program matches across shared objects.
Error::~Error() = default;
ShapeError::~ShapeError() = default;
TypeError::~TypeError() = default;
DeviceError::~DeviceError() = default;
MemoryError::~MemoryError() = default;
GradientError::~GradientError() = default;
ValueError::~ValueError() = default;
FormatError::~FormatError() = default;
IoError::~IoError() = default;
NumericError::~NumericError() = default;

}  // namespace espalier
