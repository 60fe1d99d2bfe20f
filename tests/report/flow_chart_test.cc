#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "report/svg.h"
#include "tests/report/well_formed.h"
#include "tests/support/message_of.h"

namespace espalier::report {
namespace {

using testing::HasSubstr;

struct Place {
  double x, y, width, height;
};

/// The boxes of a chart, in their order.
std::vector<Place> places(const Svg& chart) {
  std::vector<Place> found;
  const std::regex box(R"re(class="box" x="([-.\d]+)" y="([-.\d]+)" width="([-.\d]+)" height="([-.\d]+)")re");
  for (std::sregex_iterator at(chart.text.begin(), chart.text.end(), box), end; at != end; ++at)
    found.push_back({std::stod((*at)[1]), std::stod((*at)[2]), std::stod((*at)[3]), std::stod((*at)[4])});
  return found;
}

size_t arrow_count(const Svg& chart) {
  const std::regex arrow("class=\"arrow\"");
  return static_cast<size_t>(std::distance(std::sregex_iterator(chart.text.begin(), chart.text.end(), arrow),
                                           std::sregex_iterator()));
}

std::vector<FlowBox> boxes(size_t count) {
  std::vector<FlowBox> all;
  for (size_t i = 0; i < count; ++i) all.push_back({.name = "box " + std::to_string(i), .text = "f32[8]"});
  return all;
}

TEST(FlowChart, PutsABoxBelowAllThatLeadsToIt) {
  const FlowArrow arrows[] = {{0, 1}, {1, 2}, {0, 2}, {2, 4}, {0, 3}, {3, 4}};
  const Svg chart = flow_chart(boxes(5), arrows, "A diamond & more");
  EXPECT_EQ(test::ill_formed(chart.text), "");
  EXPECT_THAT(chart.text, HasSubstr("A diamond &amp; more"));
  EXPECT_EQ(arrow_count(chart), 6U);
  const std::vector<Place> all = places(chart);
  ASSERT_EQ(all.size(), 5U);
  for (const FlowArrow& arrow : arrows)
    EXPECT_LT(all[arrow.from].y + all[arrow.from].height, all[arrow.to].y);
}

TEST(FlowChart, BoxesDoNotOverlap) {
  std::vector<FlowArrow> arrows;
  for (size_t i = 1; i < 60; ++i) {
    arrows.push_back({i / 2, i});
    arrows.push_back({i * 2 / 3, i});
  }
  const Svg chart = flow_chart(boxes(60), arrows);
  const std::vector<Place> all = places(chart);
  ASSERT_EQ(all.size(), 60U);
  std::set<double> rows;
  for (size_t i = 0; i < all.size(); ++i) {
    rows.insert(all[i].y);
    EXPECT_GE(all[i].x, 0);
    for (size_t j = 0; j < i; ++j) {
      EXPECT_TRUE(all[i].y != all[j].y || all[i].x + all[i].width <= all[j].x ||
                  all[j].x + all[j].width <= all[i].x)
          << i << " and " << j;
    }
  }
  EXPECT_GT(rows.size(), 3U);
}

TEST(FlowChart, AChainStandsInOneColumn) {
  const FlowArrow arrows[] = {{0, 1}, {1, 2}, {2, 3}};
  const std::vector<Place> all = places(flow_chart(boxes(4), arrows));
  for (const Place& place : all) EXPECT_NEAR(place.x, all[0].x, 0.1);
}

TEST(FlowChart, ColoursWhatIsHot) {
  std::vector<FlowBox> two = boxes(2);
  two[1].heat = 1;
  EXPECT_THAT(flow_chart(two, {}).text, HasSubstr("class=\"f1\""));
  EXPECT_THAT(flow_chart(boxes(2), {}).text, testing::Not(HasSubstr("class=\"f1\"")));
}

TEST(FlowChart, TakesNothingAndMuch) {
  EXPECT_EQ(test::ill_formed(flow_chart({}, {}).text), "");
  std::vector<FlowArrow> arrows;
  for (size_t i = 1; i < 2000; ++i) {
    arrows.push_back({i - 1, i});
    if (i % 10 == 0) arrows.push_back({0, i});
  }
  EXPECT_EQ(places(flow_chart(boxes(2000), arrows)).size(), 2000U);
}

TEST(FlowChart, RefusesArrowsThatLeadBackOrNowhere) {
  const auto refusal = [](FlowArrow arrow) {
    return espalier::test::message_of<ValueError>([&] { flow_chart(boxes(2), std::span(&arrow, 1)); });
  };
  EXPECT_THAT(refusal({1, 0}), HasSubstr("an arrow from box 1 to box 0 of 2"));
  EXPECT_THAT(refusal({0, 2}), HasSubstr("to box 2 of 2"));
  EXPECT_THAT(refusal({1, 1}), HasSubstr("expected one to a later box"));
}

}  // namespace
}  // namespace espalier::report
