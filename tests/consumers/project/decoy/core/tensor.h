#pragma once

/// A header of the consumer's own, with the path of one of the library's.
namespace core {
inline constexpr int kDecoy = 42;
}
