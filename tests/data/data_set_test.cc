#include "data/data_set.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/data/numbered.h"

namespace espalier::data {
namespace {

using testing::ElementsAre;
using Numbers = std::vector<int64_t>;

Numbers labels_of(const Examples& examples) {
  return examples.labels.to_vector<int64_t>();
}

TEST(DataSet, ReadsCopiesOfExamplesInAnyOrder) {
  const DataSet set = numbered(4);
  EXPECT_EQ(set.size(), 4);
  EXPECT_THAT(labels_of(set.read(Numbers{3, 0, 3})), ElementsAre(3, 0, 3));
  EXPECT_THAT(labels_of(set.read_all()), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(set.read(Numbers{}).inputs.shape(), Shape({0, 2}));
}

TEST(DataSet, RefusesWhatIsNone) {
  EXPECT_THROW(DataSet(Examples{zeros({3}), zeros({4}, Dtype::i64)}), ShapeError);
  EXPECT_THROW(DataSet(Examples{zeros({}), zeros({}, Dtype::i64)}), ShapeError);
  EXPECT_THROW(DataSet(Examples{zeros({3}), {}}), ValueError);
  EXPECT_THROW(DataSet(Examples{{}, zeros({3})}), ValueError);
  EXPECT_THROW(DataSet(std::shared_ptr<const ExampleSource>{}), ValueError);
  const DataSet set = numbered(4);
  EXPECT_THROW(set.read(Numbers{4}), ValueError);
  EXPECT_THROW(set.read(Numbers{-1}), ValueError);
}

TEST(Subset, IsADataSetOfThoseNumbers) {
  const DataSet set = subset(numbered(6), {5, 1, 1, 3});
  EXPECT_EQ(set.size(), 4);
  EXPECT_THAT(labels_of(set.read(Numbers{0, 3, 2})), ElementsAre(5, 3, 1));
  EXPECT_THAT(labels_of(subset(set, {3}).read_all()), ElementsAre(3));
  EXPECT_THROW(subset(set, {4}), ValueError);
}

TEST(Concatenate, ReadsAcrossBordersInTheOrderAskedFor) {
  const DataSet set = concatenate({numbered(3), numbered(0), numbered(2, 10)});
  EXPECT_EQ(set.size(), 5);
  EXPECT_THAT(labels_of(set.read(Numbers{4, 0, 3, 2, 4})), ElementsAre(11, 0, 10, 2, 11));
  EXPECT_EQ(set.read(Numbers{}).size(), 0);
  EXPECT_THROW(concatenate({}), ValueError);
  const DataSet mixed = concatenate({numbered(1), Examples{zeros({1, 3}), zeros({1}, Dtype::i64)}});
  EXPECT_THROW(mixed.read(Numbers{0, 1}), ShapeError);
}

TEST(RandomSplit, PartsHaveTheirSharesAndShareNothing) {
  const std::vector<double> shares{0.7, 0.2, 0.1};
  const std::vector<DataSet> parts = random_split(numbered(99), shares, 1);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].size(), 69);
  EXPECT_EQ(parts[1].size(), 19);
  EXPECT_EQ(parts[2].size(), 11);
  Numbers all;
  for (const DataSet& part : parts) {
    const Numbers labels = labels_of(part.read_all());
    all.insert(all.end(), labels.begin(), labels.end());
  }
  EXPECT_FALSE(std::is_sorted(all.begin(), all.end()));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, labels_of(numbered(99)));
  EXPECT_EQ(labels_of(random_split(numbered(99), shares, 1)[2].read_all()), labels_of(parts[2].read_all()));
  EXPECT_NE(labels_of(random_split(numbered(99), shares, 2)[2].read_all()), labels_of(parts[2].read_all()));
  EXPECT_THROW(random_split(numbered(9), std::vector<double>{0.5, 0.4}, 1), ValueError);
  EXPECT_THROW(random_split(numbered(9), std::vector<double>{1.5, -0.5}, 1), ValueError);
  EXPECT_THROW(random_split(numbered(9), std::vector<double>{}, 1), ValueError);
}

TEST(Balanced, RarerClassesAreRepeated) {
  const Tensor labels = from_values<int64_t>({0, 1, 0, 0, 2, 0, 1, 0}, {8});
  const Numbers numbers = balanced(labels, 3);
  std::map<int64_t, int> classes, examples;
  for (const int64_t number : numbers) {
    ++classes[labels.to_vector<int64_t>()[static_cast<size_t>(number)]];
    ++examples[number];
  }
  EXPECT_EQ(classes, (std::map<int64_t, int>{{0, 5}, {1, 5}, {2, 5}}));
  EXPECT_THAT((Numbers{examples[1], examples[6]}), testing::UnorderedElementsAre(2, 3));
  EXPECT_EQ(examples[4], 5);
  EXPECT_EQ(balanced(labels, 3), numbers);
  std::set<int64_t> chosen;  // of the two of class 1, which has to be repeated once more
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Numbers drawn = balanced(labels, seed);
    chosen.insert(std::count(drawn.begin(), drawn.end(), 1) == 3 ? 1 : 6);
  }
  EXPECT_THAT(chosen, ElementsAre(1, 6));
  EXPECT_THAT(balanced(zeros({0}, Dtype::i64), 0), testing::IsEmpty());
  EXPECT_THROW(balanced(from_values<int64_t>({-1}, {1}), 0), ValueError);
  EXPECT_THROW(balanced(zeros({2}), 0), TypeError);
  EXPECT_THROW(balanced(zeros({2, 2}, Dtype::i64), 0), ShapeError);
}

}  // namespace
}  // namespace espalier::data
