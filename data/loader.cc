#include "data/loader.h"

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"

namespace espalier::data {

/// Batches in order, numbered through all epochs, and the threads that make them ahead: `prefetch` places, in
/// which batch n has place n mod prefetch.
class Loader::Pipeline {
 public:
  Pipeline(DataSet set, BatchOptions options, const WorkerOptions& workers)
      : set_(std::move(set)),
        options_(std::move(options)),
        size_(epoch(0)->size()),
        places_(static_cast<size_t>(workers.prefetch)) {
    threads_.reserve(static_cast<size_t>(workers.workers));
    for (int i = 0; i < workers.workers; ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }

  int64_t size() const noexcept { return size_; }

  /// The next batch. What went wrong with it is thrown, and the batch is made again for the next call.
  Examples take() {
    if (threads_.empty()) {
      Examples batch = make(taken_);
      ++taken_;
      return batch;
    }
    std::unique_lock lock(mutex_);
    if (std::exchange(pausing_, false)) has_room_.notify_all();
    Place& place = place_of(taken_);
    is_ready_.wait(lock, [&] { return place.ready; });
    if (const std::exception_ptr error = place.error) {
      restart(taken_);
      pausing_ = true;
      std::rethrow_exception(error);
    }
    Examples batch = std::move(place.batch);
    place = {};
    ++taken_;
    has_room_.notify_one();
    return batch;
  }

  /// Goes on from another batch.
  void go_to(int64_t batch) {
    const std::lock_guard lock(mutex_);
    restart(batch);
  }

 private:
  struct Place {
    bool ready = false;
    Examples batch;
    std::exception_ptr error;
  };

  Place& place_of(int64_t batch) { return places_[static_cast<size_t>(batch) % places_.size()]; }

  /// Forgets what was made and what is being made. Under the lock.
  void restart(int64_t batch) {
    ++generation_;
    begun_ = taken_ = batch;
    for (Place& place : places_) place = {};
    has_room_.notify_all();
  }

  void work(const std::stop_token& stop) {
    const ThreadCountGuard one_thread(1);  // the others are for whoever uses the batches
    std::unique_lock lock(mutex_);
    const auto has_room = [this] {
      return !pausing_ && begun_ < taken_ + static_cast<int64_t>(places_.size());
    };
    while (has_room_.wait(lock, stop, has_room)) {
      const int64_t batch = begun_++;
      const uint64_t generation = generation_;
      lock.unlock();
      Place made{.ready = true, .batch = {}, .error = {}};
      try {
        made.batch = make(batch);
      } catch (...) {
        made.error = std::current_exception();
      }
      lock.lock();
      if (generation != generation_) continue;
      place_of(batch) = std::move(made);
      is_ready_.notify_one();
    }
  }

  Examples make(int64_t batch) { return (*epoch(batch / size_))[batch % size_]; }

  /// An epoch, kept for the other batches of it: batches in the making may belong to two.
  std::shared_ptr<const Epoch> epoch(int64_t number) {
    const std::lock_guard lock(epoch_mutex_);
    Kept& kept = kept_[static_cast<size_t>(number % 2)];
    if (!kept.epoch || kept.number != number)
      kept = {number, std::make_shared<const Epoch>(set_, options_, static_cast<uint64_t>(number))};
    return kept.epoch;
  }

  struct Kept {
    int64_t number = 0;
    std::shared_ptr<const Epoch> epoch;
  };

  const DataSet set_;
  const BatchOptions options_;
  std::mutex epoch_mutex_;
  std::array<Kept, 2> kept_;
  const int64_t size_;

  std::mutex mutex_;
  std::condition_variable_any has_room_;
  std::condition_variable is_ready_;
  std::vector<Place> places_;
  int64_t begun_ = 0;  ///< the first batch that no worker has taken up
  int64_t taken_ = 0;  ///< the next batch to hand out
  uint64_t generation_ = 0;
  bool pausing_ =
      false;  ///< after an error, until the next call: it is for the caller to say when to try again
  std::vector<std::jthread> threads_;  ///< last: they end before what they use
};

namespace {

/// What is saved of a loader.
struct Saved {
  Tensor epoch, batch, seed, batch_size, examples;

  void visit(nn::Visitor& visitor) {
    visitor.buffer("epoch", epoch);
    visitor.buffer("batch", batch);
    visitor.buffer("seed", seed);
    visitor.buffer("batch_size", batch_size);
    visitor.buffer("examples", examples);
  }
};

Tensor number(int64_t value) {
  return full({}, value, Dtype::i64);
}

int64_t value_of(const Tensor& number) {
  return *number.data<int64_t>();
}

void check_same(const char* what, const Tensor& saved, const Tensor& here) {
  if (value_of(saved) == value_of(here)) return;
  throw ValueError("Loader", "the saved position belongs to " + std::string(what) + " " +
                                 std::to_string(value_of(saved)) + ", not to this loader's " +
                                 std::to_string(value_of(here)));
}

}  // namespace

Loader::Loader(DataSet set, BatchOptions options, const WorkerOptions& workers)
    : examples_(set.size()), seed_(options.seed), batch_size_(options.batch_size) {
  constexpr int kMaxWorkers = kMaxThreads;
  if (workers.workers < 0 || workers.workers > kMaxWorkers) {
    throw ValueError(
        "Loader", std::to_string(workers.workers) + " workers; expected 0 to " + std::to_string(kMaxWorkers));
  }
  if (workers.prefetch < 1)
    throw ValueError("Loader", "prefetch " + std::to_string(workers.prefetch) + "; expected at least 1");
  pipeline_ = std::make_unique<Pipeline>(std::move(set), std::move(options), workers);
  if (size() == 0) {
    throw ValueError("Loader",
                     std::to_string(examples_) + " examples make no batch of " + std::to_string(batch_size_));
  }
}

Loader::~Loader() = default;

int64_t Loader::size() const noexcept {
  return pipeline_->size();
}

std::optional<Examples> Loader::next() {
  if (batch_ == size()) {
    ++epoch_;
    batch_ = 0;
    return {};
  }
  std::optional<Examples> batch = pipeline_->take();
  ++batch_;
  return batch;
}

nn::StateMap Loader::state() const {
  return {{"epoch", number(epoch_)},
          {"batch", number(batch_)},
          {"seed", number(static_cast<int64_t>(seed_))},
          {"batch_size", number(batch_size_)},
          {"examples", number(examples_)}};
}

void Loader::load_state(const nn::StateMap& state) {
  const nn::StateMap own = this->state();
  Saved saved{number(0), number(0), number(0), number(0), number(0)};
  nn::load_state(saved, state);
  check_same("seed", saved.seed, own.at("seed"));
  check_same("batch size", saved.batch_size, own.at("batch_size"));
  check_same("a data set of size", saved.examples, own.at("examples"));
  const int64_t epoch = value_of(saved.epoch), batch = value_of(saved.batch);
  // An epoch beyond 2^31 would take part in no run, but its batches could not be numbered.
  constexpr int64_t kMaxEpoch = int64_t{1} << 31;
  if (epoch < 0 || epoch > kMaxEpoch || batch < 0 || batch > size()) {
    throw ValueError("Loader", "epoch " + std::to_string(epoch) + ", batch " + std::to_string(batch) +
                                   " is no position among epochs of " + std::to_string(size()) + " batches");
  }
  epoch_ = epoch;
  batch_ = batch;
  pipeline_->go_to(epoch * size() + batch);
}

}  // namespace espalier::data
