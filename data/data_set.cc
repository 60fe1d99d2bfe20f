#include "data/data_set.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"
#include "data/shuffle_internal.h"
#include "ops/concat.h"
#include "ops/copy.h"

namespace espalier::data {
namespace {

class InMemory final : public ExampleSource {
 public:
  explicit InMemory(Examples examples) : examples_(std::move(examples)) {}
  int64_t size() const noexcept override { return examples_.size(); }
  Examples read(std::span<const int64_t> numbers) const override {
    return {take_rows(examples_.inputs, numbers), take_rows(examples_.labels, numbers)};
  }

 private:
  Examples examples_;
};

class Subset final : public ExampleSource {
 public:
  Subset(DataSet set, std::vector<int64_t> numbers) : set_(std::move(set)), numbers_(std::move(numbers)) {}
  int64_t size() const noexcept override { return static_cast<int64_t>(numbers_.size()); }
  Examples read(std::span<const int64_t> numbers) const override {
    std::vector<int64_t> inner(numbers.size());
    std::transform(numbers.begin(), numbers.end(), inner.begin(),
                   [this](int64_t number) { return numbers_[static_cast<size_t>(number)]; });
    return set_.read(inner);
  }

 private:
  DataSet set_;
  std::vector<int64_t> numbers_;
};

class Concatenation final : public ExampleSource {
 public:
  explicit Concatenation(std::vector<DataSet> sets) : sets_(std::move(sets)) {
    ends_.reserve(sets_.size());
    for (const DataSet& set : sets_) ends_.push_back((ends_.empty() ? 0 : ends_.back()) + set.size());
  }
  int64_t size() const noexcept override { return ends_.back(); }

  /// Each set is asked once, and its answers are put where they belong.
  Examples read(std::span<const int64_t> numbers) const override {
    std::vector<int64_t> gathered(numbers.size());
    std::vector<Tensor> inputs, labels;
    int64_t taken = 0;
    for (size_t part = 0; part < sets_.size(); ++part) {
      const int64_t begin = part == 0 ? 0 : ends_[part - 1];
      std::vector<int64_t> inner;
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] < begin || numbers[i] >= ends_[part]) continue;
        gathered[i] = taken++;
        inner.push_back(numbers[i] - begin);
      }
      if (inner.empty()) continue;
      const Examples read = sets_[part].read(inner);
      inputs.push_back(read.inputs);
      labels.push_back(read.labels);
    }
    if (inputs.empty()) return sets_[0].read({});
    return {take_rows(concat(inputs, 0), gathered), take_rows(concat(labels, 0), gathered)};
  }

 private:
  std::vector<DataSet> sets_;
  std::vector<int64_t> ends_;
};

void check_numbers(std::span<const int64_t> numbers, int64_t size, const char* where) {
  for (const int64_t number : numbers) {
    if (number < 0 || number >= size) {
      throw ValueError(
          where, "example " + std::to_string(number) + " of " + std::to_string(size) + " does not exist");
    }
  }
}

}  // namespace

ExampleSource::~ExampleSource() = default;

DataSet::DataSet(const Examples& examples) {
  const auto& [inputs, labels] = examples;
  if (!inputs.defined() || !labels.defined())
    throw ValueError("DataSet",
                     std::string(inputs.defined() ? "the labels" : "the inputs") + " are undefined");
  if (inputs.rank() == 0 || labels.rank() == 0 || inputs.size(0) != labels.size(0)) {
    throw ShapeError("DataSet",
                     "inputs " + describe(inputs) + " and labels " + describe(labels) + " differ in number");
  }
  source_ = std::make_shared<InMemory>(Examples{contiguous(inputs.detach()), contiguous(labels.detach())});
}

DataSet::DataSet(std::shared_ptr<const ExampleSource> source) : source_(std::move(source)) {
  if (!source_) throw ValueError("DataSet", "the source is null");
}

Examples DataSet::read(std::span<const int64_t> numbers) const {
  check_numbers(numbers, size(), "DataSet");
  return source_->read(numbers);
}

Examples DataSet::read_all() const {
  std::vector<int64_t> numbers(static_cast<size_t>(size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  return read(numbers);
}

DataSet subset(const DataSet& set, std::vector<int64_t> numbers) {
  check_numbers(numbers, set.size(), "subset");
  return DataSet(std::make_shared<Subset>(set, std::move(numbers)));
}

DataSet concatenate(std::vector<DataSet> sets) {
  if (sets.empty()) throw ValueError("concatenate", "no data sets");
  return DataSet(std::make_shared<Concatenation>(std::move(sets)));
}

std::vector<DataSet> random_split(const DataSet& set, std::span<const double> shares, uint64_t seed) {
  double total = 0;
  for (const double share : shares) {
    if (!(share > 0))
      throw ValueError("random_split", "a share of " + std::to_string(share) + "; expected > 0");
    total += share;
  }
  // Shares such as 0.7, 0.2 and 0.1 do not add up to 1 in binary.
  if (!(std::abs(total - 1) < 1e-9))
    throw ValueError("random_split", "the shares add up to " + std::to_string(total) + "; expected 1");

  std::vector<int64_t> order(static_cast<size_t>(set.size()));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, seed, 0);
  std::vector<DataSet> parts;
  parts.reserve(shares.size());
  auto begin = order.begin();
  for (size_t i = 0; i < shares.size(); ++i) {
    const auto length = static_cast<int64_t>(shares[i] * static_cast<double>(order.size()));
    const auto end = i + 1 == shares.size() ? order.end() : begin + length;
    parts.push_back(subset(set, {begin, end}));
    begin = end;
  }
  return parts;
}

std::vector<int64_t> balanced(const Tensor& labels, uint64_t seed) {
  if (labels.rank() != 1) throw ShapeError("balanced", "labels " + describe(labels) + "; expected i64[N]");
  const Tensor rows = contiguous(labels.detach());
  const std::span classes(rows.data<int64_t>(), static_cast<size_t>(rows.numel()));
  std::map<int64_t, std::vector<int64_t>> members;
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0)
      throw ValueError("balanced", "label " + std::to_string(classes[i]) + "; expected class numbers from 0");
    members[classes[i]].push_back(static_cast<int64_t>(i));
  }
  size_t most = 0;
  for (const auto& [label, numbers] : members) most = std::max(most, numbers.size());

  std::vector<int64_t> result;
  result.reserve(most * members.size());
  for (auto& [label, numbers] : members) {
    for (size_t left = most; left > 0;) {
      const size_t taken = std::min(left, numbers.size());
      if (taken < numbers.size()) shuffle(numbers, seed, static_cast<uint64_t>(label));
      result.insert(result.end(), numbers.begin(), numbers.begin() + static_cast<int64_t>(taken));
      left -= taken;
    }
  }
  return result;
}

}  // namespace espalier::data
