// Which way to compute a convolution with the library, by rules from measurements. Rules, not a race at the
// first call, so that a program gives the same bits in every run.
//
// Direct code is as fast on channels-last activations as on blocks of 16 channels, which cost two copies
// besides; only the strided backward data of 3.x is not (2 cores of an EPYC 9004 (AVX-512), microseconds with
// all copies: 128 images, 16 to 32 channels, 3 x 3: 4350 channels-last, 2350 blocked; 32 to 64: 2650 and
// 1630; 1 x 1, 16 to 32: 870 and 570).

#include "ops/onednn_compat_internal.h"
#include "ops/onednn_conv_internal.h"

namespace espalier::onednn {

std::array<ConvMethod, 3> conv_methods(const ConvProblem& p) {
  using enum ConvMethod;
  const bool strided = p.stride[0] > 1 || p.stride[1] > 1;
  if (p.direction == ConvDirection::kBackwardData && strided && !compat::kHasFastStridedBackward)
    return {kBlocked, kChannelsLast, kAny};
  return {kChannelsLast, kBlocked, kAny};
}

}  // namespace espalier::onednn
