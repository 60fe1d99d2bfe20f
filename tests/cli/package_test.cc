// The commands on packages: compile, run, explain.

#include "runtime/package.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/create.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "ops/add.h"
#include "runtime/capture.h"
#include "runtime/onnx.h"
#include "tests/cli/program.h"
#include "tests/cli/trained.h"
#include "tests/support/temporary_folder.h"

namespace espalier::cli {
namespace {

using nlohmann::json;
using test::json_of;
using test::Outcome;
using test::output_of;
using test::run_program;
using test::TemporaryFolder;
using test::trained;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(Packages, MayBeOnnxModels) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), model = folder / "digits.onnx";
  const json made = json_of({"compile", run, model});
  EXPECT_EQ(made.at("bytes"), std::filesystem::file_size(model));
  // Its producer's name stands behind two fields of two bytes; what it computes, counterparts.onnx tests.
  std::ifstream file(model, std::ios::binary);
  std::string begin(12, '\0');
  file.read(begin.data(), 12);
  EXPECT_EQ(begin.substr(4), "espalier");
}

TEST(Packages, AnswerAsTheirModels) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors",
                    images = folder / "images/1";
  const json made = json_of({"compile", run, package});
  EXPECT_GT(made.at("nodes"), 2);
  EXPECT_EQ(made.at("bytes"), std::filesystem::file_size(package));
  EXPECT_EQ(made.at("free"), json::array({"batch"}));

  const json answers = json_of({"run", package, images});
  ASSERT_GT(answers.size(), 5U);
  for (const json& one : answers) {
    const json asked = json_of({"predict", run, one.at("input")});
    EXPECT_EQ(one.at("classes")[0].at("class"), asked[0].at("classes")[0].at("class"));
    EXPECT_NEAR(one.at("classes")[0].at("probability"), asked[0].at("classes")[0].at("probability"), 1e-5);
  }
  EXPECT_THAT(output_of({"run", package, images, "--top", "1"}), HasSubstr("probability"));
}

TEST(Packages, AreMadeOfOnnxModels) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), model = folder / "digits.onnx",
                    package = folder / "digits.safetensors", images = folder / "images/1";
  output_of({"compile", run, model, "--batch", "4"});
  output_of({"compile", model, package, "--classes", "zero,one,two"});
  const json answers = json_of({"run", package, images});
  const json first = json_of({"predict", run, answers[0].at("input")})[0].at("classes")[0];
  const std::vector<std::string> names = {"zero", "one", "two"};
  EXPECT_EQ(answers[0].at("classes")[0].at("class"),
            names.at(std::stoul(first.at("class").get<std::string>())));
  EXPECT_NEAR(answers[0].at("classes")[0].at("probability"), first.at("probability"), 1e-5);
  EXPECT_FALSE(json_of({"explain", package, "--rounds", "1"}).at("steps").empty());

  output_of({"compile", model, package});  // without names: the numbers
  EXPECT_EQ(json_of({"run", package, images})[0].at("values").size(), 3U);
  const json inspected = json_of({"inspect", model})[0];
  EXPECT_EQ(inspected.at("kind"), "onnx");
  EXPECT_GE(inspected.at("tensors").size(), 6U);
}

TEST(Packages, OfOtherOnnxModelsAreExplainedButNotAsked) {
  const TemporaryFolder folder;
  const std::string model = folder / "sum.onnx", package = folder / "sum.safetensors";
  runtime::save_onnx(
      runtime::capture([](const Tensor& a, const Tensor& b) { return a + b; }, {ones({2, 3}), ones({3})}),
      model);
  output_of({"compile", model, package});
  EXPECT_EQ(json_of({"explain", package, "--rounds", "1"}).at("steps").size(), 1U);
  const Outcome outcome = run_program({"run", package, "x.npy"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("does not say what its model is"));
}

TEST(Packages, AnswerInEightBitsAsInF32) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "f32.safetensors",
                    bytes = folder / "int8.safetensors";
  output_of({"compile", run, package});
  output_of({"compile", run, bytes, "--int8"});
  const auto operations = [](const json& explained) {
    std::string names;
    for (const json& step : explained.at("steps")) names += std::string(step.at("operation")) + " ";
    return names;
  };
  EXPECT_THAT(operations(json_of({"explain", bytes, "--rounds", "1"})),
              AllOf(HasSubstr("int8_conv2d"), HasSubstr("int8_linear")));
  int same = 0, all = 0;
  for (const char* label : {"0", "1", "2"}) {
    const json expected = json_of({"run", package, folder / "images" / label});
    const json got = json_of({"run", bytes, folder / "images" / label});
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i, ++all)
      same += got[i].at("classes")[0].at("class") == expected[i].at("classes")[0].at("class") ? 1 : 0;
  }
  // Only images between two classes can change sides: 2 % of some 90.
  EXPECT_GE(same, all - all * 2 / 100);
}

