// Packages that leave sizes free, and those that do not.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/create.h"
#include "data/digits.h"
#include "io/npy.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "ops/slice.h"
#include "tests/cli/program.h"
#include "tests/cli/trained.h"
#include "tests/runtime/onnx_builder.h"

namespace espalier::cli {
namespace {

using nlohmann::json;
using test::json_of;
using test::output_of;
using test::run_program;
using test::TemporaryFolder;
using test::trained;
using testing::HasSubstr;

/// Five images of ten classes in one file, and what a package answers for them.
json answers_for_five(const std::string& package, const TemporaryFolder& folder,
                      std::vector<std::string> more = {}) {
  const Tensor digits = data::digits().train.inputs;
  io::save_npy(folder / "five.npy", cast(slice(digits, 0, {0, 5}) * 255.0, Dtype::u8));
  more.insert(more.begin(), {"run", package, folder / "five.npy"});
  return json_of(std::move(more));
}

TEST(PackageSizes, AreThoseOfTheExamples) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "free.safetensors",
                    fixed = folder / "fixed.safetensors";
  output_of({"compile", run, package});
  EXPECT_EQ(json_of({"compile", run, fixed, "--batch", "2"}).at("free"), json::array());
  const json at_once = answers_for_five(package, folder);
  ASSERT_EQ(at_once.size(), 5U);
  for (const json& others :
       {answers_for_five(package, folder, {"--batch", "2"}), answers_for_five(fixed, folder)}) {
    ASSERT_EQ(others.size(), 5U);
    for (size_t i = 0; i < 5; ++i)
      EXPECT_NEAR(others[i].at("classes")[0].at("probability"), at_once[i].at("classes")[0].at("probability"),
                  1e-5);
  }
  // The kernels of full batches and of the last one were timed, each at its real size.
  const std::string kernels = folder / "kernels.json";
  answers_for_five(package, folder, {"--batch", "2", "--kernels", kernels});
  std::ifstream file(kernels);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(text, AllOf(HasSubstr("f32[2, 1, 8, 8]"), HasSubstr("f32[1, 1, 8, 8]")));
}

TEST(PackageSizes, OfExplanationsAreFree) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors";
  output_of({"compile", run, package});
  const auto last_result = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"explain", package, "--rounds", "1"});
    return json_of(std::move(more)).at("steps").back().at("results")[0].get<std::string>();
  };
  EXPECT_EQ(last_result({}), "f32[1, 3]");
  EXPECT_EQ(last_result({"--batch", "7"}), "f32[7, 3]");
  EXPECT_EQ(last_result({"--size", "batch=5"}), "f32[5, 3]");
}

TEST(PackageSizes, OfTextsAreFree) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", package = folder / "text.safetensors";
  std::string text;
  for (int i = 0; i < 400; ++i) text += "a frame for trees, ";
  std::ofstream(folder / "text.txt") << text;
  output_of({"train",   "--data",  "text",     "--path",    folder / "text.txt",
             "--model", "gpt",     "--layers", "1",         "--width",
             "8",       "--heads", "2",        "--context", "16",
             "--steps", "2",       "--folder", run,         "--quiet"});
  EXPECT_EQ(json_of({"compile", run, package}).at("free"), json::array({"batch", "time"}));
  const auto sizes = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"explain", package, "--rounds", "1"});
    return json_of(std::move(more)).at("sizes");
  };
  EXPECT_EQ(sizes({}), (json{{"batch", 1}, {"time", 16}}));
  EXPECT_EQ(sizes({"--batch", "3", "--size", "time=5"}), (json{{"batch", 3}, {"time", 5}}));
  EXPECT_EQ(run_program({"explain", package, "--size", "time=17"}).code, 2);
}

TEST(PackageSizes, OfOnnxModelsAreFree) {
  const TemporaryFolder folder;
  const std::string model = folder / "double.onnx", package = folder / "double.safetensors";
  test::OnnxBuilder builder;
  builder.input("rows", {"N", 2}).node("Add", {"rows", "rows"}, {"doubled"}).output("doubled");
  std::ofstream(model, std::ios::binary) << builder.bytes();
  io::save_npy(folder / "rows.npy", from_values<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
  const auto answers = [&] {
    std::vector<double> all;
    for (const json& one : json_of({"run", package, folder / "rows.npy"})) {
      for (const json& value : one.at("values")) all.push_back(value);
    }
    return all;
  };
  EXPECT_EQ(json_of({"compile", model, package}).at("free"), json::array({"batch"}));
  EXPECT_THAT(answers(), testing::ElementsAre(2, 4, 6, 8, 10, 12));
  EXPECT_EQ(json_of({"compile", model, package, "--batch", "2"}).at("free"), json::array());
  EXPECT_THAT(answers(), testing::ElementsAre(2, 4, 6, 8, 10, 12));
}

TEST(PackageSizes, ThatAreFixedHaveAReason) {
  const TemporaryFolder folder;
  const std::string model = folder / "flat.onnx", package = folder / "flat.safetensors";
  test::OnnxBuilder builder;  // all rows become one
  builder.input("rows", {"N", 2}).tensor("one", from_values<int64_t>({1, 2}, {2}));
  builder.node("Reshape", {"rows", "one"}, {"row"}).output("row");
  std::ofstream(model, std::ios::binary) << builder.bytes();
  const json made = json_of({"compile", model, package});
  EXPECT_EQ(made.at("free"), json::array());
  EXPECT_THAT(made.at("reason"), HasSubstr("the Reshape"));
  EXPECT_THAT(output_of({"compile", model, package}), HasSubstr("for rows f32[1, 2] ("));
}

}  // namespace
}  // namespace espalier::cli
