// Which way to compute a convolution, by rules from measurements. Rules, not a race at the first call, so
// that a program gives the same bits in every run. oneDNN 2.6.3, 2 cores of an EPYC 9004 (AVX-512),
// microseconds with all copies (weights from and to plain OIHW; activations channels-last outside), best of
// 7 to 15; the machine was shared, so differences under a fifth mean nothing:
//
//   images, channels, size        forward           backward data     backward weights
//   3 x 3, stride 1             direct Winograd     direct Winograd     direct Winograd
//   16, 64 to 128, 32 x 32       10860     4210      12530     5530      14680     8790
//   16, 128 to 256, 32 x 32      43690    27140      42860    23410      53540    19480
//   128, 16 to 16, 32 x 32        3260     5190       2720     4910       3340     3590
//   128, 32 to 32, 16 x 16        3270     2540       3060     2380       3070     1990
//   128, 64 to 64, 8 x 8          2270     1180       2230     1130       2700     1450
//   16, 32 to 32, 16 x 16          440      304        345      302        436      287
//   8, 48 to 48, 28 x 28          1316      758       1198      732       1269      855
//   16, 64 to 64, 8 x 8            385      296        353      318        409      492
//   8, 64 to 64, 8 x 8             423      441        358      369        218      295
//   4, 256 to 256, 14 x 14        4327     3146       4274     3341       4949     3827
//   4, 512 to 512, 7 x 7          4809     6255       4993     5839       5718     6773
//   1, 64 to 128, 32 x 32         1284      609        675      405        771      419
//   1, 32 to 32, 16 x 16            48       96         38       94         38       86
//
// Winograd's results were as close to double precision as direct ones within a factor of three (7e-7 against
// 2e-7 in relative L2). Direct code is as fast on channels-last activations as on blocks of 16 channels,
// which cost two copies besides; only the strided backward data of 3.x is not (128 images, 16 to 32 channels,
// 3 x 3: 4350 channels-last, 2350 blocked with copies; 32 to 64: 2650 and 1630; 1 x 1, 16 to 32: 870 and
// 570).

#include <algorithm>

#include "ops/onednn_compat_internal.h"
#include "ops/onednn_conv_internal.h"

namespace espalier::onednn {
namespace {

constexpr int64_t kWinogradMinChannels = 32;
constexpr int64_t kWinogradMinPixels = 768;  // output pixels of all images together

bool winograd_pays(const ConvProblem& p) {
  const auto out = p.output();
  const bool plain =
      p.groups == 1 && p.dilation == std::array<int64_t, 2>{1, 1} && p.stride == std::array<int64_t, 2>{1, 1};
  return compat::kHasWinograd && plain && p.kernel == std::array<int64_t, 2>{3, 3} &&
         std::min(p.in_channels, p.out_channels) >= kWinogradMinChannels &&
         p.batch * out[0] * out[1] >= kWinogradMinPixels;
}

}  // namespace

std::array<ConvMethod, 4> conv_methods(const ConvProblem& p) {
  using enum ConvMethod;
  if (winograd_pays(p)) return {kWinograd, kChannelsLast, kBlocked, kAny};
  const bool strided = p.stride[0] > 1 || p.stride[1] > 1;
  if (p.direction == ConvDirection::kBackwardData && strided && !compat::kHasFastStridedBackward) {
    return {kBlocked, kChannelsLast, kAny, kAny};
  }
  return {kChannelsLast, kBlocked, kAny, kAny};
}

}  // namespace espalier::onednn
