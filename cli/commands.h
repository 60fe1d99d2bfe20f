#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "models/generate.h"

/// The commands of the program `espalier`, each a function of what its flags say (cli/arguments.cc) that
/// writes its result to standard output: a table, or one JSON object. What goes wrong is an exception.
namespace espalier::cli {

/// What the program ends with; `espalier --help` lists them.
enum class Exit : int {
  done = 0,
  failed = 1,        ///< what no other code stands for: no memory, say
  usage = 2,         ///< flags, keys, recipes or models that make no sense
  file = 3,          ///< a file that cannot be read or written, or is not what it should be
  numbers = 4,       ///< a loss that is not finite
  interrupted = 130  ///< by a signal; what was saved can be gone on with
};

/// A recipe: a file, if any, and the keys that were given as flags.
struct RecipeFlags {
  std::string file;
  std::vector<std::pair<std::string, std::string>> keys;
};

struct TrainFlags {
  RecipeFlags recipe;
  std::string folder;
  std::string page;
  bool resume = false, tensorboard = false, json = false, quiet = false;
};
Exit train(const TrainFlags& flags);

struct EvalFlags {
  std::string model;
  std::string data_path;      ///< instead of the recipe's
  std::string part = "test";  ///< or "train"
  std::string page;
  bool json = false;
};
Exit eval(const EvalFlags& flags);

struct PredictFlags {
  std::string model;
  std::vector<std::string> inputs;
  int64_t top = 3;
  std::string prompt;  ///< of a text model
  int64_t count = 500;
  models::SamplingOptions sampling = {.temperature = 0.8};
  int64_t seed = 1;
  bool json = false;
};
Exit predict(const PredictFlags& flags);

struct CompileFlags {
  std::string model, to;
  std::optional<int64_t> batch = {};    ///< examples that a run takes at once; absent: any number
  std::vector<std::string> sizes = {};  ///< of an ONNX model's free axes: `time=64`
  std::string classes = {};             ///< names of those that an ONNX model tells apart, with commas
  bool int8 = false;
  std::string data_path = {};  ///< for calibration, instead of the recipe's
  std::string kernels = {};    ///< the file of kernel choices that says which layers gain by 8 bits
  bool strict = false;         ///< only passes that keep all bits
  bool json = false;
};
Exit compile(const CompileFlags& flags);

struct RunFlags {
  std::string package;
  std::vector<std::string> inputs;  ///< files, or folders of them
  int64_t top = 3;
  std::optional<int64_t> batch;  ///< examples at once
  std::string kernels;           ///< the file of kernel choices
  bool strict = false;           ///< the bits of plain code
  bool json = false;
};
Exit run_package(const RunFlags& flags);

struct ExplainFlags {
  std::string package;
  int64_t rounds = 20;
  std::optional<int64_t> batch;    ///< of a package whose batch is free
  std::vector<std::string> sizes;  ///< of other free axes: `time=64`
  std::string page;
  std::string kernels;  ///< the file of kernel choices
  bool strict = false;  ///< the bits of plain code
  bool json = false;
};
Exit explain(const ExplainFlags& flags);

struct InspectFlags {
  std::vector<std::string> files;
  bool fast = false;  ///< without statistics
  bool json = false;
};
Exit inspect(const InspectFlags& flags);

struct ConvertFlags {
  std::string from, to;
  std::string dtype;  ///< f32, f16, bf16 for floating-point tensors; empty: as they are
};
Exit convert(const ConvertFlags& flags);

struct ProfileFlags {
  RecipeFlags recipe;
  int64_t steps = 20;
  std::string trace;
  bool json = false;
};
Exit profile(const ProfileFlags& flags);

struct BenchFlags {
  RecipeFlags recipe;
  double seconds = 2;  ///< for each figure
  bool json = false;
};
Exit bench(const BenchFlags& flags);

}  // namespace espalier::cli
