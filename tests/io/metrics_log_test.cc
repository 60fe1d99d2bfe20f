#include "io/metrics_log.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/special_values.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::FileSizeLimit;
using test::kInfinity;
using test::TemporaryFolder;
using testing::HasSubstr;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// The message of the error that `f` throws.
template <class E = ValueError, class F>
std::string metrics_refusal(F&& f) {
  try {
    f();
  } catch (const E& error) {
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.message();
  }
  ADD_FAILURE() << "was taken";
  return "";
}

/// Writes rows of a run, every fifth of which has a second metric.
void train(MetricsLog& log, int64_t start, int64_t stop) {
  for (int64_t step = start; step < stop; step += 2) {
    const double loss = 1 / (1.0 + static_cast<double>(step));
    if (step % 10 == 0)
      log.add(step, {{"loss", loss}, {"a, \"b\"", -loss}});
    else
      log.add(step, {{"loss", loss}});
  }
}

class MetricsLogOf : public testing::TestWithParam<const char*> {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / GetParam();
};
INSTANTIATE_TEST_SUITE_P(Formats, MetricsLogOf, testing::Values("run.csv", "run.jsonl"),
                         [](const auto& suite) { return std::string(suite.param).substr(4); });

TEST(MetricsLog, CsvHasTheHeaderOfItsFirstRow) {
  const TemporaryFolder folder;
  {
    MetricsLog log(folder / "run.csv");
    log.add(0, {{"loss", 0.1}, {"train, \"all\"", 3}, {"tiefe\xc3\xa4", -0.0}});
    log.add(5, {{"train, \"all\"", kInfinity}, {"loss", std::nan("")}});
    log.add(6, {{"loss", -std::nan("")}, {"tiefe\xc3\xa4", -kInfinity}});
    log.add(int64_t{1} << 60, {{"loss", 1e-300}, {"tiefe\xc3\xa4", 1.0 / 3}});
  }
  EXPECT_EQ(content_of(folder / "run.csv"),
            "step,loss,\"train, \"\"all\"\"\",tiefe\xc3\xa4\n"
            "0,0.1,3,-0\n"
            "5,nan,inf,\n"
            "6,nan,,-inf\n"
            "1152921504606846976,1e-300,,0.3333333333333333\n");
}

TEST(MetricsLog, JsonLinesAreObjects) {
  const TemporaryFolder folder;
  {
    MetricsLog log(folder / "run.jsonl");
    log.add(0, {{"loss", 0.1}});
    log.add(5, {{"a \"b\\", -kInfinity}, {"loss", std::nan("")}, {"tiefe\xc3\xa4", 1e-7}});
  }
  EXPECT_EQ(content_of(folder / "run.jsonl"),
            "{\"step\":0,\"loss\":0.1}\n"
            "{\"step\":5,\"a \\\"b\\\\\":null,\"loss\":null,\"tiefe\xc3\xa4\":1e-07}\n");
}

TEST(MetricsLog, AnUnknownNameInCsvIsNamed) {
  const TemporaryFolder folder;
  MetricsLog log(folder / "run.csv");
  log.add(1, {{"loss", 1}, {"accuracy", 2}});
  EXPECT_EQ(metrics_refusal([&] { log.add(2, {{"loss", 1}, {"speed", 2}}); }),
            "has no column 'speed'; its first row fixed them: loss, accuracy");
  log.add(2, {{"accuracy", 3}});
  log.flush();
  EXPECT_EQ(content_of(folder / "run.csv"), "step,loss,accuracy\n1,1,2\n2,,3\n");
}

TEST_P(MetricsLogOf, AnInterruptedRunLeavesTheFileOfAnUndisturbedOne) {
  const auto run = [&](int64_t start, int64_t stop) {
    {
      MetricsLog log(path_, start);
      train(log, start + start % 2, stop);
    }
    return content_of(path_);
  };
  const std::string whole = run(0, 24);
  for (const int64_t resumed : {0, 18, 19, 24}) {
    std::filesystem::remove(path_);
    // What was flushed before the checkpoint is there; of the rest, a crash leaves any part. The header and
    // three rows cut at each byte are enough.
    const size_t flushed = run(0, resumed).size();
    for (size_t size = flushed; size <= std::min(whole.size(), flushed + 100); ++size) {
      put(path_, whole.substr(0, size));
      ASSERT_EQ(run(resumed, 24), whole) << "cut to " << size << ", resumed at " << resumed;
    }
  }
}

TEST_P(MetricsLogOf, AnEmptyFileIsABeginning) {
  put(path_, "");
  MetricsLog log(path_, 100);
  EXPECT_THROW(log.add(99, {{"loss", 1}}), ValueError);
  log.add(100, {{"loss", 1}});
}

TEST_P(MetricsLogOf, ARunFromTheStartMayHaveOtherNames) {
  {
    MetricsLog(path_).add(0, {{"loss", 1}});
  }
  MetricsLog log(path_);
  log.add(0, {{"accuracy", 1}});
  log.flush();
  EXPECT_THAT(content_of(path_), testing::Not(HasSubstr("loss")));
}

