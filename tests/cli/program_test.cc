// The program as a person meets it: run with arguments, looked at by exit code, output and files.

#include "tests/cli/program.h"

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>

#include "data/digits.h"
#include "io/image.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/safetensors.h"
#include "ops/at.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "tests/support/temporary_folder.h"

namespace espalier::cli {
namespace {

using nlohmann::json;
using test::json_of;
using test::Outcome;
using test::output_of;
using test::run_program;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;

/// A network on the embedded digits, trained in a second or two.
std::vector<std::string> digits_run(const std::string& folder, const std::string& epochs) {
  return {"train",    "--model",  "mlp",  "--learning_rate", "3e-3", "--schedule",
          "constant", "--epochs", epochs, "--folder",        folder, "--quiet"};
}

void write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

bool same_weights(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto one = io::load_safetensors(a).tensors, other = io::load_safetensors(b).tensors;
  if (one.size() != other.size()) return false;
  for (const auto& [name, tensor] : one) {
    if (!other.contains(name) || other.at(name).shape() != tensor.shape()) return false;
    const size_t bytes = static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype());
    if (std::memcmp(tensor.raw_data(), other.at(name).raw_data(), bytes) != 0) return false;
  }
  return !one.empty();
}

TEST(Program, TrainsEvaluatesAndPredicts) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const json trained = json_of(digits_run(run, "5"));
  EXPECT_GT(trained.at("evaluation").at("accuracy"), 0.9);
  EXPECT_EQ(trained.at("epochs"), 5);
  for (const char* file : {"metrics.jsonl", "model.safetensors", "report.html"})
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(run) / file)) << file;

  const json evaluated = json_of({"eval", run});
  EXPECT_EQ(evaluated.at("accuracy"), trained.at("best"));
  EXPECT_EQ(evaluated.at("examples"), 359);
  EXPECT_THAT(output_of({"eval", run}), AllOf(HasSubstr("accuracy"), HasSubstr("recall")));
  EXPECT_GT(json_of({"eval", run, "--part", "train"}).at("examples"), 1000);

  // What predict says of single images agrees with what eval counted.
  const data::Examples test = data::digits().test;
  io::save_npy(folder / "digits.npy", test.inputs);
  const json predicted = json_of({"predict", run, folder / "digits.npy", "--top", "1"});
  ASSERT_EQ(predicted.size(), 359U);
  int64_t right = 0;
  for (size_t i = 0; i < predicted.size(); ++i) {
    ASSERT_EQ(predicted[i].at("classes").size(), 1U);
    right += predicted[i].at("classes")[0].at("class") == std::to_string(test.labels.data<int64_t>()[i]);
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(right) / 359, evaluated.at("accuracy"));

  io::save_png(folder / "digit.png", cast(at(test.inputs, 0) * 255.0, Dtype::u8));
  const json image = json_of({"predict", run, folder / "digit.png"});
  EXPECT_EQ(image[0].at("classes")[0].at("class"), predicted[0].at("classes")[0].at("class"));
}

TEST(Program, ResumesToTheSameBits) {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", parts = folder / "parts";
  output_of(digits_run(whole, "4"));
  output_of(digits_run(parts, "2"));
  EXPECT_FALSE(same_weights(whole + "/model.safetensors", parts + "/model.safetensors"));
  output_of({"train", "--resume", "--folder", parts, "--epochs", "4",
             "--quiet"});  // the rest of the recipe is its own
  EXPECT_TRUE(same_weights(whole + "/model.safetensors", parts + "/model.safetensors"));
}

