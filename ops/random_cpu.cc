#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/philox.h"
#include "core/strided_copy_internal.h"
#include "ops/elementwise_internal.h"
#include "ops/random.h"
#include "ops/random_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// Calls `write(target or a row-major stand-in)`, and copies the stand-in's elements to the target.
template <class Write>
void fill_row_major(const Tensor& target, void* scratch, Write&& write) {
  if (target.is_contiguous()) return write(target);
  const LocalTensor filled(scratch, target.dtype(), target.shape());
  write(filled);
  copy_strided(target.raw_data(), target.strides(), filled->raw_data(), filled->strides(), target.shape(),
               size_of(target.dtype()));
}

/// Of a stand-in.
size_t scratch_to_fill(const Tensor& target) {
  return target.is_contiguous() ? 0 : static_cast<size_t>(target.numel()) * size_of(target.dtype());
}

char* at(const Tensor& tensor, int64_t element) {
  return static_cast<char*>(tensor.raw_data()) + element * static_cast<int64_t>(size_of(tensor.dtype()));
}

/// Fills `target` with map(number i of the stream), computed in C; `make` is one of the philox_fill
/// functions.
template <class C, class Make, class Map>
void fill_as(const Tensor& target, void* scratch, RandomPlace place, Make make, Map map) {
  fill_row_major(target, scratch, [&](const Tensor& filled) {
    for_each_random_tile(filled.numel(), [&](int64_t first, int64_t count) {
      float numbers[kRandomTile];
      C values[kRandomTile];
      make(place.seed, place.offset, static_cast<uint64_t>(first),
           std::span(numbers, static_cast<size_t>(count)));
      for (int64_t i = 0; i < count; ++i) values[i] = map(static_cast<C>(numbers[i]));
      store_tile(values, filled.dtype(), at(filled, first), 1, count);
    });
  });
}

template <class C>
void uniform_as(const Uniform& op, const Tensor& target, void* scratch, RandomPlace place) {
  const C low = static_cast<C>(op.low()), high = static_cast<C>(op.high()),
          width = static_cast<C>(op.high() - op.low());
  // The sum may round up to `high`, which is not part of the range.
  const C last = high > low ? std::nextafter(high, low) : high;
  const auto make = [](uint64_t seed, uint64_t offset, uint64_t first, std::span<float> out) {
    philox_fill_uniform(seed, offset, first, out);
  };
  fill_as<C>(target, scratch, place, make, [=](C x) { return std::min(low + width * x, last); });
}

template <class C>
void normal_as(const Normal& op, const Tensor& target, void* scratch, RandomPlace place) {
  const C mean = static_cast<C>(op.mean()), deviation = static_cast<C>(op.deviation());
  fill_as<C>(target, scratch, place, philox_fill_normal, [=](C x) { return mean + deviation * x; });
}

}  // namespace

size_t uniform_scratch(const Uniform&, Inputs inputs, std::span<const Tensor>) {
  return scratch_to_fill(inputs[0]);
}
void uniform_cpu(const Uniform& op, Inputs inputs, Outputs, void* scratch) {
  const RandomPlace place =
      claim_random_blocks(inputs[1], philox_blocks(static_cast<uint64_t>(inputs[0].numel())));
  if (inputs[0].dtype() == Dtype::f64)
    uniform_as<double>(op, inputs[0], scratch, place);
  else
    uniform_as<float>(op, inputs[0], scratch, place);
}

size_t normal_scratch(const Normal&, Inputs inputs, std::span<const Tensor>) {
  return scratch_to_fill(inputs[0]);
}
void normal_cpu(const Normal& op, Inputs inputs, Outputs, void* scratch) {
  const RandomPlace place =
      claim_random_blocks(inputs[1], philox_blocks(static_cast<uint64_t>(inputs[0].numel())));
  if (inputs[0].dtype() == Dtype::f64)
    normal_as<double>(op, inputs[0], scratch, place);
  else
    normal_as<float>(op, inputs[0], scratch, place);
}

size_t random_integers_scratch(const RandomIntegers&, Inputs inputs, std::span<const Tensor>) {
  return scratch_to_fill(inputs[0]);
}
void random_integers_cpu(const RandomIntegers& op, Inputs inputs, Outputs, void* scratch) {
  const RandomPlace place =
      claim_random_blocks(inputs[1], philox_blocks(static_cast<uint64_t>(inputs[0].numel()), 2));
  const auto low = static_cast<uint64_t>(op.low());
  const uint64_t bound = static_cast<uint64_t>(op.high()) - low;
  fill_row_major(inputs[0], scratch, [&](const Tensor& filled) {
    for_each_random_tile(filled.numel(), [&](int64_t first, int64_t count) {
      uint32_t words[2 * kRandomTile];
      int64_t values[kRandomTile];
      philox_fill(place.seed, place.offset, 2 * static_cast<uint64_t>(first),
                  std::span(words, 2 * static_cast<size_t>(count)));
      for (int64_t i = 0; i < count; ++i) {
        const uint64_t number = words[2 * i] | uint64_t{words[2 * i + 1]} << 32;
        values[i] = static_cast<int64_t>(low + philox_bounded(number, bound));
      }
      store_tile(values, filled.dtype(), at(filled, first), 1, count);
    });
  });
}

size_t random_permutation_scratch(const RandomPermutation&, Inputs, std::span<const Tensor> outputs) {
  return static_cast<size_t>(outputs[0].numel()) * sizeof(int64_t);
}
void random_permutation_cpu(const RandomPermutation&, Inputs inputs, Outputs outputs, void* scratch) {
  const int64_t n = outputs[0].numel();
  const RandomPlace place = claim_random_blocks(inputs[0], philox_blocks(static_cast<uint64_t>(n), 2));
  auto* words = static_cast<uint32_t*>(scratch);
  philox_fill(place.seed, place.offset, 0, std::span(words, 2 * static_cast<size_t>(n)));
  const auto key = [words](int64_t i) { return words[2 * i] | uint64_t{words[2 * i + 1]} << 32; };
  auto* order = static_cast<int64_t*>(outputs[0].raw_data());
  std::iota(order, order + n, int64_t{0});
  std::sort(order, order + n,
            [&](int64_t a, int64_t b) { return key(a) != key(b) ? key(a) < key(b) : a < b; });
}

}  // namespace espalier
