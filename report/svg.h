#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/export.h"
#include "core/tensor.h"

namespace espalier::report {

/// A figure: one `svg` element that carries its styles, for light and dark surroundings, and its size in
/// pixels. It may stand in HTML (report/page.h), or be a file of its own.
struct Svg {
  std::string text;
};

/// Points of one name. Where `x` is empty, they stand at 0, 1, 2, ...
struct Series {
  std::string name;
  std::vector<double> y;
  std::vector<double> x = {};
};

enum class Scale { linear, log };

struct ChartOptions {
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
  Scale x_scale = Scale::linear;
  Scale y_scale = Scale::linear;
  int width = 520;   ///< pixels, from 200 to 4000
  int height = 280;  ///< pixels, from 120 to 4000; more where many names need it
};

/// Lines in one frame. Two series and more are named at the right, in the order in which they end there.
///
/// Values that are not finite or beyond 1e300, and on a log scale those that are not positive, leave gaps; a
/// point between two gaps is a dot, and so are all points of short series. A long series is thinned: of
/// points in a row that share a column of pixels, the first, the last, the lowest and the highest stay, so
/// that no extreme is lost and the size does not grow with the number of points, given that x rises.
///
/// Throws ShapeError where a series has another number of x than of y, ValueError for a size out of range.
ESPALIER_API Svg line_chart(std::span<const Series> series, const ChartOptions& options = {});

/// How often each class (rows) was taken for each (columns): counts, zeros left out, over a shade that grows
/// with the root of the share of its row, so that few mistakes show; hits and mistakes have a colour each. At
/// the right the share of each row that was hit (recall), below that of each column (precision), in per cent.
///
/// `counts` is i64 [K, K], K from 1 to 200. Where cells become too small, numbers or names are left out.
/// Throws ShapeError for another shape or number of names, TypeError for another type, ValueError for a
/// negative count.
ESPALIER_API Svg confusion_matrix(const Tensor& counts, std::span<const std::string> classes,
                                  const std::string& title = {});

/// How many values lie where. Bins are as wide as a round number near the rule of Freedman and Diaconis
/// ("On the histogram as a density estimator: L2 theory", 1981), at most 60; whole numbers that are close
/// together get one each. Values that are not finite, or beyond 1e300, are counted in a note. Scales and
/// y_label of `options` have no effect. Throws ValueError for a size out of range.
ESPALIER_API Svg histogram(std::span<const double> values, const ChartOptions& options = {});

/// A bar of its own length for each name, its value written behind it: the parts of a whole, or rivals.
struct Bar {
  std::string name;
  double value = 0;
  std::string text = {};  ///< the value in words (`1.25 s`); empty: the number
};

/// Bars from zero to the right, a line each, in the order given; negative and not finite values have no bar.
/// The title, width and x_label of `options` count; the height follows from the number of bars. Throws
/// ValueError for a width out of range.
ESPALIER_API Svg bar_chart(std::span<const Bar> bars, const ChartOptions& options = {});

/// A box of a flow chart.
struct FlowBox {
  std::string name;
  std::string text = {};    ///< under the name, smaller
  std::string detail = {};  ///< shown when a pointer rests on the box
  double heat = 0;          ///< from 0 to 1: how strongly it is coloured
};

/// "What box `from` makes goes into box `to`."
struct FlowArrow {
  size_t from, to;
};

/// Boxes in layers from top to bottom, each below all that leads to it, and within a layer where the arrows
/// are short and cross little (K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of
/// hierarchical system structures", 1981). The figure grows with the number of boxes. Throws ValueError for
/// an arrow whose ends are no boxes, or that does not lead from a box to a later one.
ESPALIER_API Svg flow_chart(std::span<const FlowBox> boxes, std::span<const FlowArrow> arrows,
                            const std::string& title = {});

}  // namespace espalier::report
