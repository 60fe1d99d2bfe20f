#include "cli/recipe.h"

#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/nearest.h"
#include "core/error.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::cli {
namespace {

using test::message_of;
using testing::HasSubstr;

Recipe parsed(const std::string& toml) {
  Recipe recipe;
  parse_recipe(recipe, toml, "r.toml");
  return recipe;
}

std::string refusal(const std::string& toml) {
  return message_of<ValueError>([&] { parsed(toml); });
}

TEST(Recipe, ReadsEveryKindOfValue) {
  const Recipe recipe = parsed(
      "# a comment\n"
      "data = \"cifar10\"\nlearning_rate = 0.4\nepochs = 7\nflip = true\nmean = [0.5, 1, 0.25]\n"
      "weight_decay = 1\nmodel = [\"flatten\", \"linear 10\"]\nhidden = [256, 128]\n");
  EXPECT_EQ(recipe.data, "cifar10");
  EXPECT_EQ(recipe.learning_rate, 0.4);
  EXPECT_EQ(recipe.epochs, 7);
  EXPECT_TRUE(recipe.flip);
  EXPECT_THAT(recipe.mean, testing::ElementsAre(0.5, 1, 0.25));
  EXPECT_EQ(recipe.weight_decay, 1);
  EXPECT_EQ(recipe.model, "flatten, linear 10");
  EXPECT_EQ(recipe.hidden, "256,128");
  EXPECT_EQ(parsed("").batch_size, Recipe().batch_size);
}

TEST(Recipe, GoesThroughTextUnchanged) {
  Recipe recipe;
  recipe.data = "text";
  recipe.learning_rate = 0.1 + 0.2;  // 17 digits
  recipe.mean = {1.0 / 3, -2};
  recipe.seed = 123456789012345;
  recipe.decay_all = true;
  recipe.clip_norm = 1e-300;
  Recipe copy;
  for (const auto& [name, text] : notes(recipe)) set(copy, name, text, "copy");
  EXPECT_EQ(copy, recipe);
  EXPECT_NE(copy, Recipe());
}

TEST(Recipe, EveryKeyIsReadFromItsOwnStandardValue) {
  for (const Key& key : keys()) {
    Recipe recipe;
    set(recipe, key.name, text_of(Recipe(), key), key.name);
    EXPECT_EQ(recipe, Recipe()) << key.name;
    EXPECT_FALSE(key.help.empty()) << key.name;
  }
}

TEST(Recipe, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal("epochs = 1\nlearing_rate = 0.1\n"),
            "[r.toml, line 2] 'learing_rate' is no key of a recipe; did you mean 'learning_rate'?");
  EXPECT_EQ(refusal("zzzzzzzzz = 0.1\n"), "[r.toml, line 1] 'zzzzzzzzz' is no key of a recipe");
  EXPECT_THAT(refusal("optimiser = \"adamm\""),
              HasSubstr("is 'adamm'; there are sgd, adam, adamw, rmsprop and "
                        "lion; did you mean 'adam'?"));
  EXPECT_THAT(refusal("[epochs]\nx = 1\n"), HasSubstr("no sections"));
  EXPECT_THAT(refusal("epochs = 2026-01-01\n"), HasSubstr("no dates"));
  EXPECT_THAT(refusal("mean = [[1], [2]]\n"), HasSubstr("array of arrays"));
}

TEST(Recipe, RefusesValuesThatCannotBe) {
  EXPECT_THAT(refusal("epochs = 0"), HasSubstr("epochs is '0'; expected a whole number from 1 to"));
  EXPECT_THAT(refusal("epochs = -3"), HasSubstr("epochs is '-3'"));
  EXPECT_THAT(refusal("epochs = 2.5"), HasSubstr("expected a whole number"));
  EXPECT_THAT(refusal("epochs = 9223372036854775807"), HasSubstr("expected a whole number"));
  EXPECT_THAT(refusal("batch_size = 0"), HasSubstr("batch_size is '0'"));
  EXPECT_THAT(refusal("learning_rate = nan"), HasSubstr("learning_rate is 'nan'; expected a number"));
  EXPECT_THAT(refusal("learning_rate = inf"), HasSubstr("learning_rate is 'inf'; expected a number"));
  EXPECT_THAT(refusal("learning_rate = -0.1"), HasSubstr("expected a number from 0 to"));
  EXPECT_THAT(refusal("learning_rate = \"fast\""), HasSubstr("'fast'; expected a number"));
  EXPECT_THAT(refusal("flip = 1"), HasSubstr("expected true or false"));
  EXPECT_THAT(refusal("mean = [0.5, \"x\"]"), HasSubstr("expected numbers with commas"));
  EXPECT_THAT(refusal("mean = [nan]"), HasSubstr("expected numbers with commas"));
  EXPECT_THAT(refusal("precision = \"f64\""), HasSubstr("there are f32, bf16 and f16"));
}

TEST(Recipe, IsAsItWasAfterARefusal) {
  Recipe recipe;
  EXPECT_THROW(parse_recipe(recipe, "epochs = 5\nsteep = 6\n", "r"), ValueError);
  EXPECT_EQ(recipe, Recipe());
}

TEST(Recipe, RefusesFilesThatAreNone) {
  const auto error = [](const std::string& toml) { return message_of<FormatError>([&] { parsed(toml); }); };
  EXPECT_THAT(error("epochs = 1\nepochs 2\n"), HasSubstr("[r.toml] line 2, column 8 is not TOML: "));
  EXPECT_THAT(error("epochs = 1\nepochs = 2\n"), HasSubstr("line 2"));
  EXPECT_THAT(error("data = \"digits"), HasSubstr("is not TOML"));
  EXPECT_THAT(error("x = " + std::string(10'000, '[')), HasSubstr("is not TOML"));

  const test::TemporaryFolder folder;
  Recipe recipe;
  EXPECT_THAT(message_of<IoError>([&] { read_recipe(recipe, folder / "none.toml"); }),
              HasSubstr("none.toml"));
  std::ofstream(folder / "bytes.toml", std::ios::binary) << "data = \"\xff\"\n";
  EXPECT_THAT(message_of<FormatError>([&] { read_recipe(recipe, folder / "bytes.toml"); }),
              HasSubstr("UTF-8"));
}

TEST(Recipe, TheExamplesAreRecipes) {
  int recipes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("examples/recipes")) {
    Recipe recipe;
    read_recipe(recipe, entry.path());
    EXPECT_NE(recipe, Recipe()) << entry.path();
    ++recipes;
  }
  EXPECT_GE(recipes, 4);
}

TEST(DidYouMean, NamesWhatIsMuchAlike) {
  const std::vector<std::string> known = {"epochs", "steps", "learning_rate", "seed"};
  EXPECT_EQ(did_you_mean("epoch", known), "; did you mean 'epochs'?");
  EXPECT_EQ(did_you_mean("epcohs", known), "; did you mean 'epochs'?");
  EXPECT_EQ(did_you_mean("lerningrate", known), "; did you mean 'learning_rate'?");
  EXPECT_EQ(did_you_mean("sede", known), "; did you mean 'seed'?");  // an exchange is one change
  EXPECT_EQ(did_you_mean("batch", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean("epochs", {}), "");
  EXPECT_EQ(did_you_mean(std::string(1'000'000, 'a'), known), "");
}

TEST(Listing, ReadsAsASentenceDoes) {
  EXPECT_EQ(listing({}), "");
  EXPECT_EQ(listing(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(listing(std::vector<std::string>{"a", "b", "c"}), "a, b and c");
}

}  // namespace
}  // namespace espalier::cli
