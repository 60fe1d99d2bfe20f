#pragma once

#include <cstdint>
#include <vector>

namespace espalier::runtime {

/// How whole numbers depend on sizes: along each of them on a straight line through what they are at two
/// sizes, so that altogether they are sums of products of different sizes (multilinear interpolation).
class SizeRules {
 public:
  /// The two sizes of each name.
  SizeRules(const std::vector<int64_t>& near, const std::vector<int64_t>& far) : near_(near), far_(far) {}
  /// The size that the next name shall have.
  void add(int64_t size) { sizes_.push_back(size); }

  /// The number at these sizes, from what it is at each corner: bit n of the index says that name n has its
  /// far size. Throws ValueError where it would not be whole, or overflow.
  int64_t whole(std::vector<int64_t> corners) const;

 private:
  const std::vector<int64_t>&near_, &far_;
  std::vector<int64_t> sizes_;
};

}  // namespace espalier::runtime