TEST(Program, SavesWhenItIsInterrupted) {
  const TemporaryFolder folder, output;
  const std::string run = folder / "run";
  const pid_t program = test::start_program(digits_run(run, "1000000"), output.path());
  for (int i = 0; i < 2000 && !std::filesystem::exists(run + "/metrics.jsonl"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  ::kill(program, SIGINT);
  const Outcome outcome = test::wait_for(program, output.path());
  EXPECT_EQ(outcome.code, 130) << outcome.errors;
  EXPECT_THAT(outcome.out, HasSubstr("by a signal"));
  const json inspected = json_of({"inspect", run, "--fast"});
  EXPECT_GT(inspected[0].at("step"), 0);
}

TEST(Program, LearnsATextAndGoesOn) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 400; ++i) text += "the cat sat on the mat. ";
  write(folder / "cat.txt", text);
  const std::string run = folder / "run";
  const json trained = json_of({"train",
                                "--data",
                                "text",
                                "--path",
                                folder / "cat.txt",
                                "--model",
                                "gpt",
                                "--layers",
                                "1",
                                "--width",
                                "32",
                                "--context",
                                "16",
                                "--steps",
                                "200",
                                "--learning_rate",
                                "1e-2",
                                "--folder",
                                run,
                                "--quiet"});
  EXPECT_LT(trained.at("evaluation").at("perplexity"), 1.5);
  const std::string written =
      json_of({"predict", run, "--prompt", "the cat ", "--count", "20", "--temperature", "0"}).at("text");
  EXPECT_EQ(written, "the cat sat on the mat. the ");
  EXPECT_EQ(run_program({"predict", run, "--prompt", "the cat ", "--count", "20", "--temperature", "0"}).out,
            written + "\n");
  EXPECT_EQ(json_of({"predict", run, "--count", "30", "--seed", "3"}),
            json_of({"predict", run, "--count", "30", "--seed", "3"}));
  EXPECT_EQ(json_of({"predict", run, "--count", "30"}).at("text").get<std::string>().size(), 30U);
  EXPECT_THAT(run_program({"predict", run, "--prompt", "Ω"}).errors, HasSubstr("Ω"));
  for (char& letter : text) letter = letter == 'c' ? 'b' : letter;  // as many characters, but others
  write(folder / "bat.txt", text);
  EXPECT_THAT(run_program({"eval", run, "--path", folder / "bat.txt"}).errors,
              HasSubstr("other classes or characters"));
}

TEST(Program, LearnsTables) {
  const TemporaryFolder folder;
  std::string rows = "a,b,sum,sign\n";
  for (int i = 0; i < 400; ++i) {
    const double a = 100 + 37 * i % 101, b = 0.001 * (53 * i % 97);
    rows += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(0.01 * a + 10 * b) + "," +
            (0.01 * a + 10 * b > 1.9 ? "1" : "0") + "\n";
  }
  write(folder / "t.csv", rows);
  const auto train = [&](const std::string& label, const std::string& loss) {
    return json_of({"train", "--data", "csv", "--path", folder / "t.csv", "--label", label, "--loss", loss,
                    "--epochs", "30", "--learning_rate", "1e-2", "--folder", folder / label.c_str(),
                    "--quiet"});
  };
  EXPECT_GT(train("sign", "cross_entropy").at("evaluation").at("accuracy"), 0.9);
  EXPECT_LT(train("sum", "mse").at("evaluation").at("test_loss"), 1e-2);
  io::save_npy(folder / "row.npy", from_values<float>({150, 0.05F, 1}, {3}));
  const double sum = json_of({"predict", folder / "sum", folder / "row.npy"})[0].at("values")[0];
  EXPECT_NEAR(sum, 2.0, 0.2);
}

TEST(Program, LearnsFoldersOfImages) {
  const TemporaryFolder images, folder;
  const data::Examples digits = data::digits().train;
  const int64_t* const labels = digits.labels.data<int64_t>();
  for (int64_t i = 0; i < 400; ++i) {
    if (labels[i] > 1) continue;
    const std::filesystem::path place = images / (labels[i] == 0 ? "zero" : "one");
    std::filesystem::create_directories(place);
    io::save_png(place / (std::to_string(i) + ".png"), cast(at(digits.inputs, i) * 255.0, Dtype::u8));
  }
  const std::string run = folder / "run";
  output_of({"train", "--data", "images", "--path", images.path(), "--image_channels", "1", "--validation",
             "0.3", "--epochs", "15", "--learning_rate", "1e-2", "--batch_size", "8", "--folder", run,
             "--quiet"});
  const json predicted = json_of({"predict", run, images / "zero/0.png"});
  EXPECT_EQ(predicted[0].at("classes")[0].at("class"), "zero");

  std::filesystem::remove_all(images / "zero");
  const Outcome other = run_program({"eval", run});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.errors, HasSubstr("to 2 outputs; the data has examples [1, 8, 8] and 1"));
  std::filesystem::remove_all(images / "one");
  EXPECT_EQ(run_program({"eval", run}).code, 3);
}