TEST(Packages, TakeEightBitsWhereAFileSaysThatTheyAreFaster) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "int8.safetensors",
                    kernels = folder / "kernels.json";
  // Whatever is faster here: the file gets times for all layers, and others are put in their place.
  run_program({"compile", run, package, "--int8", "--batch", "4", "--kernels", kernels});
  const auto layers_where = [&](const std::string& slow) {
    std::ifstream file(kernels);
    json choices = json::parse(file);
    for (json& machine : choices.at("machines")) {
      for (auto& [problem, timings] : machine.items()) {
        for (json& timing : timings) timing.at("us") = problem.starts_with(slow) ? 1e6 : 1e-3;
      }
    }
    std::ofstream(kernels) << choices;
    return output_of({"compile", run, package, "--int8", "--batch", "4", "--kernels", kernels});
  };
  EXPECT_THAT(layers_where("int8_"), HasSubstr("; 0 layers in 8 bits"));
  EXPECT_THAT(layers_where("fused_conv2d"), Not(HasSubstr("; 0 layers in 8 bits")));
  std::string operations;
  const json explained = json_of({"explain", package, "--rounds", "1"});
  for (const json& step : explained.at("steps")) operations += std::string(step.at("operation")) + " ";
  EXPECT_THAT(operations, HasSubstr("int8_conv2d"));
}

TEST(Packages, AreExplained) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors",
                    page = folder / "plan.html";
  output_of({"compile", run, package});
  const json explained = json_of({"explain", package, "--rounds", "3", "--page", page});
  EXPECT_GE(explained.at("arena_bytes"), explained.at("least_arena_bytes"));
  ASSERT_FALSE(explained.at("steps").empty());
  EXPECT_GT(explained.at("steps")[0].at("seconds"), 0);
  std::ifstream file(page);
  const std::string html((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(html, HasSubstr("fused_conv2d"));
  EXPECT_THAT(output_of({"explain", package, "--rounds", "1"}), HasSubstr("memory for a run"));
}

TEST(Packages, KeepTheBitsOfTheirNetworksWhereAsked) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors",
                    images = folder / "images/1";
  output_of({"compile", run, package, "--strict"});
  const auto operations = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments = {"explain", package, "--rounds", "1"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    std::vector<std::string> names;
    const json explained = json_of(arguments);
    for (const json& step : explained.at("steps")) names.push_back(step.at("operation"));
    return names;
  };
  // Unless it is run so, too, the passes that round anew are taken then.
  EXPECT_THAT(operations({}), Contains("fused_conv2d"));
  EXPECT_THAT(operations({"--strict"}), AllOf(Contains("conv2d"), Not(Contains("fused_conv2d"))));
  const json strict = json_of({"run", package, images, "--strict"}), fast = json_of({"run", package, images});
  ASSERT_EQ(strict.size(), fast.size());
  for (size_t i = 0; i < strict.size(); ++i) {
    EXPECT_NEAR(strict[i].at("classes")[0].at("probability"), fast[i].at("classes")[0].at("probability"),
                1e-5);
  }
}

TEST(Packages, SayInHowManyPartsABatchRuns) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors";
  output_of({"compile", run, package});
  setenv("ESPALIER_THREADS", "2", 1);
  const std::vector<std::string> asked = {"explain", package, "--rounds", "1", "--batch", "4096"};
  const json parts = json_of(asked).at("parts");
  const std::string text = output_of(asked);
  const json alone = json_of({"explain", package, "--rounds", "1"}).at("parts");
  unsetenv("ESPALIER_THREADS");
  EXPECT_GE(parts.at("count"), 2);
  EXPECT_EQ(parts.at("threads"), 2);
  EXPECT_LE(parts.at("examples"), 2048);
  EXPECT_THAT(text, HasSubstr("The batch runs in " + parts.at("count").dump() + " parts of up to"));
  EXPECT_EQ(alone.at("count"), 1);
}

TEST(Packages, RunOnTheKernelsThatAFileChooses) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors",
                    kernels = folder / "kernels.json";
  // On more threads their number is timed, too, for steps of one kernel among others.
  setenv("ESPALIER_THREADS", "1", 1);
  output_of({"compile", run, package, "--batch", "64"});
  const auto kernel_used = [&] {
    const json explained = json_of({"explain", package, "--rounds", "1", "--kernels", kernels});
    for (const json& step : explained.at("steps")) {
      if (step.at("operation") != "fused_conv2d") continue;
      EXPECT_EQ(step.at("candidates").size(), 3U);
      EXPECT_EQ(step.at("candidates")[0].at("kernel"), step.at("kernel"));
      EXPECT_GT(step.at("candidates")[0].at("seconds"), 0);
      return step.at("kernel").get<std::string>();
    }
    return std::string("none");
  };
  kernel_used();
  std::ifstream file(kernels);
  json choices = json::parse(file);
  ASSERT_FALSE(choices.at("machines").empty());
  // Whatever is fastest here: the last of each list, put first, is what runs.
  for (json& machine : choices.at("machines")) {
    for (json& timings : machine) std::reverse(timings.begin(), timings.end());
  }
  std::ofstream(kernels) << choices;
  EXPECT_EQ(kernel_used(), choices.at("machines").begin()->begin()->at(0).at("kernel").get<std::string>());
  std::ofstream(kernels) << "{}";
  const Outcome outcome = run_program({"explain", package, "--kernels", kernels});
  unsetenv("ESPALIER_THREADS");
  EXPECT_EQ(outcome.code, 3) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("kernel choices"));
}

