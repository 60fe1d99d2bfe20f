// When Winograd's method pays, and which tile: from measurements, so that a program gives the same bits in
// every run. 2 cores of an EPYC 9004 (AVX-512), GFLOP/s counted as direct convolution; `direct` and `library`
// are oneDNN 2.6.3's direct and Winograd code on the same channels-last images with its filters packed, as
// ours are:
//
//   images, channels, size        forward                           gradient of the filters
//                                 F(4,3) F(2,3) direct library      F(4,3) F(2,3) direct library
//   16, 64 to 128, 32 x 32          601    403    230    542          532    389    215    425
//   16, 128 to 256, 32 x 32         676    437    233    577          575    403    217    525
//   1, 64 to 128, 32 x 32           732    434    240    624          537    405    230    436
//   1, 128 to 256, 32 x 32          814    465    243    683          568    394    225    460
//   64, 16 to 16, 32 x 32           355    227    228    124          407    229    236    226
//   64, 32 to 32, 16 x 16           522    349    243    406          614    328    235    361
//   64, 64 to 64, 8 x 8             677    418    273    547          650    366    230    412
//   1, 16 to 16, 32 x 32            310    209    198    142          124    177    104     42
//   1, 32 to 32, 16 x 16            283    293    209    228           49     85    165     75
//   1, 64 to 64, 8 x 8              608    366    244    220           35     56    138     66
//   8, 48 to 48, 28 x 28            593    360    244    455          513    358    231    358
//   4, 256 to 256, 14 x 14          609    472    253    442          222    284    223    321
//   4, 512 to 512, 7 x 7            575    361    269    347           90    110    191    101
//
// `espalier explain PACKAGE --kernels FILE` times the same kernels for the convolutions of any package.
//
// Results are as close to the direct ones as f32 allows: in relative L2 3e-6 for F(4,3), 1e-6 for F(2,3).

#include "ops/winograd_internal.h"

namespace espalier {
namespace {

/// Multiply-adds in the time that the transforms take for each plane and channel of a tile: fitted to the
/// sizes with 16 and 32 channels above.
constexpr int64_t kTransform = 12;
/// Winograd's method has to promise a gain of a sixth before the simpler and more exact code is left.
constexpr double kLeastGain = 1.15;

/// In multiply-adds.
double cost_of(const WinogradSizes& sizes, WinogradTile tile, int64_t overhead) {
  const WinogradDivision d(sizes, tile);
  const auto products = static_cast<double>(d.tiles + overhead) * static_cast<double>(d.depth * d.columns);
  const auto transforms =
      static_cast<double>(d.tiles) * static_cast<double>(kTransform * (d.depth + d.columns));
  return static_cast<double>(d.planes) * (products + transforms);
}

}  // namespace

std::optional<WinogradTile> choose_winograd_tile(const WinogradSizes& sizes, int64_t overhead) {
  const double direct = 9.0 * static_cast<double>(sizes.images * sizes.out.height * sizes.out.width) *
                        static_cast<double>(sizes.in_channels * sizes.out_channels);
  const double two = cost_of(sizes, WinogradTile::two, overhead);
  const double four = cost_of(sizes, WinogradTile::four, overhead);
  if (std::min(two, four) * kLeastGain > direct) return {};
  return four <= two ? WinogradTile::four : WinogradTile::two;
}

}  // namespace espalier