TEST(Program, LearnsArrays) {
  const TemporaryFolder folder;
  const data::Split digits = data::digits();
  io::save_npz(folder / "d.npz", {{"inputs", digits.train.inputs},
                                  {"labels", digits.train.labels},
                                  {"test_inputs", digits.test.inputs},
                                  {"test_labels", digits.test.labels}});
  const json trained = json_of({"train", "--data", "arrays", "--path", folder / "d.npz", "--model",
                                "conv 8 3 padding=1, batch_norm, relu, max_pool 2, flatten, linear 10",
                                "--learning_rate", "5e-3", "--epochs", "3", "--quiet"});
  EXPECT_GT(trained.at("evaluation").at("accuracy"), 0.9);
}

TEST(Program, RecipesAreFilesThatFlagsReplace) {
  const TemporaryFolder folder;
  write(folder / "r.toml", "optimiser = \"sgd\"\nlearning_rate = 0.1\nepochs = 3\nseed = 5\n");
  const std::string run = folder / "run";
  const json trained = json_of({"train", folder / "r.toml", "--epochs", "1", "--folder", run, "--quiet"});
  EXPECT_EQ(trained.at("epochs"), 1);
  const json texts = json_of({"inspect", run + "/model.safetensors", "--fast"})[0].at("texts");
  EXPECT_EQ(texts.at("optimiser"), "sgd");
  EXPECT_EQ(texts.at("seed"), "5");
  EXPECT_EQ(texts.at("epochs"), "1");
}

TEST(Program, InspectsAndConverts) {
  const TemporaryFolder folder;
  const std::map<std::string, Tensor> tensors = {{"w", from_values<float>({1, 2, -3, 0}, {2, 2})},
                                                 {"n", from_values<int64_t>({7}, {1})}};
  io::save_safetensors(folder / "a.safetensors", tensors, {{"made", "by hand"}});
  const json all = json_of({"inspect", folder / "a.safetensors"})[0];
  EXPECT_EQ(all.at("texts").at("made"), "by hand");
  const json& w = all.at("tensors")[1];
  EXPECT_EQ(w.at("shape"), (json{2, 2}));
  EXPECT_EQ(w.at("min"), -3);
  EXPECT_EQ(w.at("max"), 2);
  EXPECT_EQ(w.at("mean"), 0);
  EXPECT_NEAR(w.at("deviation"), 1.870828693, 1e-8);
  EXPECT_EQ(w.at("zeros"), 1);
  EXPECT_THAT(output_of({"inspect", folder / "a.safetensors"}),
              AllOf(HasSubstr("by hand"), HasSubstr("2 tensors, 5 elements")));

  io::save_npy(folder / "odd.npy", from_values<float>({NAN, 1, HUGE_VALF}, {3}));
  const json odd = json_of({"inspect", folder / "odd.npy"})[0].at("tensors")[0];
  EXPECT_EQ(odd.at("not_finite"), 2);
  EXPECT_EQ(odd.at("max"), 1);

  output_of({"convert", folder / "a.safetensors", folder / "a.npz"});
  EXPECT_EQ(io::load_npz(folder / "a.npz").at("w").to_vector<float>(), tensors.at("w").to_vector<float>());
  output_of({"convert", folder / "a.npz", folder / "b.safetensors", "--dtype", "bf16"});
  const auto narrow = io::load_safetensors(folder / "b.safetensors").tensors;
  EXPECT_EQ(narrow.at("w").dtype(), Dtype::bf16);
  EXPECT_EQ(narrow.at("n").dtype(), Dtype::i64);
}

TEST(Program, ProfilesAndMeasures) {
  const TemporaryFolder folder;
  const json profile = json_of({"profile", "--profiled_steps", "5", "--trace", folder / "t.json"});
  EXPECT_EQ(profile.at("spans")[0].at("name"), "step");
  EXPECT_EQ(profile.at("spans")[0].at("count"), 5);
  std::ifstream trace(folder / "t.json");
  EXPECT_FALSE(json::parse(trace, nullptr, false).is_discarded());

  const json bench = json_of({"bench", "--seconds", "0.05", "--batch_size", "16"});
  ASSERT_EQ(bench.at("figures").size(), 4U);
  // 16 examples through 64 x 128 and 128 x 10 weights, forward alone.
  EXPECT_NEAR(bench.at("figures")[3].at("flops"), 2 * 16 * (64 * 128 + 128 * 10), 16 * 1000);
  EXPECT_GT(bench.at("figures")[1].at("median_seconds"), 0);
}

