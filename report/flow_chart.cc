#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "report/canvas_internal.h"
#include "report/markup_internal.h"
#include "report/svg.h"

namespace espalier::report {
namespace {

constexpr double kBoxHeight = 36, kLayerStep = 62, kGap = 14, kBendWidth = 8, kMostWidth = 260;  // pixels
constexpr int kSweeps = 8;         // over the layers, each way; more change little
constexpr size_t kMostBends = 24;  // an arrow over more layers runs straight behind what is in its way

/// A box, or a place where an arrow crosses a layer.
struct Item {
  size_t layer;
  double width, x = 0;  ///< of its middle
  std::vector<size_t> above, below;
};

class Layout {
 public:
  Layout(std::span<const FlowBox> boxes, std::span<const FlowArrow> arrows) {
    std::vector<size_t> layer(boxes.size());
    // Arrows lead to later boxes, so in the order of their ends every layer is known when it is read.
    std::vector<FlowArrow> by_end(arrows.begin(), arrows.end());
    std::stable_sort(by_end.begin(), by_end.end(),
                     [](const FlowArrow& a, const FlowArrow& b) { return a.to < b.to; });
    for (const FlowArrow& arrow : by_end) layer[arrow.to] = std::max(layer[arrow.to], layer[arrow.from] + 1);
    for (size_t i = 0; i < boxes.size(); ++i) add(layer[i], width_of(boxes[i]));
    for (const FlowArrow& arrow : arrows) add_arrow(arrow);
    order();
    place();
  }

  double width() const { return width_; }
  double height() const { return static_cast<double>(layers_.size()) * kLayerStep; }
  const Item& item(size_t i) const { return items_[i]; }
  const std::vector<std::vector<size_t>>& arrows() const { return arrows_; }

 private:
  static double width_of(const FlowBox& box) {
    return std::min(kMostWidth,
                    std::max(kFontSize * text_width(box.name), kTickSize * text_width(box.text)) + 16);
  }

  size_t add(size_t layer, double width) {
    if (layers_.size() <= layer) layers_.resize(layer + 1);
    layers_[layer].push_back(items_.size());
    items_.push_back({layer, width, 0, {}, {}});
    return items_.size() - 1;
  }

  void add_arrow(const FlowArrow& arrow) {
    std::vector<size_t> way = {arrow.from};
    const size_t first = items_[arrow.from].layer, last = items_[arrow.to].layer;
    if (last - first <= kMostBends) {
      for (size_t layer = first + 1; layer < last; ++layer) way.push_back(add(layer, kBendWidth));
    }
    way.push_back(arrow.to);
    for (size_t i = 0; i + 1 < way.size(); ++i) {
      items_[way[i]].below.push_back(way[i + 1]);
      items_[way[i + 1]].above.push_back(way[i]);
    }
    arrows_.push_back(std::move(way));
  }

  /// Where an item would stand for short arrows: in the middle of its neighbours.
  double wish(const Item& item, bool down) const {
    const std::vector<size_t>& near = down ? item.above : item.below;
    if (near.empty()) return item.x;
    double sum = 0;
    for (const size_t i : near) sum += items_[i].x;
    return sum / static_cast<double>(near.size());
  }

  template <class F>
  void sweep(F&& visit) {
    for (int i = 0; i < kSweeps; ++i) {
      for (size_t layer = 1; layer < layers_.size(); ++layer) visit(layers_[layer], true);
      for (size_t layer = layers_.size(); layer-- > 1;) visit(layers_[layer - 1], false);
    }
  }

  void order() {
    for (const std::vector<size_t>& layer : layers_) number(layer);
    sweep([&](std::vector<size_t>& layer, bool down) {
      std::vector<double> wishes(items_.size());
      for (const size_t i : layer) wishes[i] = wish(items_[i], down);
      std::stable_sort(layer.begin(), layer.end(), [&](size_t a, size_t b) { return wishes[a] < wishes[b]; });
      number(layer);
    });
  }

  void number(const std::vector<size_t>& layer) {
    for (size_t i = 0; i < layer.size(); ++i) items_[layer[i]].x = static_cast<double>(i);
  }

  void place() {
    for (const std::vector<size_t>& layer : layers_) settle(layer, std::vector<double>(layer.size()));
    sweep([&](const std::vector<size_t>& layer, bool down) {
      std::vector<double> wishes;
      for (const size_t i : layer) wishes.push_back(wish(items_[i], down));
      settle(layer, wishes);
    });
    double left = 0, right = 0;
    for (const Item& item : items_) {
      left = std::min(left, item.x - item.width / 2);
      right = std::max(right, item.x + item.width / 2);
    }
    for (Item& item : items_) item.x -= left - 1;
    width_ = right - left + 2;
  }

