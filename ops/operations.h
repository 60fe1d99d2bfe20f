#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/operation.h"

namespace espalier {

/// The operation of that name for so many inputs (absent ones count), as saved graphs have them. Throws
/// ValueError for a name that is not known, a number of inputs that it does not take, and what
/// with_attributes() refuses.
ESPALIER_API std::unique_ptr<Operation> make_operation(std::string_view name, const Attributes& attributes,
                                                       size_t inputs);

/// The same with attributes of no meaning.
ESPALIER_API std::unique_ptr<Operation> model_of_operation(std::string_view name, size_t inputs);

/// Makes an operation defined outside the library known to make_operation(), with `least` inputs or, where
/// `most` is more, up to that many. The attributes of `model` do not matter. Throws ValueError where there is
/// one of that name.
ESPALIER_API void register_operation(const Operation& model, size_t least, size_t most = 0);

/// In alphabetical order.
ESPALIER_API std::vector<std::string> operation_names();

}  // namespace espalier
