// What a recipe becomes: data, network, optimiser, schedule and loss.

#include "cli/experiment.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/model_file.h"
#include "core/error.h"
#include "io/image.h"
#include "nn/state.h"
#include "ops/random.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::cli {
namespace {

using test::message_of;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::map<std::string, std::vector<float>> weights_after_a_step(double weight_decay, bool decay_all) {
  Recipe recipe;
  recipe.optimiser = "sgd";
  recipe.momentum = 0;
  recipe.learning_rate = 0.1;
  recipe.weight_decay = weight_decay;
  recipe.decay_all = decay_all;
  Experiment experiment(recipe);
  experiment.step();
  std::map<std::string, std::vector<float>> weights;
  for (const auto& [name, tensor] : nn::named_parameters(experiment.network()))
    weights[name] = tensor.detach().to_vector<float>();
  return weights;
}

TEST(Experiment, OnlyWeightsOfTwoAxesDecay) {
  const auto plain = weights_after_a_step(0, false), decayed = weights_after_a_step(0.5, false),
             all = weights_after_a_step(0.5, true);
  int biases = 0;
  for (const auto& [name, values] : plain) {
    const bool bias = name.ends_with("bias");
    biases += bias;
    EXPECT_EQ(values == decayed.at(name), bias) << name;
    EXPECT_NE(values, all.at(name)) << name;
  }
  EXPECT_GT(biases, 0);
}

TEST(Experiment, PenaltiesAddToTheLoss) {
  Recipe recipe;
  const auto loss = [&] {
    Experiment experiment(recipe);
    return experiment.loss(*experiment.loader().next()).item();
  };
  double magnitudes = 0, squares = 0;
  Experiment plain(recipe);
  for (const auto& [name, tensor] : nn::named_parameters(plain.network())) {
    if (!name.ends_with("weight")) continue;
    for (const float value : tensor.detach().to_vector<float>()) {
      magnitudes += std::abs(static_cast<double>(value));
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  const double alone = loss();
  recipe.l1 = 0.01;
  EXPECT_NEAR(loss(), alone + 0.01 * magnitudes, 1e-4 * magnitudes);  // sums of some 10^4 terms in f32
  recipe.l2 = 0.1;
  EXPECT_NEAR(loss(), alone + 0.01 * magnitudes + 0.1 * squares, 1e-4 * (magnitudes + squares));
}

TEST(Experiment, AWarmUpMayBeLongerThanTheRun) {
  Recipe recipe;
  recipe.schedule = "cosine";
  recipe.steps = 3;
  recipe.warm_up = 1000;
  EXPECT_NO_THROW(Experiment(recipe).step());
}

/// The task that a CSV file gives.
Task table(Recipe& recipe, const TemporaryFolder& folder, const std::string& rows) {
  std::ofstream(folder / "t.csv") << rows;
  recipe.data = "csv";
  recipe.path = folder / "t.csv";
  recipe.label = "y";
  recipe.validation = 0.25;
  return open_task(recipe);
}

TEST(OpenTask, AConstantColumnStaysAsItIs) {
  const TemporaryFolder folder;
  Recipe recipe;
  table(recipe, folder, "a,b,y\n1,7,0\n9,7,1\n1,7,0\n9,7,1\n1,7,0\n9,7,1\n1,7,1\n9,7,0\n");
  EXPECT_EQ(recipe.mean.at(1), 7);
  EXPECT_THAT(recipe.deviation, ElementsAre(testing::Not(1), 1));
}

TEST(OpenTask, ClassNumbersStartAtZero) {
  const TemporaryFolder folder;
  Recipe recipe;
  EXPECT_THAT(message_of<ValueError>([&] { table(recipe, folder, "a,y\n1,-1\n2,0\n3,1\n4,1\n"); }),
              HasSubstr("has labels from -1 to 1; class numbers start at 0"));
}

TEST(OpenTask, ATextIsEvaluatedInWindowsSideBySide) {
  const TemporaryFolder folder;
  std::ofstream(folder / "t.txt") << std::string(1000, 'a') + std::string(1000, 'b');
  Recipe recipe;
  recipe.data = "text";
  recipe.path = folder / "t.txt";
  recipe.context = 20;
  recipe.validation = 0.1;
  // Of 200 characters the last has no successor: 180 beginnings of windows, every 20th taken.
  EXPECT_EQ(open_task(recipe).test.size(), 9);
  EXPECT_EQ(open_task(recipe).train.size(), 1780);
}

TEST(OpenTask, TrainAndTestHaveTheSameClasses) {
  const TemporaryFolder folder;
  for (const char* place : {"train/cat", "train/dog", "test/cat", "test/fox"}) {
    std::filesystem::create_directories(folder / place);
    io::save_png(std::filesystem::path(folder / place) / "1.png", zeros({3, 4, 4}, Dtype::u8));
  }
  Recipe recipe;
  recipe.data = "images";
  recipe.path = folder.path();
  EXPECT_THAT(message_of<ValueError>([&] { open_task(recipe); }),
              HasSubstr("train has the classes cat and dog, test has cat and fox; expected the same"));
}

TEST(ModelFile, ComputesWithTheAveragesWhereThereAreSome) {
  std::map<std::string, nn::StateMap> parts;
  EXPECT_THAT(message_of<FormatError>([&] { weights_of(parts, "here"); }), HasSubstr("[here]"));
  parts["model"]["w"] = ones({1});
  EXPECT_EQ(weights_of(parts, "here").at("w").item(), 1);
  parts["average"]["w"] = zeros({1});
  EXPECT_EQ(weights_of(parts, "here").at("w").item(), 0);
}

TEST(ModelFile, TheLastCheckpointIsTheOneOfTheLatestStep) {
  const auto make = [](const TemporaryFolder& folder, int step) {
    char name[16];
    std::snprintf(name, sizeof name, "step-%08d", step);
    std::filesystem::create_directories(folder / name);
    std::ofstream(std::filesystem::path(folder / name) / "manifest.json");
  };
  // Folders list their entries in orders of their own.
  const TemporaryFolder rising, falling;
  EXPECT_EQ(last_checkpoint(rising.path()), "");
  for (int step = 0; step < 40; ++step) {
    make(rising, step);
    make(falling, 39 - step);
  }
  std::filesystem::create_directories(rising / "step-9-torn");
  EXPECT_EQ(last_checkpoint(rising.path()).filename(), "step-00000039");
  EXPECT_EQ(last_checkpoint(falling.path()).filename(), "step-00000039");
}

TEST(ReadNotes, RefusesProblemsThatCannotBe) {
  const auto refusal = [](const std::string& problem) {
    Recipe recipe;
    Problem read;
    return message_of<FormatError>([&] { read_notes({{"problem", problem}}, "f", recipe, read); });
  };
  EXPECT_THAT(refusal(R"({"kind":"values","input":[3],"outputs":0})"), HasSubstr("outputs that cannot be"));
  EXPECT_THAT(refusal(R"({"kind":"values","input":[3],"outputs":9999999999})"),
              HasSubstr("outputs that cannot be"));
  EXPECT_THAT(refusal(R"({"kind":"classes","input":[3],"outputs":2,"classes":["a"]})"),
              HasSubstr("have no names"));
  EXPECT_THAT(refusal(R"({"kind":"text","input":[3],"outputs":2})"), HasSubstr("have no names"));
  EXPECT_THAT(refusal(R"({"kind":"colours","input":[3],"outputs":2})"), HasSubstr("does not know"));
}

}  // namespace
}  // namespace espalier::cli