  /// The places nearest to the wishes (least squares) that keep order and distances: neighbours that wish to
  /// be closer than they may stand as one block in the middle of their wishes.
  void settle(const std::vector<size_t>& layer, const std::vector<double>& wishes) {
    struct Block {
      double sum;  ///< of the wishes of its first item, as each of its items sees it
      size_t count;
      double middle() const { return sum / static_cast<double>(count); }
    };
    std::vector<double> offsets(layer.size());  // from the first item's place, all as close as may be
    for (size_t i = 1; i < layer.size(); ++i) {
      offsets[i] = offsets[i - 1] + (items_[layer[i - 1]].width + items_[layer[i]].width) / 2 + kGap;
    }
    std::vector<Block> blocks;
    for (size_t i = 0; i < layer.size(); ++i) {
      blocks.push_back({wishes[i] - offsets[i], 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].middle() > blocks.back().middle()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().count += last.count;
      }
    }
    size_t i = 0;
    for (const Block& block : blocks) {
      for (size_t n = 0; n < block.count; ++n, ++i) items_[layer[i]].x = block.middle() + offsets[i];
    }
  }

  std::vector<Item> items_;  ///< the boxes, then the bends
  std::vector<std::vector<size_t>> layers_, arrows_;
  double width_ = 0;
};

/// A curve that leaves downwards and arrives from above.
std::string curve(double x1, double y1, double x2, double y2) {
  const std::string middle = number((y1 + y2) / 2, 1);
  return "C" + number(x1, 1) + " " + middle + " " + number(x2, 1) + " " + middle + " " + number(x2, 1) + " " +
         number(y2, 1);
}

}  // namespace

Svg flow_chart(std::span<const FlowBox> boxes, std::span<const FlowArrow> arrows, const std::string& title) {
  for (const FlowArrow& arrow : arrows) {
    if (arrow.from >= arrow.to || arrow.to >= boxes.size()) {
      throw ValueError("flow_chart", "an arrow from box " + std::to_string(arrow.from) + " to box " +
                                         std::to_string(arrow.to) + " of " + std::to_string(boxes.size()) +
                                         "; expected one to a later box");
    }
  }
  const Layout layout(boxes, arrows);
  const double top = title.empty() ? 2 : 26;
  const double width = std::max(layout.width(), 200.0);
  Canvas canvas(width, top + layout.height() + 2, title.empty() ? "flow chart" : title);
  canvas.title(title, width);
  const auto middle = [&](const Item& item) {
    return top + static_cast<double>(item.layer) * kLayerStep + kBoxHeight / 2;
  };
  for (const std::vector<size_t>& way : layout.arrows()) {
    std::string path;
    for (size_t i = 0; i + 1 < way.size(); ++i) {
      const Item &from = layout.item(way[i]), &to = layout.item(way[i + 1]);
      const double y1 = middle(from) + (i == 0 ? kBoxHeight / 2 : 0);
      const double y2 = middle(to) - (i + 2 == way.size() ? kBoxHeight / 2 : 0);
      if (path.empty()) path = "M" + number(from.x, 1) + " " + number(y1, 1);
      path += curve(from.x, y1, to.x, y2);
    }
    canvas.path(path, "arrow");
  }
  for (size_t i = 0; i < boxes.size(); ++i) {
    const FlowBox& box = boxes[i];
    const Item& item = layout.item(i);
    const double left = item.x - item.width / 2, above = middle(item) - kBoxHeight / 2;
    canvas.rectangle(left, above, item.width, kBoxHeight, "box");
    const double heat = std::isfinite(box.heat) ? std::clamp(box.heat, 0.0, 1.0) : 0;
    // Half the colour at most, so that text stays readable on it.
    if (heat > 0) canvas.rectangle(left, above, item.width, kBoxHeight, "f1", 0.05 + 0.5 * heat);
    const std::string& detail = box.detail.empty() ? box.name : box.detail;
    canvas.text(item.x, above + 15, shorten(box.name, (item.width - 8) / kFontSize), "middle", detail);
    canvas.text(item.x, above + 29, shorten(box.text, (item.width - 8) / kTickSize), "middle tick", detail);
  }
  return std::move(canvas).finish();
}

}  // namespace espalier::report
