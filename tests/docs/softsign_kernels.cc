#include "tests/docs/softsign.h"

namespace espalier {

void softsign_cpu(const Softsign&, Inputs, Outputs);
static constexpr Kernel kSoftsign[] = {kernel<Softsign, softsign_cpu>("highway")};
constinit KernelSlot Softsign::slot{kSoftsign};

}  // namespace espalier
