#include "core/philox.h"

#include <algorithm>

#include "core/box_muller.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/philox.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"  // before highway.h
#include "hwy/highway.h"
#include "core/philox-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The four words of as many blocks as a vector has 64-bit lanes, each word in the lower half of its lane. One
// widening multiply then gives both halves of a product; the upper halves hold rubbish, which it does not
// read.
template <class D, class V>
HWY_INLINE void philox_rounds(D d64, uint64_t seed, V& word0, V& word1, V& word2, V& word3) {
  const hn::Repartition<uint32_t, D> d32;
  const auto multiplier0 = hn::Set(d32, detail::kPhiloxMultiplier0);
  const auto multiplier1 = hn::Set(d32, detail::kPhiloxMultiplier1);
  uint32_t key0 = static_cast<uint32_t>(seed);
  uint32_t key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < detail::kPhiloxRounds; ++round) {
    const V product0 = hn::MulEven(hn::BitCast(d32, word0), multiplier0);
    const V product1 = hn::MulEven(hn::BitCast(d32, word2), multiplier1);
    word0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), word1), hn::Set(d64, uint64_t{key0}));
    word2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), word3), hn::Set(d64, uint64_t{key1}));
    word1 = product1;
    word3 = product0;
    key0 += detail::kPhiloxWeyl0;
    key1 += detail::kPhiloxWeyl1;
  }
}

// Whole blocks from block `index` on; returns how many it made, some vectors' worth.
uint64_t fill_blocks(uint64_t seed, uint64_t index, uint64_t blocks, uint32_t* out) {
  const hn::ScalableTag<uint64_t> d64;
  using V = hn::Vec<decltype(d64)>;
  const uint64_t lanes = hn::Lanes(d64);
  const V low_half = hn::Set(d64, uint64_t{0xFFFFFFFF});
  uint64_t done = 0;
  for (; done + lanes <= blocks; done += lanes) {
    V word0 = hn::Iota(d64, index + done);
    V word1 = hn::ShiftRight<32>(word0);
    V word2 = hn::Zero(d64);
    V word3 = word2;
    philox_rounds(d64, seed, word0, word1, word2, word3);
    const V front = hn::Or(hn::And(word0, low_half), hn::ShiftLeft<32>(word1));
    const V back = hn::Or(hn::And(word2, low_half), hn::ShiftLeft<32>(word3));
    hn::StoreInterleaved2(front, back, d64, reinterpret_cast<uint64_t*>(out + 4 * done));
  }
  return done;
}

uint64_t to_uniform(const uint32_t* words, uint64_t count, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  const uint64_t lanes = hn::Lanes(d);
  uint64_t done = 0;
  for (; done + lanes <= count; done += lanes) {
    const auto upper = hn::BitCast(di, hn::ShiftRight<8>(hn::LoadU(du, words + done)));
    hn::StoreU(hn::Mul(hn::ConvertTo(d, upper), hn::Set(d, 0x1p-24F)), d, out + done);
  }
  return done;
}

#if HWY_NATIVE_FMA

uint64_t to_normal(const uint32_t* words, uint64_t count, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const uint64_t lanes = 2 * hn::Lanes(d);
  uint64_t done = 0;
  for (; done + lanes <= count; done += lanes) {
    hn::Vec<decltype(du)> radius_words, angle_words;
    hn::LoadInterleaved2(du, words + done, radius_words, angle_words);
    const auto radius = hn::Sqrt(hn::Mul(hn::Set(d, -2.0F), log_of_uniform(d, radius_words)));
    hn::Vec<decltype(d)> sine, cosine;
    sincos(d, angle_words, sine, cosine);
    hn::StoreInterleaved2(hn::Mul(radius, cosine), hn::Mul(radius, sine), d, out + done);
  }
  return done;
}

#else

uint64_t to_normal(const uint32_t*, uint64_t, float*) {
  return 0;
}  // the scalar steps do all

#endif

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

HWY_EXPORT(fill_blocks);
HWY_EXPORT(to_uniform);
HWY_EXPORT(to_normal);

constexpr uint64_t kChunk = 1024;  // words: 4 KiB, well inside the first-level cache

// Makes the stream's words chunk by chunk, whole blocks each, and hands `convert(words, count, position)`
// those that were asked for.
template <typename Convert>
void for_each_chunk(uint64_t seed, uint64_t offset, uint64_t first, uint64_t count, Convert convert) {
  alignas(64) uint32_t words[kChunk];
  uint64_t position = 0;
  while (position < count) {
    const uint64_t skip = (first + position) % 4;
    const uint64_t taken = std::min(kChunk - skip, count - position);
    const uint64_t made = (skip + taken + 3) / 4 * 4;
    philox_fill(seed, offset + (first + position) / 4, 0, {words, made});
    convert(words + skip, taken, position);
    position += taken;
  }
}

}  // namespace

void philox_fill(uint64_t seed, uint64_t offset, uint64_t first_element, std::span<uint32_t> out) {
  uint64_t i = 0;
  while (i < out.size() && (first_element + i) % 4 != 0) {
    out[i] = philox_word(seed, offset, first_element + i);
    ++i;
  }
  const uint64_t blocks = (out.size() - i) / 4;
  i += 4 * ESPALIER_DISPATCH(fill_blocks)(seed, offset + (first_element + i) / 4, blocks, out.data() + i);
  for (; i < out.size(); i += 4) {
    const PhiloxBlock block = philox_block(seed, offset + (first_element + i) / 4);
    std::copy_n(block.word, std::min<uint64_t>(4, out.size() - i), out.data() + i);
  }
}

void philox_fill_uniform(uint64_t seed, uint64_t offset, uint64_t first_element, std::span<float> out) {
  for_each_chunk(seed, offset, first_element, out.size(),
                 [&](const uint32_t* words, uint64_t count, uint64_t position) {
                   uint64_t i = ESPALIER_DISPATCH(to_uniform)(words, count, out.data() + position);
                   for (; i < count; ++i) out[position + i] = philox_uniform(words[i]);
                 });
}

void philox_fill_uniform(uint64_t seed, uint64_t offset, uint64_t first_element, std::span<double> out) {
  for_each_chunk(seed, offset, 2 * first_element, 2 * out.size(),
                 [&](const uint32_t* words, uint64_t count, uint64_t position) {
                   for (uint64_t i = 0; i < count; i += 2) {
                     out[(position + i) / 2] = philox_uniform(words[i] | uint64_t{words[i + 1]} << 32);
                   }
                 });
}

void philox_fill_normal(uint64_t seed, uint64_t offset, uint64_t first_element, std::span<float> out) {
  uint64_t done = 0;
  if (first_element % 2 != 0 && !out.empty()) out[done++] = philox_normal(seed, offset, first_element);
  // From here on pairs of elements are whole, but for the last one.
  const auto pairs = out.subspan(done, (out.size() - done) / 2 * 2);
  for_each_chunk(seed, offset, first_element + done, pairs.size(),
                 [&](const uint32_t* words, uint64_t count, uint64_t position) {
                   for (uint64_t i = ESPALIER_DISPATCH(to_normal)(words, count, pairs.data() + position);
                        i < count; i += 2) {
                     const NormalPair pair = box_muller(words[i], words[i + 1]);
                     pairs[position + i] = pair.first;
                     pairs[position + i + 1] = pair.second;
                   }
                 });
  done += pairs.size();
  if (done < out.size()) out[done] = philox_normal(seed, offset, first_element + done);
}

}  // namespace espalier
#endif
