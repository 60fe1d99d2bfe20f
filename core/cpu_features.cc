#include "core/cpu_features.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "core/highway_internal.h"
#include "hwy/highway.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace espalier {
namespace {

constexpr std::array kLevels = {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512};

#if defined(__x86_64__)

// Targets that must not be chosen at a level: lower bits are better ones.
int64_t disabled_at(CpuLevel level) {
  switch (level) {
    case CpuLevel::baseline:
      return HWY_SSE4 - 1;
    case CpuLevel::avx2:
      return HWY_AVX2 - 1;
    case CpuLevel::avx512:
      return HWY_AVX3 - 1;
  }
  return 0;
}

CpuLevel detect() {
  if (!__builtin_cpu_supports("sse4.2")) {
    throw DeviceError(
        "cpu", "this CPU lacks SSE4.2, which Espalier's kernels need; use an x86-64 CPU made since 2010");
  }
  const int64_t targets = hwy::SupportedTargets();
  if (targets & HWY_AVX3) return CpuLevel::avx512;
  return targets & HWY_AVX2 ? CpuLevel::avx2 : CpuLevel::baseline;
}

#else

int64_t disabled_at(CpuLevel) {
  return 0;
}
CpuLevel detect() {
  return CpuLevel::baseline;
}

#endif

CpuLevel cap_from_environment() {
  const char* value = std::getenv("ESPALIER_CPU");
  if (value == nullptr || *value == '\0') return CpuLevel::avx512;
  for (const CpuLevel level : kLevels) {
    if (cpu_level_name(level) == value) return level;
  }
  throw ValueError("ESPALIER_CPU",
                   "'" + std::string(value) + "' is not a level; set it to baseline, avx2 or avx512");
}

struct State {
  CpuLevel detected = detect();
  std::atomic<CpuLevel> level = detected;

  State() {
    const CpuLevel cap = cap_from_environment();
    if (cap < detected) set(cap);
  }

  // Highway asks again for the supported targets at its next dispatch.
  void set(CpuLevel to) {
    hwy::DisableTargets(disabled_at(to));
    level.store(to, std::memory_order_relaxed);
  }
};

bool may_use_amx_int8() {
#if defined(__x86_64__) && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned kTiles = 1U << 24, kInt8 = 1U << 25;
  if ((d & kTiles) == 0 || (d & kInt8) == 0) return false;
  // The kernel's documentation (arch/x86/xstate) has the request and the number of the registers' data; it is
  // granted only where the kernel saves them.
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

State& state() {
  static State instance;
  return instance;
}

}  // namespace

CpuLevel cpu_level() {
  return state().level.load(std::memory_order_relaxed);
}

void set_cpu_level(CpuLevel level) {
  State& current = state();
  if (level < CpuLevel::baseline || level > current.detected) {
    throw ValueError("set_cpu_level", "this CPU has " + std::string(cpu_level_name(current.detected)) +
                                          " at most, not " + std::string(cpu_level_name(level)));
  }
  current.set(level);
}

bool cpu_has_amx_int8() {
  static const bool has = may_use_amx_int8();
  return has;
}

std::string_view cpu_level_name(CpuLevel level) {
  switch (level) {
    case CpuLevel::baseline:
      return "baseline";
    case CpuLevel::avx2:
      return "avx2";
    case CpuLevel::avx512:
      return "avx512";
  }
  return "unknown";
}

}  // namespace espalier
