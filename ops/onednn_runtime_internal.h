#pragma once

// What the ops/onednn_*.cc files share: engine, streams, threads, running a primitive, and the cache.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <oneapi/dnnl/dnnl.hpp>

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

/// One argument of a primitive.
struct Argument {
  int name;  // DNNL_ARG_...
  const dnnl::memory::desc* desc;
  const void* data;
};

/// Memory from the CPU's caching allocator while it lives; none for 0 bytes.
class Scratch {
 public:
  explicit Scratch(size_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* get() const { return block_; }

 private:
  size_t bytes_;
  void* block_;
};

/// Attributes with the scratchpad in the caller's hands: the library's own would not let two threads run one
/// primitive.
dnnl::primitive_attr user_scratch();

/// Runs it on this thread's stream and waits. Arguments without data are left out; at most 8.
void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments, const char* where);

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