TEST_P(MetricsLogOf, RowsThatDoNotFitAreRefused) {
  MetricsLog log(path_, 5);
  EXPECT_THAT(metrics_refusal([&] { log.add(4, {{"loss", 1}}); }),
              HasSubstr("step 4 is under the first one, 5"));
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {}); }), HasSubstr("at least one"));
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {{"", 1}}); }), HasSubstr("empty name"));
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {{"step", 1}}); }), HasSubstr("'step'"));
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {{"a\nb", 1}}); }), HasSubstr("control characters"));
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {{"\xff", 1}}); }), HasSubstr("UTF-8"));
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {{"a", 1}, {"b", 1}, {"a", 1}}); }),
              HasSubstr("'a' is twice"));
  log.add(5, {{"a", 1}});
  EXPECT_THAT(metrics_refusal([&] { log.add(5, {{"a", 1}}); }), HasSubstr("step 5 follows step 5"));
  log.flush();
  const std::string content = content_of(path_);
  EXPECT_THAT(content, testing::AnyOf("step,a\n5,1\n", "{\"step\":5,\"a\":1}\n"));
  // What the file has counts, too.
  MetricsLog resumed(path_, 6);
  EXPECT_THROW(resumed.add(5, {{"a", 1}}), ValueError);
}

TEST_P(MetricsLogOf, FilesOfOthersAreLeftAlone) {
  const bool csv = path_.extension() == ".csv";
  const std::vector<std::pair<std::string, std::string>> csv_cases = {
      {"notes on the run", "does not begin with 'step,'"},
      {"epoch,loss\n1,2\n", "does not begin with 'step,'"},
      {"step,\"loss\n1,2\n", "line 1 has a name without a closing quote"},
      {"step,\"loss\"s\n1,2\n", "line 1 has more than a name"},
      {"step,a,a\n1,2,3\n", "line 1 has a name twice"},
      {"step,a\n1,2,3\n", "line 2 has 2 numbers for 1 names"},
      {"step,a\n1,2\nx,2\n", "line 3 has no step"},
      {"step,a\n-1,2\n", "line 2 has no step"},
      {"step,a\n1;2\n", "line 2 has no comma"},
      {"step,a\n99999999999999999999,2\n", "line 2 has no step"},
      {"step,a\n\n", "line 2 has no step"},
      {"step,a\n3,2\n3,2\n", "line 3 has step 3 behind step 3"},
  };
  const std::vector<std::pair<std::string, std::string>> json_cases = {
      {"notes on the run", "does not begin with '{\"step\":'"},
      {"{\"loss\":1}\n", "does not begin with '{\"step\":'"},
      {"{\"step\":1,\"a\":2}\n[]\n", "line 2 is no object"},
      {"{\"step\":1,\"a\":2\n", "line 1 is no object"},
      {"{\"step\":1.5,\"a\":2}\n", "line 1 has no comma"},
      {"{\"step\":null,\"a\":2}\n", "line 1 has no step"},
      {"{\"step\":3,\"a\":2}\n{\"step\":2,\"a\":2}\n", "line 2 has step 2 behind step 3"},
  };
  for (const auto& [content, message] : csv ? csv_cases : json_cases) {
    put(path_, content);
    EXPECT_THAT(metrics_refusal<FormatError>([&] { MetricsLog(path_, 10); }), HasSubstr(message)) << content;
    EXPECT_EQ(content_of(path_), content);
  }
}

TEST_P(MetricsLogOf, AFullDiskIsAnErrorAndLeavesNoPartOfARow) {
  const bool csv = path_.extension() == ".csv";
  MetricsLog log(path_);
  constexpr int64_t kSteps = 20'000;
  int64_t kept = 0;
  std::string expected = csv ? "step,loss\n" : "";
  const auto add = [&](int64_t step) {
    log.add(step, {{"loss", 0}});
    const std::string text = std::to_string(step);
    expected += csv ? text + ",0\n" : "{\"step\":" + text + ",\"loss\":0}\n";
    ++kept;
  };
  {
    const FileSizeLimit limit(100'000);
    for (int64_t step = 0; step < kSteps; ++step) {
      try {
        add(step);
      } catch (const IoError& error) {
        EXPECT_EQ(error.where(), path_.string());
        EXPECT_THAT(error.message(), HasSubstr("cannot write: File too large"));
      }
    }
    EXPECT_THROW(log.flush(), IoError);
  }
  EXPECT_LT(kept, kSteps);
  add(kSteps);
  log.flush();
  // Not EXPECT_EQ, which would print both.
  EXPECT_TRUE(content_of(path_) == expected);
}

TEST(MetricsLog, BadPlacesAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(MetricsLog(folder / "run.txt"), ValueError);
  EXPECT_THROW(MetricsLog(folder / "run.csv", -1), ValueError);
  EXPECT_FALSE(std::filesystem::exists(folder / "run.csv"));
  EXPECT_THROW(MetricsLog(folder / "absent" / "run.csv"), IoError);
  std::filesystem::create_directory(folder / "taken.csv");
  EXPECT_THROW(MetricsLog(folder / "taken.csv"), IoError);
}

}  // namespace
}  // namespace espalier::io
