#pragma once

#include <string_view>

#include "core/export.h"

namespace espalier {

/// Instruction sets among which Espalier's own CPU kernels choose at run time, each including those before
/// it.
enum class CpuLevel {
  baseline,  ///< SSE4.2 on x86-64; whatever the compiler was told elsewhere (always this level there)
  avx2,      ///< AVX2 with FMA, BMI2 and F16C
  avx512,    ///< AVX-512 F, BW, DQ and VL; products of 8-bit integers also use VNNI and AMX where the CPU has
             ///< them
};

/// The level that kernels use: the best one that the CPU has, capped by the environment variable ESPALIER_CPU
/// (`baseline`, `avx2` or `avx512`), which is read once. A cap that the CPU does not reach changes nothing.
/// Any thread may call it; after the first call it costs one load. Throws ValueError if ESPALIER_CPU holds
/// another word, DeviceError if an x86 CPU lacks SSE4.2 (older than 2010).
///
/// The cap goes through `hwy::DisableTargets`, so it holds for every user of the same Highway library in the
/// process.
ESPALIER_API CpuLevel cpu_level();

/// Replaces the cap of ESPALIER_CPU, for tests and benchmarks that compare levels. Throws ValueError if the
/// CPU lacks `level`. Call it only while no other thread computes.
ESPALIER_API void set_cpu_level(CpuLevel level);

/// Whether the CPU multiplies squares of 8-bit integers (AMX), and the system lets this process use the
/// registers for it, for which it is asked at the first call. Linux has them since 5.16. Any thread may call
/// it.
ESPALIER_API bool cpu_has_amx_int8();

/// `baseline`, `avx2` or `avx512`, as in ESPALIER_CPU.
ESPALIER_API std::string_view cpu_level_name(CpuLevel level);

}  // namespace espalier
