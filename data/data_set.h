#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "data/examples.h"

namespace espalier::data {

/// Where a data set's examples come from: memory, a folder of images, windows of a text. What a person
/// derives from it, a DataSet holds.
class ESPALIER_API ExampleSource {
 public:
  virtual ~ExampleSource();
  virtual int64_t size() const noexcept = 0;
  /// The examples with these numbers, each in [0, size()), in this order, in tensors of their own. Several
  /// threads may call at once.
  virtual Examples read(std::span<const int64_t> numbers) const = 0;
};

/// Numbered examples. A cheap handle, immutable; any thread may read.
class ESPALIER_API DataSet {
 public:
  /// Examples in memory, which must not change meanwhile. Throws ShapeError where inputs and labels differ in
  /// number, ValueError where one is undefined.
  DataSet(const Examples& examples);  // NOLINT(google-explicit-constructor): examples are a data set
  explicit DataSet(std::shared_ptr<const ExampleSource> source);

  int64_t size() const noexcept { return source_->size(); }
  /// Copies of the examples with these numbers, in this order. Throws ValueError for one outside [0, size()),
  /// and what the source throws.
  Examples read(std::span<const int64_t> numbers) const;
  /// All of them.
  Examples read_all() const;

 private:
  std::shared_ptr<const ExampleSource> source_;
};

/// Those with these numbers, in this order; a number may come several times. Throws ValueError for one that
/// is not there.
ESPALIER_API DataSet subset(const DataSet& set, std::vector<int64_t> numbers);

/// One data set behind the other. Their examples must agree in type and in every axis but the first, which
/// reading across a border checks. Throws ValueError for an empty list.
ESPALIER_API DataSet concatenate(std::vector<DataSet> sets);

/// Cuts a data set by chance, as `seed` decides, into parts with these shares of it. Sizes are rounded down,
/// and the last part gets what is left. Throws ValueError unless the shares are positive and add up to 1.
ESPALIER_API std::vector<DataSet> random_split(const DataSet& set, std::span<const double> shares,
                                               uint64_t seed);

/// The numbers of examples in which each class comes as often as the most frequent one: the examples of a
/// rarer class are repeated, those of a last, incomplete repetition chosen by chance as `seed` decides. For
/// subset(). `labels`: i64[N], not negative. Throws TypeError, ShapeError, ValueError.
ESPALIER_API std::vector<int64_t> balanced(const Tensor& labels, uint64_t seed);

}  // namespace espalier::data
