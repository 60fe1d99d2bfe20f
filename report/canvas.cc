#include <string>

#include "core/error.h"
#include "report/canvas_internal.h"
#include "report/markup_internal.h"

namespace espalier::report {
namespace {

// Colours after M. Okabe and K. Ito, "Color universal design" (2008), which stay apart for the colour-blind;
// lighter ones on dark ground. Further series repeat them in dashes.
constexpr std::string_view kStyle = R"(
.chart{font-family:"Helvetica Neue",Helvetica,Arial,"Liberation Sans","DejaVu Sans",sans-serif;font-size:12px}
.chart text{fill:#333}
.chart .title{font-size:13px;font-weight:600;fill:#111}
.chart .tick{font-size:11px;fill:#666;font-variant-numeric:tabular-nums}
.chart .count{font-size:11px;font-variant-numeric:tabular-nums}
.chart .soft{fill:#666}
.chart .end{text-anchor:end}
.chart .middle{text-anchor:middle}
.chart .grid{stroke:#e8e8e8}
.chart .axis{stroke:#999}
.chart .curve,.chart .dots{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.chart .dense{stroke-width:1}
.chart .dots{stroke-width:4.5}
.chart .d1{stroke-dasharray:7 4}
.chart .d2{stroke-dasharray:1.5 4}
.chart .s0{stroke:#0072b2}.chart .f0{fill:#0072b2}
.chart .s1{stroke:#d55e00}.chart .f1{fill:#d55e00}
.chart .s2{stroke:#009e73}
.chart .s3{stroke:#cc79a7}
.chart .s4{stroke:#e69f00}
.chart .s5{stroke:#56b4e9}
.chart .strong{fill:#fff}
.chart .box{fill:#fff;stroke:#999}
.chart .arrow{fill:none;stroke:#aaa}
@media (prefers-color-scheme:dark){
.chart text{fill:#d4d4d4}
.chart .title{fill:#f2f2f2}
.chart .tick,.chart .soft{fill:#a0a0a0}
.chart .grid{stroke:#333}
.chart .axis{stroke:#777}
.chart .s0{stroke:#4aa3df}.chart .f0{fill:#4aa3df}
.chart .s1{stroke:#f08a4b}.chart .f1{fill:#f08a4b}
.chart .s2{stroke:#2fc79a}
.chart .s3{stroke:#e29fc5}
.chart .s4{stroke:#f2b63c}
.chart .s5{stroke:#9ad4f5}
.chart .strong{fill:#111}
.chart .box{fill:#1c1c1c;stroke:#777}
.chart .arrow{stroke:#666}
}
)";

std::string attribute(std::string_view name, double value) {
  return " " + std::string(name) + "=\"" + number(value, 1) + "\"";
}

std::string class_attribute(std::string_view classes) {
  return " class=\"" + std::string(classes) + "\"";
}

}  // namespace

Canvas::Canvas(double width, double height, std::string_view label) {
  const std::string w = number(width, 0), h = number(height, 0);
  text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" width=\"" + w + "\" height=\"" + h +
          "\" viewBox=\"0 0 " + w + " " + h + "\" role=\"img\" aria-label=\"" + escape(label) +
          "\">\n<style>";
  text_ += kStyle;
  text_ += "</style>\n";
}

void Canvas::line(double x1, double y1, double x2, double y2, std::string_view classes) {
  text_ += "<line" + class_attribute(classes) + attribute("x1", x1) + attribute("y1", y1) +
           attribute("x2", x2) + attribute("y2", y2) + "/>\n";
}

void Canvas::rectangle(double x, double y, double width, double height, std::string_view classes,
                       double opacity) {
  text_ += "<rect" + class_attribute(classes) + attribute("x", x) + attribute("y", y) +
           attribute("width", width) + attribute("height", height);
  if (opacity < 1) text_ += " fill-opacity=\"" + number(opacity, 2) + "\"";
  text_ += "/>\n";
}

void Canvas::path(std::string_view data, std::string_view classes) {
  if (data.empty()) return;
  text_ += "<path" + class_attribute(classes) + " d=\"";
  text_ += data;
  text_ += "\"/>\n";
}

void Canvas::text(double x, double y, std::string_view text, std::string_view classes, std::string_view whole,
                  double degrees) {
  text_ += "<text";
  if (!classes.empty()) text_ += class_attribute(classes);
  text_ += attribute("x", x) + attribute("y", y);
  if (degrees != 0)
    text_ += " transform=\"rotate(" + number(degrees, 1) + " " + number(x, 1) + " " + number(y, 1) + ")\"";
  text_ += ">" + escape(text);
  if (!whole.empty() && whole != text) text_ += "<title>" + escape(whole) + "</title>";
  text_ += "</text>\n";
}

double Canvas::title(std::string_view title, double width) {
  if (title.empty()) return 0;
  text(0, 14, shorten(title, width / 14), "title",
       title);  // bold type of 13 pixels is about as wide as one of 14
  return 24;
}

Svg Canvas::finish() && {
  text_ += "</svg>";
  return {std::move(text_)};
}

void check_size(int width, int height, const char* where) {
  if (width < 200 || width > 4000 || height < 120 || height > 4000)
    throw ValueError(where, std::to_string(width) + " x " + std::to_string(height) +
                                " pixels; expected from 200 x 120 to 4000 x 4000");
}

}  // namespace espalier::report
