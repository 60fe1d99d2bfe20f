#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

namespace espalier {

/// A sequence whose first N elements live inside the object: results of operations are returned without
/// touching the heap.
template <class T, size_t N>
class InlineVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  InlineVector() = default;
  explicit InlineVector(size_t size) { resize(size); }
  InlineVector(std::initializer_list<T> values) {
    for (const T& value : values) push_back(value);
  }

  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() noexcept { return size_ <= N ? inline_.data() : heap_.data(); }
  const T* data() const noexcept { return size_ <= N ? inline_.data() : heap_.data(); }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  T& operator[](size_t i) noexcept { return data()[i]; }
  const T& operator[](size_t i) const noexcept { return data()[i]; }
  T& back() noexcept { return data()[size_ - 1]; }
  operator std::span<const T>() const noexcept { return {data(), size_}; }
  operator std::span<T>() noexcept { return {data(), size_}; }

  void push_back(T value) {
    resize(size_ + 1);
    back() = std::move(value);
  }

  /// New elements are value-initialised on the heap, and as the last user left them inside the object.
  void resize(size_t size) {
    if (size > N) {
      const bool spills = size_ <= N;
      heap_.resize(size);
      if (spills)
        std::move(inline_.begin(), inline_.begin() + static_cast<std::ptrdiff_t>(size_), heap_.begin());
    } else if (size_ > N) {
      std::move(heap_.begin(), heap_.begin() + static_cast<std::ptrdiff_t>(size), inline_.begin());
      heap_.clear();
    }
    size_ = size;
  }

 private:
  std::array<T, N> inline_;
  std::vector<T> heap_;
  size_t size_ = 0;
};

}  // namespace espalier
