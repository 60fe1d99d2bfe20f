#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace espalier {

/// Base of objects that count their owners; Ref<T> is the owner. Counting is thread-safe.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  /// Gives up one ownership; true for the last one.
  bool release() const noexcept {
    // A sole owner needs no read-modify-write: nobody else can hold the object.
    return owners_.load(std::memory_order_acquire) == 1 ||
           owners_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  uint32_t owners() const noexcept { return owners_.load(std::memory_order_acquire); }

 protected:
  ~RefCounted() = default;

 private:
  mutable std::atomic<uint32_t> owners_{0};
};

/// Owning pointer to a RefCounted object; one word.
template <class T>
class Ref {
 public:
  constexpr Ref() noexcept = default;
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_) object_->retain();
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(const Ref<U>& other) noexcept : Ref(static_cast<T*>(other.get())) {}
  ~Ref() {
    if (object_ && object_->release()) delete object_;
  }
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Ref&, const Ref&) = default;

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace espalier
