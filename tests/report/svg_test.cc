#include "report/svg.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/report/well_formed.h"
#include "tests/support/special_values.h"

namespace espalier::report {
namespace {

using espalier::test::kInfinity;
using espalier::test::kNan;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// What the first group of a pattern matches, everywhere in the text.
std::vector<std::string> all(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

/// The labels of ticks; those at the left are right-aligned.
std::vector<std::string> y_ticks(const Svg& svg) {
  return all(svg.text, "class=\"tick end\"[^>]*>([^<]*)");
}
std::vector<std::string> x_ticks(const Svg& svg) {
  return all(svg.text, "class=\"tick middle\"[^>]*>([^<]*)");
}
/// The data of all paths of lines. They are long, and std::regex recurses for each character that it matches.
std::vector<std::string> curves(const Svg& svg) {
  constexpr std::string_view kData = " d=\"";
  std::vector<std::string> found;
  for (size_t at = 0; (at = svg.text.find("<path class=\"curve", at)) != std::string::npos;) {
    at = svg.text.find(kData, at) + kData.size();
    found.push_back(svg.text.substr(at, svg.text.find('"', at) - at));
  }
  return found;
}
size_t count(const std::string& text, char c) {
  return static_cast<size_t>(std::ranges::count(text, c));
}

Svg chart(std::vector<double> y, const ChartOptions& options = {}) {
  const Series one{"one", std::move(y)};
  return line_chart(std::span(&one, 1), options);
}

/// The heights that a path of relative steps goes through, and whether it begins anew.
std::vector<double> heights(const std::string& data) {
  std::vector<double> y;
  static const std::regex step("([Ml])(-?[0-9.]+)[ ]?(-?[0-9.]+)");
  for (std::sregex_iterator at(data.begin(), data.end(), step), end; at != end; ++at) {
    const double value = std::stod((*at)[3]);
    y.push_back((*at)[1] == "M" || y.empty() ? value : y.back() + value);
  }
  return y;
}

TEST(LineChart, IsWellFormedAndEscaped) {
  const std::string hostile = "<b a=\"1\" c='2'>&\x01\xff\xc3";
  const std::vector<Series> series = {{hostile, {1, 2}}, {"é 漢", {2, 1}}};
  const Svg svg =
      line_chart(series, {.title = hostile, .x_label = hostile, .y_label = hostile, .width = 900});
  EXPECT_EQ(test::ill_formed(svg.text), "");
  EXPECT_THAT(svg.text,
              HasSubstr("&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
  EXPECT_THAT(svg.text, HasSubstr(">é 漢<"));
}

TEST(LineChart, TicksAreRoundNumbers) {
  const ChartOptions options{.width = 520, .height = 280};
  EXPECT_THAT(y_ticks(chart({0.02, 1}, options)), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(y_ticks(chart({-5, 5.5}, options)), ElementsAre("−4", "−2", "0", "2", "4", "6"));
  EXPECT_THAT(y_ticks(chart({0, 20'000}, options)), ElementsAre("0", "5,000", "10,000", "15,000", "20,000"));
  EXPECT_THAT(y_ticks(chart({0, 3.2e-7}, options)), ElementsAre("0", "1×10⁻⁷", "2×10⁻⁷", "3×10⁻⁷"));
  EXPECT_THAT(x_ticks(chart({1, 2, 3, 4}, options)), ElementsAre("0", "1", "2", "3")) << "no half steps";
}

TEST(LineChart, LogTicksAreDecadesOrTheirParts) {
  const ChartOptions log{.y_scale = Scale::log};
  EXPECT_THAT(y_ticks(chart({0.01, 100}, log)), ElementsAre("0.01", "0.1", "1", "10", "100"));
  EXPECT_THAT(y_ticks(chart({1e-12, 1e3}, log)), ElementsAre("10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰", "10³"));
  EXPECT_THAT(y_ticks(chart({0.09, 2.5}, log)), ElementsAre("0.1", "0.2", "0.5", "1", "2"));
  EXPECT_THAT(y_ticks(chart({0.31, 0.4}, log)), ElementsAre("0.32", "0.34", "0.36", "0.38", "0.40"));
}

TEST(LineChart, WhatCannotBeShownLeavesAGap) {
  const std::vector<double> y = {1, 2, kNan, 3, kInfinity, 4, 5, 6};
  const Svg svg = chart(y);
  ASSERT_EQ(curves(svg).size(), 1u);
  EXPECT_EQ(count(curves(svg)[0], 'M'), 2u);
  EXPECT_EQ(count(curves(svg)[0], 'l'), 3u);
  EXPECT_EQ(all(svg.text, "<path class=\"dots s0\" d=\"([^\"]*)").size(), 1u);
  EXPECT_THAT(svg.text, Not(testing::AnyOf(HasSubstr("nan"), HasSubstr("inf"))));

  const Svg log = chart({1, 10, 0, 10, -1, 1}, {.y_scale = Scale::log});
  EXPECT_EQ(count(curves(log)[0], 'M'), 1u);
}

TEST(LineChart, NothingAndNextToNothingAreDrawn) {
  for (const Svg& svg :
       {line_chart({}), chart({}), chart({kNan, kInfinity}), chart({0, -1}, {.y_scale = Scale::log})}) {
    EXPECT_THAT(svg.text, HasSubstr("no data"));
    EXPECT_EQ(test::ill_formed(svg.text), "");
    EXPECT_TRUE(curves(svg).empty());
  }
  for (const double value : {0.0, 0.1, -3.0, 1e299, 1e-300, 5.0}) {
    const std::vector<double> y = heights(curves(chart(std::vector<double>(3, value)))[0]);
    ASSERT_EQ(y.size(), 3u) << value;
    EXPECT_NEAR(y[0], (8 + 258) / 2.0, 0.1)
        << value << " in the middle of the frame, which is 280 less 22 high";
  }
  EXPECT_THAT(y_ticks(chart({0, 0})), ElementsAre("−1", "0", "1"));
  EXPECT_EQ(test::ill_formed(chart({1e300, -1e300, 1e-320, 1e308}).text), "");
  EXPECT_THAT(chart({7}).text, HasSubstr("class=\"dots s0\""));
}

TEST(LineChart, ThinningKeepsExtremes) {
  std::vector<double> y(100'000);
  for (size_t i = 0; i < y.size(); ++i) y[i] = std::sin(static_cast<double>(i * i % 9973));
  y[33'333] = 5;
  y[70'001] = -4;
  const Svg svg = chart(y);
  EXPECT_LT(svg.text.size(), 30'000u) << "four points a pixel at most";
  const std::vector<double> drawn = heights(curves(svg)[0]);
  const auto [low, high] = std::ranges::minmax(drawn);
  // From -4 to 5 with a twentieth of room at both ends, in a frame from 8 to 258.
  EXPECT_NEAR(low, 258 - 250 * (9.45 / 9.9), 0.06);
  EXPECT_NEAR(high, 258 - 250 * (0.45 / 9.9), 0.06);
  EXPECT_NEAR(drawn.front(), 258 - 250 * ((y.front() + 4.45) / 9.9), 0.06);
  EXPECT_NEAR(drawn.back(), 258 - 250 * ((y.back() + 4.45) / 9.9), 0.06);
}

TEST(LineChart, NamesStandApart) {
  std::vector<Series> series;
  series.reserve(30);
  for (int i = 0; i < 30; ++i) series.push_back({"run", {1, 1 + 1e-3 * i}});
  const Svg svg = line_chart(series, {.height = 120});
  std::vector<double> y;
  for (const std::string& place : all(svg.text, "<text x=\"[^\"]*\" y=\"([^\"]*)\">run<"))
    y.push_back(std::stod(place));
  ASSERT_EQ(y.size(), series.size());
  std::ranges::sort(y);
  for (size_t i = 1; i < y.size(); ++i) EXPECT_GE(y[i] - y[i - 1], 15.9);
  const double height = std::stod(all(svg.text, "height=\"([0-9]+)\"")[0]);
  EXPECT_GT(y.front(), 8);
  EXPECT_LT(y.back(), height - 16);
}

TEST(LineChart, LongNamesAreCutAndShownWhole) {
  const std::string name = "a name of a series that goes on and on and on";
  const std::vector<Series> series = {{name, {1, 2}}, {"b", {1, 2}}};
  EXPECT_THAT(line_chart(series).text, testing::AllOf(HasSubstr("…<title>" + name + "</title>"),
                                                      Not(HasSubstr(">" + name + "</text>"))));
}

TEST(LineChart, RefusesWhatItCannotDraw) {
  const Series uneven{"uneven", {1, 2}, {1}};
  EXPECT_THROW(line_chart(std::span(&uneven, 1)), ShapeError);
  EXPECT_THROW(chart({1}, {.width = 199}), ValueError);
  EXPECT_THROW(chart({1}, {.height = 4001}), ValueError);
}

TEST(ConfusionMatrix, HasCountsAndShares) {
  const Svg svg = confusion_matrix(from_values<int64_t>({8, 2, 0, 12'345}, {2, 2}),
                                   std::vector<std::string>{"<no>", "yes"});
  EXPECT_EQ(test::ill_formed(svg.text), "");
  EXPECT_THAT(all(svg.text, "class=\"count[^>]*>([^<]*)"), ElementsAre("8", "2", "12,345"));
  EXPECT_THAT(svg.text, HasSubstr("&lt;no&gt;"));
  EXPECT_THAT(y_ticks(svg), ElementsAre("recall %", "precision %", "80.0", "100.0"));
  EXPECT_THAT(x_ticks(svg), ElementsAre("100.0", "100.0"));
  // A tenth and eight more by the root of the row's share: 8, 2 and all of it.
  EXPECT_THAT(all(svg.text, "<rect class=\"f0\"[^>]*fill-opacity=\"([^\"]*)"), ElementsAre("0.82", "0.9"));
  EXPECT_THAT(all(svg.text, "<rect class=\"f1\"[^>]*fill-opacity=\"([^\"]*)"), ElementsAre("0.46"));
}

TEST(ConfusionMatrix, EveryNumberOfClassesIsDrawn) {
  for (const int64_t k : {1, 3, 30, 200}) {
    const std::vector<std::string> names(static_cast<size_t>(k), "some class");
    const Svg svg = confusion_matrix(ones({k, k}, Dtype::i64), names, "title");
    EXPECT_EQ(test::ill_formed(svg.text), "");
    EXPECT_EQ(all(svg.text, "<rect class=\"(f.)").size(), static_cast<size_t>(k * k));
  }
  const Svg none = confusion_matrix(zeros({2, 2}, Dtype::i64), std::vector<std::string>{"a", "b"});
  EXPECT_THAT(x_ticks(none), ElementsAre("–", "–"));
}

TEST(ConfusionMatrix, RefusesWhatIsNone) {
  const std::vector<std::string> two = {"a", "b"};
  EXPECT_THROW(confusion_matrix(zeros({2, 2}), two), TypeError);
  EXPECT_THROW(confusion_matrix(zeros({2, 3}, Dtype::i64), two), ShapeError);
  EXPECT_THROW(confusion_matrix(zeros({3, 3}, Dtype::i64), two), ShapeError);
  EXPECT_THROW(confusion_matrix(zeros({0, 0}, Dtype::i64), {}), ShapeError);
  EXPECT_THROW(confusion_matrix(from_values<int64_t>({1, -1, 0, 0}, {2, 2}), two), ValueError);
  EXPECT_THROW(confusion_matrix(zeros({201, 201}, Dtype::i64), std::vector<std::string>(201)), ShapeError);
}

/// The heights of a histogram's bars.
std::vector<double> bars(const Svg& svg) {
  std::vector<double> found;
  for (const std::string& height : all(svg.text, "<rect class=\"f0\"[^>]* height=\"([^\"]*)"))
    found.push_back(std::stod(height));
  return found;
}

TEST(Histogram, CountsEveryValue) {
  const std::vector<double> values = {1, 2, 2, 3, 3, 3, 9};
  const Svg svg = histogram(values, {.x_label = "x"});
  EXPECT_EQ(test::ill_formed(svg.text), "");
  const std::vector<double> found = bars(svg);
  ASSERT_EQ(found.size(), 4u) << "a bar for each whole number that is there";
  EXPECT_NEAR(found[1] / found[0], 2, 0.01);
  EXPECT_NEAR(found[2] / found[0], 3, 0.01);
  EXPECT_THAT(x_ticks(svg), ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9"));

  std::vector<double> many;
  many.reserve(10'000);
  for (int i = 0; i < 10'000; ++i) many.push_back(std::sin(i) * 1e-3);
  const std::vector<double> wide = bars(histogram(many));
  EXPECT_GE(wide.size(), 10u);
  EXPECT_LE(wide.size(), 60u);
}

TEST(Histogram, OddInputIsDrawn) {
  for (const double value : {0.0, 7.0, 0.3, -2e5, 1e300, 1e-310})
    EXPECT_EQ(bars(histogram(std::vector(9, value))).size(), 1u) << value;
  const std::vector<double> mixed = {kNan, 1, kInfinity, 1, 2.5};
  EXPECT_THAT(histogram(mixed).text, HasSubstr("count of 5, 2 of them not finite"));
  EXPECT_THAT(histogram({}).text, HasSubstr("no data"));
  const std::vector<double> far = {-1e300, 1e300, 0};
  EXPECT_EQ(test::ill_formed(histogram(far).text), "");
  const std::vector<double> outlier = {1.5, 1.6, 1.7, 1.55, 1e12};
  EXPECT_EQ(bars(histogram(outlier)).size(), 2u);
}

TEST(BarChart, LengthsFollowValues) {
  const std::vector<Bar> given = {{"a", 2, "2 s"}, {"<b>", 1}, {"c", 0}, {"d", -1}, {"e", kNan}, {"f", 1e-5}};
  const Svg svg = bar_chart(given, {.x_label = "seconds"});
  EXPECT_EQ(test::ill_formed(svg.text), "");
  const std::vector<std::string> widths = all(svg.text, "<rect class=\"f0\"[^>]* width=\"([^\"]*)");
  ASSERT_EQ(widths.size(), 3u) << "nothing for zero, negative and NaN; half a pixel for the last";
  EXPECT_NEAR(std::stod(widths[0]) / std::stod(widths[1]), 2, 0.01);
  EXPECT_EQ(widths[2], "0.5");
  EXPECT_THAT(all(svg.text, "class=\"tick\"[^>]*>([^<]*)"),
              ElementsAre("2 s", "1", "0", "-1", "nan", "1e-05"));
  EXPECT_THAT(bar_chart({}).text, HasSubstr("no data"));
  EXPECT_THROW(bar_chart(given, {.width = 100}), ValueError);
}

}  // namespace
}  // namespace espalier::report