TEST(Packages, RefuseInOneLineWithADocumentedCode) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors",
                    fixed = folder / "fixed.safetensors", plain = folder / "plain.safetensors";
  output_of({"compile", run, package});
  output_of({"compile", run, fixed, "--batch", "3"});
  output_of({"compile", run, folder / "digits.onnx"});
  std::ofstream(folder / "broken.onnx") << "no model";
  io::save_safetensors(plain, {{"w", ones({2})}});
  io::save_npy(folder / "wide.npy", ones({1, 9, 9}));
  std::filesystem::create_directory(folder / "empty");
  const struct {
    std::vector<std::string> arguments;
    int code;
    std::string says;
  } all[] = {
      {{"compile"}, 2, "expected a model and the package to write"},
      {{"compile", run, package, "--batch", "0"}, 2, "--batch"},
      {{"compile", folder / "none", package}, 3, "none"},
      {{"compile", run, package, "--strict", "--int8"}, 2, "--int8 rounds to 8 bits"},
      {{"compile", run, folder / "digits.onnx", "--strict"}, 2, "is up to who runs it"},
      {{"compile", run, package, "--kernels", "k.json"}, 2, "says which layers --int8 makes faster"},
      {{"run", package, "--strict", "--kernels", "k.json"}, 2, "those of plain code"},
      {{"compile", run, "/proc/package"}, 3, "/proc/package"},
      {{"compile", run, package, "--size", "time=3"}, 2, "with an ONNX model only"},
      {{"compile", folder / "none.onnx", package}, 3, "none.onnx"},
      {{"compile", folder / "digits.onnx", package, "--size", "time"},
       2,
       "expected the name of an axis and its size"},
      {{"compile", folder / "digits.onnx", package, "--size", "time=3"}, 2, "no free axis 'time'"},
      {{"compile", folder / "digits.onnx", package, "--classes", "a,b"}, 2, "names 2 classes"},
      {{"compile", folder / "broken.onnx", package}, 3, "broken.onnx"},
      {{"compile", run, folder / "model.onnx", "--int8"}, 2, "--int8"},
      {{"compile", run, package, "--int8", "--path", folder / "nowhere"}, 3, "nowhere"},
      {{"run"}, 2, "expected a package"},
      {{"run", folder / "none"}, 3, "none"},
      {{"run", plain, "x.npy"}, 3, "has no metadata 'format: espalier graph'"},
      {{"run", package}, 2, "expected files to read"},
      {{"run", package, folder / "none.png"}, 3, "none.png"},
      {{"run", package, folder / "empty"}, 3, "holds no files"},
      {{"run", package, folder / "wide.npy"}, 2, "the model takes [1, 8, 8]"},
      {{"run", package, folder / "wide.npy", "--batch", "0"}, 2, "--batch"},
      {{"run", fixed, folder / "wide.npy", "--batch", "2"}, 2, "takes batches of 3 only"},
      {{"explain", package, "--rounds", "0"}, 2, "--rounds"},
      {{"explain", package, "--batch", "-1"}, 2, "--batch"},
      {{"explain", fixed, "--batch", "3"}, 2, "whose batch is not free"},
      {{"explain", package, "--size", "time=3"}, 2, "no free axis 'time'; free: batch"},
      {{"explain", package, "--size", "batch=0"}, 2, "size 0 of batch"},
      {{"explain", run + "/model.safetensors"}, 3, "has no metadata 'format: espalier graph'"},
      {{"explain", package, "--page", "/proc/page.html"}, 3, "/proc/page.html"},
  };
  for (const auto& refusal : all) {
    const Outcome outcome = run_program(refusal.arguments);
    EXPECT_EQ(outcome.code, refusal.code) << refusal.says << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(refusal.says));
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  }
}

TEST(Packages, RefuseGraphsThatDoNotFitTheirProblem) {
  const TemporaryFolder folder;
  const std::string run = trained(folder), package = folder / "digits.safetensors",
                    odd = folder / "odd.safetensors";
  output_of({"compile", run, package});
  const auto notes = runtime::load_package(package).notes;
  for (const Shape& shape : {Shape{0, 3}, Shape{1, 5}, Shape{3}}) {
    runtime::Graph graph;  // images in, but other than a row of three for each
    graph.add_input("x", empty({1, 1, 8, 8}));
    graph.set_outputs({graph.add_constant(zeros(shape))});
    runtime::save_package(odd, graph, notes);
    const Outcome outcome = run_program({"run", odd, folder / "images/1"});
    EXPECT_EQ(outcome.code, 3) << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr("does not fit the problem that it names"));
  }
}

}  // namespace
}  // namespace espalier::cli
