#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "core/export.h"

namespace espalier {

/// Base of every exception that Espalier throws. `what()` is one line: `[where] message`, where `where` names
/// the operation, file or object at fault and the message says what is wrong, with every shape and type
/// involved, and what to do.
class ESPALIER_API Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view message);
  ~Error() override;

  /// The operation, file or object at fault: `matmul`, `weights.safetensors`.
  const std::string& where() const noexcept { return where_; }
  /// The message without its prefix.
  const std::string& message() const noexcept { return message_; }

 private:
  std::string where_;
  std::string message_;
};

/// Ranks, sizes, axes or strides do not fit together.
class ESPALIER_API ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

/// A data type is not supported or does not match.
class ESPALIER_API TypeError : public Error {
 public:
  using Error::Error;
  ~TypeError() override;
};

/// Tensors are on different devices, a device is absent, or it has no implementation of an operation.
class ESPALIER_API DeviceError : public Error {
 public:
  using Error::Error;
  ~DeviceError() override;
};

/// Memory of a device is exhausted.
class ESPALIER_API MemoryError : public DeviceError {
 public:
  using DeviceError::DeviceError;
  ~MemoryError() override;
};

/// Differentiation is impossible: no path to a leaf, a freed graph, a value changed since it was read.
class ESPALIER_API GradientError : public Error {
 public:
  using Error::Error;
  ~GradientError() override;
};

/// A number, name or option is outside what is allowed.
class ESPALIER_API ValueError : public Error {
 public:
  using Error::Error;
  ~ValueError() override;
};

/// A file's content is not what its format asks for.
class ESPALIER_API FormatError : public Error {
 public:
  using Error::Error;
  ~FormatError() override;
};

/// The operating system refused to read, write or map a file.
class ESPALIER_API IoError : public Error {
 public:
  using Error::Error;
  ~IoError() override;
};

/// The numeric checker met a value that is not finite.
class ESPALIER_API NumericError : public Error {
 public:
  using Error::Error;
  ~NumericError() override;
};

}  // namespace espalier
