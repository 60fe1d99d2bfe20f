#include <algorithm>

#include "core/allocator.h"
#include "runtime/arena_internal.h"
#include "runtime/lifetimes_internal.h"

namespace espalier::runtime {
namespace {

size_t aligned(size_t bytes) {
  return (bytes + Allocator::kAlignment - 1) / Allocator::kAlignment * Allocator::kAlignment;
}

struct Placed {
  Buffer* buffer;
  const Life* life;
};

bool live_together(const Placed& a, const Placed& b) {
  return !a.life->ends_before(*b.life) && !b.life->ends_before(*a.life);
}

/// The offset of the tightest gap between `neighbours`, which are sorted by offset, or behind them all.
size_t tightest_gap(const std::vector<const Buffer*>& neighbours, size_t bytes) {
  size_t end = 0, best = 0, best_size = 0;
  bool found = false;
  for (const Buffer* neighbour : neighbours) {
    if (neighbour->offset > end) {
      const size_t gap = neighbour->offset - end;
      if (gap >= bytes && (!found || gap < best_size)) {
        best = end;
        best_size = gap;
        found = true;
      }
    }
    end = std::max(end, neighbour->offset + aligned(neighbour->bytes));
  }
  return found ? best : end;
}

/// The most that lives in a lane at once of what belongs to it alone.
size_t most_in_lane(const std::vector<Placed>& alive, int stage, int lane, const std::vector<int>& steps) {
  size_t most = 0;
  for (const int step : steps) {
    size_t bytes = 0;
    for (const auto& [buffer, life] : alive) {
      const bool begun = life->first_stage < stage || life->first <= step;
      const bool ended = life->last_stage == stage && life->last < step;
      if (life->lane_in(stage) == lane && begun && !ended) bytes += aligned(buffer->bytes);
    }
    most = std::max(most, bytes);
  }
  return most;
}

/// Over the stages: what lives all the time, and the most of each lane, which lanes may reach together.
size_t most_at_once(const std::vector<Placed>& all, const std::vector<Stage>& stages) {
  size_t most = 0;
  std::vector<Placed> alive;
  for (int stage = 0; stage < static_cast<int>(stages.size()); ++stage) {
    alive.clear();
    size_t bytes = 0;
    for (const Placed& one : all) {
      if (one.life->first_stage > stage || one.life->last_stage < stage) continue;
      if (one.life->lane_in(stage) == Life::kSeveralLanes)
        bytes += aligned(one.buffer->bytes);
      else
        alive.push_back(one);
    }
    const std::vector<std::vector<int>>& lanes = stages[static_cast<size_t>(stage)].lanes;
    for (size_t lane = 0; lane < lanes.size(); ++lane)
      bytes += most_in_lane(alive, stage, static_cast<int>(lane), lanes[lane]);
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace

ArenaSize place_in_arena(std::vector<Buffer>& buffers, const std::vector<Step>& steps,
                         const std::vector<Stage>& stages) {
  const std::vector<Life> lives = lives_of(steps, buffers.size());
  std::vector<Placed> order;
  for (size_t i = 0; i < buffers.size(); ++i) {
    buffers[i].first = lives[i].first;
    buffers[i].last = lives[i].last;
    if (buffers[i].place == Buffer::Place::arena && lives[i].used())
      order.push_back({&buffers[i], &lives[i]});
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Placed& a, const Placed& b) { return a.buffer->bytes > b.buffer->bytes; });

  ArenaSize size{.least = most_at_once(order, stages)};
  std::vector<Placed> placed;  // by offset
  std::vector<const Buffer*> neighbours;
  for (const Placed& next : order) {
    neighbours.clear();
    for (const Placed& other : placed) {
      if (live_together(next, other)) neighbours.push_back(other.buffer);
    }
    Buffer& buffer = *next.buffer;
    buffer.offset = tightest_gap(neighbours, aligned(buffer.bytes));
    placed.insert(std::upper_bound(
                      placed.begin(), placed.end(), next,
                      [](const Placed& a, const Placed& b) { return a.buffer->offset < b.buffer->offset; }),
                  next);
    size.bytes = std::max(size.bytes, buffer.offset + aligned(buffer.bytes));
  }
  return size;
}

}  // namespace espalier::runtime
