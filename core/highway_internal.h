#pragma once

// Include this, and nothing of Highway, before "hwy/foreach_target.h" in every vectorised .cc file:
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "ops/x_cpu.cc"
//   #include "core/highway_internal.h"
//   #include "hwy/foreach_target.h"  // must come before highway.h
//   #include "hwy/highway.h"
//   HWY_BEFORE_NAMESPACE();
//   namespace espalier::HWY_NAMESPACE { ... void kernel(...) ... }
//   HWY_AFTER_NAMESPACE();
//   #if HWY_ONCE
//   namespace espalier {
//   HWY_EXPORT(kernel);
//   void f(...) { ESPALIER_DISPATCH(kernel)(...); }
//   }
//   #endif
//
// (clang-format off around the includes: their order matters.) Lambdas inside HWY_NAMESPACE need HWY_ATTR, or
// GCC refuses to inline intrinsics into them. Partial vectors are read with load_first (core/masked-inl.h),
// not with MaskedLoad.

#include "core/cpu_features.h"

#ifdef HIGHWAY_HWY_DETECT_TARGETS_H_
#error "include core/highway_internal.h before any header of Highway"
#endif

#if defined(__x86_64__)
// Every kernel is compiled once per target, so there are three: SSE4, AVX2 and AVX3 (AVX-512 F/BW/DQ/VL).
// Left alone, Highway 1.0 makes four on x86 and 1.2 seven, which doubles the build of the heaviest files for
// next to no speed: of what AVX3_DL, ZEN4 and SPR add, bf16 is used through oneDNN and VNNI by
// ops/int8_tiles.cc, which asks the CPU itself.
//
// The baseline is SSE4 (x86-64-v2, CPUs since 2010; what oneDNN asks for, too), although the rest of the tree
// is compiled for plain x86-64. Highway's own choice would be its SCALAR target under GCC 12.2, which lacks
// shuffles and lane conversions, so that each kernel would need a second version. Highway marks the functions
// of the baseline with their target, so no compiler flag is needed; cpu_level() refuses a CPU without SSE4.2.
#define HWY_BASELINE_TARGETS HWY_SSE4
#define HWY_DISABLED_TARGETS (HWY_AVX3 - 1LL)  // every x86 target above AVX3; lower bits are better targets
#endif

/// The kernel of the best target that the CPU has and ESPALIER_CPU allows. Use it in place of
/// HWY_DYNAMIC_DISPATCH, which does not know the cap.
#define ESPALIER_DISPATCH(kernel) (static_cast<void>(::espalier::cpu_level()), HWY_DYNAMIC_DISPATCH(kernel))