struct Refusal {
  std::vector<std::string> arguments;
  int code;
  std::string says;
};

TEST(Program, RefusesInOneLineWithADocumentedCode) {
  const TemporaryFolder folder;
  write(folder / "bad.toml", "epochs = = 3\n");
  write(folder / "empty.csv", "");
  write(folder / "words.csv", "a,b\n1,x\n");
  write(folder / "short.safetensors", "\x10" + std::string(4, '\0'));
  write(folder / "latin.txt", "caf\xe9");
  const Refusal all[] = {
      {{}, 2, "expected a command: train, eval"},
      {{"trian"}, 2, "did you mean 'train'?"},
      {{"--verbos"}, 2, "--verbos"},
      {{"train", "--epocs", "3"}, 2, "'--epocs' is no flag; did you mean '--epochs'?"},
      {{"train", "--epochs=0"}, 2, "[--epochs] epochs is '0'"},
      {{"train", "--epochs", "-2"}, 2, "epochs is '-2'"},
      {{"train", "--learning_rate", "nan"}, 2, "learning_rate is 'nan'"},
      {{"train", "--batch_size", "0"}, 2, "batch_size is '0'"},
      {{"train", "--flip=perhaps"}, 2, "perhaps"},
      {{"train", "a.toml", "b.toml"}, 2, "has no use for 'b.toml'"},
      {{"train", "none.toml"}, 3, "none.toml"},
      {{"train", folder / "bad.toml"}, 3, "line 1, column 10 is not TOML"},
      {{"train", "--resume"}, 2, "[--resume] needs a --folder"},
      {{"train", "--folder", "/proc/espalier"}, 3, "/proc/espalier"},
      {{"train", "--data", "mnist"}, 2, "[path] is not given"},
      {{"train", "--data", "mnist", "--path", folder.path()}, 3, "train-images-idx3-ubyte"},
      {{"train", "--data", "cifar10", "--path", folder.path()}, 3, "data_batch_1.bin"},
      {{"train", "--data", "csv", "--path", folder / "empty.csv", "--label", "a"}, 3, "empty.csv"},
      {{"train", "--data", "csv", "--path", folder / "words.csv", "--label", "a"}, 3, "line 2, column 2"},
      {{"train", "--data", "csv", "--path", folder / "words.csv", "--label", "z"}, 2, "z"},
      {{"train", "--data", "text", "--path", folder / "latin.txt", "--model", "gpt"}, 3, "UTF-8"},
      {{"train", "--model", "gpt"}, 2, "gpt learns texts"},
      {{"train", "--model", "resnet2"}, 2, "did you mean 'resnet20'?"},
      {{"train", "--model", "flatten, linear 9"}, 2, "end in 'linear 10'"},
      {{"train", "--model", "flatten"}, 2, "puts out [64]"},
      {{"train", "--loss", "mse"}, 2, "mse is for values"},
      {{"train", "--optimiser", "sgd", "--learning_rate", "1e6", "--model", "mlp", "--quiet"},
       4,
       "the loss is"},
      {{"eval"}, 2, "expected a model"},
      {{"eval", folder / "none"}, 3, "none"},
      {{"eval", folder.path()}, 3, "holds no model"},
      {{"eval", "run"}, 3, "[run]"},
      {{"eval", folder / "short.safetensors"}, 3, "short.safetensors"},
      {{"eval", "x", "--part", "most"}, 2, "most"},
      {{"predict"}, 2, "expected a model"},
      {{"predict", "x", "--top", "many"}, 2, "many"},
      {{"inspect"}, 2, "expected files"},
      {{"inspect", folder / "none.npy"}, 3, "none.npy"},
      {{"inspect", folder / "latin.txt"}, 3, "unknown ending"},
      {{"convert", "a.npy"}, 2, "expected what to read and what to write"},
      {{"convert", "a.npy", "b.npy", "--dtype", "f8"}, 2, "f8"},
      {{"profile", "--profiled_steps", "0"}, 2, "profiled_steps"},
      {{"bench", "--seconds", "-1"}, 2, "seconds"},
  };
  for (const Refusal& refusal : all) {
    std::string line;
    for (const std::string& argument : refusal.arguments) line += argument + " ";
    const Outcome outcome = run_program(refusal.arguments);
    EXPECT_EQ(outcome.code, refusal.code) << line << outcome.errors;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_THAT(outcome.errors, HasSubstr(refusal.says)) << line;
    EXPECT_TRUE(outcome.errors.starts_with("espalier: ")) << line << outcome.errors;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << line << outcome.errors;
  }
}

