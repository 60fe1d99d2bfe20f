#pragma once

// What the ops/onednn_*.cc files share: engine, streams, threads, running a primitive, and the cache.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <oneapi/dnnl/dnnl.hpp>

#include "core/workspace.h"

namespace espalier::onednn {

/// The CPU engine of the process.
const dnnl::engine& engine();

/// This thread's stream (a stream must not be used by two threads at once).
const dnnl::stream& stream();

/// Sets, on this thread and while it lives, the number of threads that oneDNN takes from OpenMP:
/// espalier::num_threads(), or one inside a parallel region. A primitive divides its work when it is made, so
/// it must run with the number it was made for.
class TeamScope {
 public:
  TeamScope();
  explicit TeamScope(int threads);
  ~TeamScope();
  TeamScope(const TeamScope&) = delete;
  TeamScope& operator=(const TeamScope&) = delete;
  int threads() const { return threads_; }

 private:
  int threads_;
  int previous_;
};

/// Throws DeviceError(where, ...) unless `status` is success.
void check(dnnl_status_t status, const char* where);

/// Attributes with the scratchpad in the caller's hands: the library's own would not let two threads run one
/// primitive.
dnnl::primitive_attr user_scratch();

/// A primitive with the arguments that it takes: made once, run often, by any number of threads at once. The
/// library wants an object for each argument's memory; sets of them are kept from run to run.
class Primitive {
 public:
  struct Argument {
    int name;  // DNNL_ARG_...
    dnnl::memory::desc desc;
  };

  /// At most 8 arguments. `where` stands in errors.
  static std::unique_ptr<const Primitive> make(dnnl::primitive primitive,
                                               std::initializer_list<Argument> arguments, const char* where) {
    return std::unique_ptr<const Primitive>(new Primitive(std::move(primitive), arguments, where));
  }
  ~Primitive();
  Primitive(const Primitive&) = delete;
  Primitive& operator=(const Primitive&) = delete;

  /// Runs it on this thread's stream and waits. `data` is in the order of the arguments; those that are null,
  /// or of no elements, are left out. Throws DeviceError where the library declines.
  void run(std::initializer_list<const void*> data) const;

 private:
  static constexpr size_t kMaxArguments = 8;
  /// Sets of memory objects that are kept: with more threads at once in one primitive, the others make
  /// theirs anew. A set is some kilobytes.
  static constexpr size_t kKept = 8;

  Primitive(dnnl::primitive primitive, std::initializer_list<Argument> arguments, const char* where);

  using Memories = std::array<dnnl::memory, kMaxArguments>;
  std::unique_ptr<Memories> borrow() const;
  void give_back(std::unique_ptr<Memories> memories) const;

  dnnl::primitive primitive_;
  std::array<Argument, kMaxArguments> arguments_;
  size_t count_ = 0;
  const char* where_;
  mutable std::array<std::atomic<Memories*>, kKept> kept_{};
};

/// Mixes numbers into a hash; a multiply and a rotation each.
class Hash {
 public:
  Hash& operator()(int64_t value) {
    state_ = (state_ ^ static_cast<uint64_t>(value)) * 0x9e3779b97f4a7c15u;
    state_ ^= state_ >> 29;
    return *this;
  }
  size_t value() const { return static_cast<size_t>(state_); }

 private:
  uint64_t state_ = 0x243f6a8885a308d3u;
};

/// The last kCapacity values used, by key. Thread-safe. Values are made outside the lock, so two threads may
/// both make one; the first stays. A value in use outlives its removal.
template <typename Key, typename Value>
class Cache {
 public:
  template <typename Make>
  std::shared_ptr<const Value> get(const Key& key, Make&& make) {
    if (auto found = find(key)) return found;
    std::shared_ptr<const Value> made = make();
    const std::lock_guard lock(mutex_);
    if (const auto it = index_.find(key); it != index_.end()) return it->second->second;
    entries_.emplace_front(key, made);
    index_.emplace(key, entries_.begin());
    if (entries_.size() > kCapacity) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return made;
  }

 private:
  // A primitive with its code is some 10 to 100 KiB; a training step of the largest nets here has under 200
  // problems.
  static constexpr size_t kCapacity = 1024;

  struct KeyHash {
    size_t operator()(const Key& key) const { return hash_value(key); }
  };
  using Entries = std::list<std::pair<Key, std::shared_ptr<const Value>>>;

  std::shared_ptr<const Value> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, it->second);
    return it->second->second;
  }

  std::mutex mutex_;
  Entries entries_;  // most recently used first
  std::unordered_map<Key, typename Entries::iterator, KeyHash> index_;
};

}  // namespace espalier::onednn
