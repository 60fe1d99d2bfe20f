#pragma once

#include <cstdint>

#include "core/door.h"

namespace espalier {

/// A source of random numbers: a seed and how far its stream (core/philox.h) has been used. Both are in a
/// small tensor, i64[2], that operations advance in place, so that a captured step draws new numbers each
/// time it runs. The same seed gives the same numbers in any number of threads. A cheap handle: copies share
/// the state.
///
/// Several threads may draw from one generator, each call a part of the stream of its own; which part depends
/// on the order of the calls.
class ESPALIER_API Generator {
 public:
  /// Stands for the default generator of the device on which it is used.
  Generator() = default;
  explicit Generator(uint64_t seed, Device device = kCpu);
  /// Works on `state`, i64[2]: seed and offset. Throws TypeError for any other tensor.
  explicit Generator(const Tensor& state);

  /// Seed and offset, in Philox blocks; undefined for one that was default-constructed.
  const Tensor& state() const noexcept { return state_; }
  /// The state to use on `device`: its own, or that of the device's default generator.
  Tensor state_on(Device device) const;
  /// Starts over with another seed. No other thread may be drawing.
  void manual_seed(uint64_t seed) const;

 private:
  Tensor state_;
};

/// The generator that operations on `device` use where none is given. Its seed is 0, or what manual_seed
/// said.
ESPALIER_API Generator default_generator(Device device = kCpu);
/// Seeds the default generators of all devices. No other thread may be drawing.
ESPALIER_API void manual_seed(uint64_t seed);

/// What the operations that fill a tensor with random numbers have in common. Inputs are the target and the
/// generator's state, outputs the same two, updated. Element i in row-major order gets number i of the
/// stream.
class ESPALIER_API RandomFill : public Operation {
 public:
  bool differentiable(int) const override { return false; }
};

/// Numbers from [low, high).
class ESPALIER_API Uniform final : public OperationOf<Uniform, RandomFill> {
 public:
  static constexpr std::string_view kName = "uniform_";
  static KernelSlot slot;

  /// Throws ValueError unless low <= high, both finite.
  Uniform(double low, double high);
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("low", low_);
    visit("high", high_);
    *this = Uniform(low_, high_);  // which checks them
  }

 private:
  double low_, high_;
};

/// Numbers of a normal distribution.
class ESPALIER_API Normal final : public OperationOf<Normal, RandomFill> {
 public:
  static constexpr std::string_view kName = "normal_";
  static KernelSlot slot;

  /// Throws ValueError unless both are finite and the deviation is not negative.
  Normal(double mean, double deviation);
  double mean() const noexcept { return mean_; }
  double deviation() const noexcept { return deviation_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("mean", mean_);
    visit("deviation", deviation_);
    *this = Normal(mean_, deviation_);  // which checks them
  }

 private:
  double mean_, deviation_;
};

/// Integers from [low, high).
class ESPALIER_API RandomIntegers final : public OperationOf<RandomIntegers, RandomFill> {
 public:
  static constexpr std::string_view kName = "random_integers_";
  static KernelSlot slot;

  /// Throws ValueError unless low < high.
  RandomIntegers(int64_t low, int64_t high);
  int64_t low() const noexcept { return low_; }
  int64_t high() const noexcept { return high_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("low", low_);
    visit("high", high_);
    *this = RandomIntegers(low_, high_);  // which checks them
  }

 private:
  int64_t low_, high_;
};

/// The numbers 0 ... n-1 in random order, from a generator's state, which it updates (output 1): sorted by
/// 64-bit keys, element i's from words 2i and 2i + 1 of the stream, equal keys by number.
class ESPALIER_API RandomPermutation final : public OperationOf<RandomPermutation> {
 public:
  static constexpr std::string_view kName = "random_permutation";
  static KernelSlot slot;

  /// Throws ValueError for a negative n.
  explicit RandomPermutation(int64_t n);
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("n", n_);
    *this = RandomPermutation(n_);  // which checks it
  }

 private:
  int64_t n_;
};

/// Fills `target`, of a floating type, with numbers from [low, high), and returns it. All types get the same
/// numbers, multiples of (high - low) / 2^24 rounded to the type (which may round up to `high` in one
/// narrower than f32). Throws ValueError unless low <= high, both finite; TypeError; GradientError where
/// `target` requires a gradient and recording is on.
ESPALIER_API Tensor uniform_(const Tensor& target, double low = 0, double high = 1,
                             const Generator& from = {});
/// Fills `target`, of a floating type, with numbers of a normal distribution (the same, of f32's precision,
/// in all types), and returns it. Throws ValueError unless both parameters are finite and the deviation is
/// not negative; TypeError; GradientError where `target` requires a gradient and recording is on.
ESPALIER_API Tensor normal_(const Tensor& target, double mean = 0, double deviation = 1,
                            const Generator& from = {});
/// Fills `target`, of an integer type, with integers from [low, high), and returns it. Throws ValueError
/// unless low < high and the type holds them; TypeError.
ESPALIER_API Tensor random_integers_(const Tensor& target, int64_t low, int64_t high,
                                     const Generator& from = {});

/// New tensors, on the generator's device (the CPU where none is given); they throw what the functions above
/// do, and ShapeError for a negative size.
ESPALIER_API Tensor uniform(const Shape& shape, double low = 0, double high = 1, Dtype dtype = Dtype::f32,
                            const Generator& from = {});
ESPALIER_API Tensor normal(const Shape& shape, double mean = 0, double deviation = 1,
                           Dtype dtype = Dtype::f32, const Generator& from = {});
ESPALIER_API Tensor random_integers(const Shape& shape, int64_t low, int64_t high, Dtype dtype = Dtype::i64,
                                    const Generator& from = {});
/// The numbers 0 ... n-1 in random order, i64[n]. Throws ValueError for a negative n.
ESPALIER_API Tensor random_permutation(int64_t n, const Generator& from = {});

}  // namespace espalier
