#include "ops/kernel_lists_internal.h"
#include "tests/docs/softsign.h"

namespace espalier {

void softsign_cpu(const Softsign&, Inputs, Outputs);
constinit KernelSlot Softsign::slot{kVectorised<Softsign, softsign_cpu>};

}  // namespace espalier
