#include <algorithm>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "report/progress.h"
#include "report/table.h"
#include "report/terminal_plot.h"

namespace espalier::report {
namespace {

using testing::HasSubstr;

TEST(Table, AlignsColumnsByCharactersNotBytes) {
  Table table({"name", "loss"});
  table.add_row({"é", "0.5"});
  table.add_row({"long name", "12.25"});
  table.add_row({"none", ""});
  std::ostringstream out;
  out << table;
  EXPECT_EQ(out.str(),
            "name        loss\n"
            "─────────  ─────\n"
            "é            0.5\n"
            "long name  12.25\n"
            "none\n");
  EXPECT_THROW(table.add_row({"one"}), ShapeError);
}

TEST(Progress, RedrawsOnATerminalAndEndsItsLine) {
  std::ostringstream out;
  {
    Progress progress("training", 10, out, true);
    progress.update(5, "loss 0.25");
    progress.update(10);
  }
  EXPECT_THAT(out.str(),
              testing::AllOf(HasSubstr("\rtraining"), HasSubstr(" 50 %"), HasSubstr("loss 0.25"),
                             HasSubstr(" left"), HasSubstr("100 %"), testing::EndsWith("\033[K\n")))
      << "the rest of a longer line is cleared";
}

TEST(Progress, WritesPlainLinesToAFile) {
  std::ostringstream out;
  {
    Progress progress("training", 1000, out, false);
    for (int i = 0; i <= 1000; ++i) progress.update(i);
  }
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("\r")));
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("\033")));
  const std::string text = out.str();
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Progress, SaysInAFileOnceThatAllIsDone) {
  std::ostringstream out;
  {
    Progress progress("training", 2, out, false);
    progress.update(2, "loss 0.5");  // the first update shows at once
  }
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

TEST(Progress, WhatWasDoneBeforeDoesNotCountForTheRate) {
  std::ostringstream out;
  {
    Progress progress("training", 1000, out, false);
    EXPECT_TRUE(progress.due());
    progress.resume(999);
    progress.update(999);
    EXPECT_FALSE(progress.due()) << "the next line is five seconds away";
  }
  EXPECT_THAT(out.str(), HasSubstr("100 %  0/s\n")) << "99.9 % are done, none of it now";
}

TEST(Progress, NothingToDoIsDone) {
  std::ostringstream out;
  {
    Progress progress("empty", 0, out, false);
  }
  EXPECT_THAT(out.str(), HasSubstr("100 %"));
  EXPECT_THROW(Progress("x", -1), ValueError);
}

TEST(Duration, ReadsWell) {
  EXPECT_EQ(format_duration(3.21), "3.2 s");
  EXPECT_EQ(format_duration(245), "4 min 05 s");
  EXPECT_EQ(format_duration(7800), "2 h 10 min");
}

TEST(Plot, AFallingLineRunsFromTopLeftToBottomRight) {
  const Curve curve{"loss", {2, 1, 0}};
  std::ostringstream out;
  plot_curves(out, std::span(&curve, 1), 8, 2);
  EXPECT_EQ(out.str(),
            "2.000 ┤⠉⠒⠤⡀⠀⠀⠀⠀\n"
            "0.000 ┤⠀⠀⠀⠈⠉⠒⠢⢄ loss\n");
}

TEST(Plot, ValuesThatAreNotFiniteAreLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::ostringstream out;
  const Curve gaps{"a", {nan, 1, nan, 3}}, none{"b", {nan}};
  plot_curves(out, std::vector<Curve>{gaps, none}, 8, 2);
  EXPECT_THAT(out.str(), testing::AllOf(HasSubstr("3.000"), HasSubstr("1.000"), HasSubstr(" a")));
  // The two values are joined over the gap, and nothing is drawn before the first.
  EXPECT_EQ(out.str(),
            "3.000 ┤⠀⠀⠀⠀⠀⢀⡠⠊ a\n"
            "1.000 ┤⠀⠀⢀⡠⠒⠁⠀⠀\n");
  std::ostringstream nothing;
  plot_curves(nothing, std::span(&none, 1), 8, 2);
  EXPECT_THAT(nothing.str(), HasSubstr("nothing to plot"));
}

TEST(Images, ShadesFollowTheInk) {
  const Tensor image = from_values<float>({0, 0.5F, 1, 0}, {1, 1, 2, 2});
  const std::string caption = "four";
  std::ostringstream out;
  print_images(out, image, std::span(&caption, 1), false);
  EXPECT_THAT(out.str(), testing::StartsWith("  ▒▒"));
  EXPECT_THAT(out.str(), HasSubstr("\n██  "));
  EXPECT_THAT(out.str(), HasSubstr("four"));
  std::ostringstream coloured;
  print_images(coloured, image, {}, true);
  EXPECT_THAT(coloured.str(), HasSubstr("38;2;0;0;0;48;2;255;255;255m▀"));
  EXPECT_THROW(print_images(out, zeros({2, 2}), {}, false), ShapeError);
}

}  // namespace
}  // namespace espalier::report
