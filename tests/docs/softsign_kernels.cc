#include "ops/kernel_lists_internal.h"
#include "tests/docs/softsign.h"

namespace espalier {

ESPALIER_CHAINABLE_KERNEL(Softsign, softsign)

}  // namespace espalier