TEST(Program, RefusesModelsThatAreDamagedOrOthers) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", model = run + "/model.safetensors";
  output_of(digits_run(run, "1"));
  const io::Safetensors good = io::load_safetensors(model);
  const auto refused = [&](const io::Safetensors& file, const std::string& says) {
    io::save_safetensors(folder / "other.safetensors", file.tensors, file.metadata);
    const Outcome outcome = run_program({"eval", folder / "other.safetensors"});
    EXPECT_EQ(outcome.code, 3) << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(says));
  };
  io::Safetensors changed = good;
  changed.metadata.clear();
  refused(changed, "does not say what its model is");
  changed = good;
  changed.metadata["from_the_future"] = "1";
  refused(changed, "recipe of another version of this program: 'from_the_future' is no key");
  changed = good;
  changed.metadata["problem"] = "{\"kind\":\"classes\"}";
  refused(changed, "damaged");
  changed = good;
  changed.metadata["problem"] = R"({"kind":"classes","input":[1,99999999999,8],"outputs":10,"classes":[]})";
  refused(changed, "cannot be");
  changed = good;
  changed.metadata["hidden"] = "64";
  refused(changed, "does not hold the model that it names");
  changed = good;
  changed.tensors.erase("1.bias");
  refused(changed, "1.bias");

  // A run that is gone on with by another recipe is refused, and stays as it was.
  const Outcome other =
      run_program({"train", "--resume", "--folder", run, "--hidden", "32", "--epochs", "2", "--quiet"});
  EXPECT_EQ(other.code, 2) << other.errors;
  EXPECT_EQ(run_program(digits_run(run, "2")).code, 2);
  EXPECT_EQ(json_of({"eval", run}).at("examples"), 359);
}

TEST(Program, SaysWhatTheSystemRefuses) {
  // A path that the system takes for too long, with a line's end in it.
  const Outcome path = run_program({"eval", "a\n" + std::string(5000, 'b')});
  EXPECT_EQ(path.code, 3);
  EXPECT_EQ(std::count(path.errors.begin(), path.errors.end(), '\n'), 1) << path.errors;

  const TemporaryFolder folder;
  const std::string full =
      "'" ESPALIER_PROGRAM "' --version > /dev/full 2> '" + (folder / "errors").string() + "'";
  const int status = std::system(full.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 3);
  std::ifstream errors(folder / "errors");
  std::string line;
  std::getline(errors, line);
  EXPECT_EQ(line, "espalier: [standard output] cannot be written");
}

TEST(Program, FailsWhereThereIsNoMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers take more addresses than the limit leaves";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const rlimit little{rlim_t{4} << 30, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &little), 0);
  const Outcome outcome = run_program({"bench", "--model", "mlp", "--hidden", "40000,40000"});
  ::setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("memory"));
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
}

TEST(Program, HelpIsCompleteAndFits) {
  EXPECT_THAT(output_of({"--help"}), AllOf(HasSubstr("train"), HasSubstr("Exit codes: 0 done")));
  EXPECT_THAT(output_of({"--version"}), testing::StartsWith("espalier "));
  for (const char* command : {"train", "eval", "predict", "inspect", "convert", "profile", "bench"}) {
    std::istringstream help(output_of({command, "--help"}));
    for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 120U) << command << ": " << line;
  }
  EXPECT_THAT(output_of({"train", "--help"}), HasSubstr("--learning_rate NUMBER"));
}

}  // namespace
}  // namespace espalier::cli
