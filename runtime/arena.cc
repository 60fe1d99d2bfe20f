#include <algorithm>

#include "core/allocator.h"
#include "runtime/arena_internal.h"

namespace espalier::runtime {
namespace {

size_t aligned(size_t bytes) {
  return (bytes + Allocator::kAlignment - 1) / Allocator::kAlignment * Allocator::kAlignment;
}

bool live_together(const Buffer& a, const Buffer& b) {
  return a.first <= b.last && b.first <= a.last;
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

}  // namespace

ArenaSize place_in_arena(std::vector<Buffer>& buffers, size_t steps) {
  std::vector<Buffer*> order;
  std::vector<size_t> live(steps);
  for (Buffer& buffer : buffers) {
    if (buffer.place != Buffer::Place::arena || buffer.first < 0) continue;
    order.push_back(&buffer);
    for (int step = buffer.first; step <= buffer.last; ++step)
      live[static_cast<size_t>(step)] += aligned(buffer.bytes);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });

  ArenaSize size;
  std::vector<Buffer*> placed;  // by offset
  std::vector<const Buffer*> neighbours;
  for (Buffer* buffer : order) {
    neighbours.clear();
    std::copy_if(placed.begin(), placed.end(), std::back_inserter(neighbours),
                 [&](const Buffer* other) { return live_together(*buffer, *other); });
    buffer->offset = tightest_gap(neighbours, aligned(buffer->bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), buffer,
                                   [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
                  buffer);
    size.bytes = std::max(size.bytes, buffer->offset + aligned(buffer->bytes));
  }
  if (!live.empty()) size.least = *std::max_element(live.begin(), live.end());
  return size;
}

}  // namespace espalier::runtime
