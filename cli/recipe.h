#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace espalier::cli {

/// All that decides what a training run does: with the same recipe, data and number of threads it ends with
/// the same bits. What each member means stands in keys(), under the member's name.
struct Recipe {
  std::string data = "digits", path, label;
  int64_t image_size = 0, image_channels = 3;
  double validation = 0.1;
  std::vector<double> mean, deviation;
  int64_t crop = 0, cutout = 0;
  bool flip = false, per_batch = false;
  double rotate = 0, shift = 0, mixup = 0;
  int64_t workers = 1;

  std::string model = "mlp", hidden = "128";
  int64_t layers = 4, width = 128, heads = 4, context = 64;

  std::string optimiser = "adamw";
  double learning_rate = 1e-3, momentum = 0.9, beta1 = 0.9, beta2 = 0.999, weight_decay = 0.01;
  bool nesterov = false, decay_all = false;
  double l1 = 0, l2 = 0, label_smoothing = 0;
  std::string loss = "cross_entropy", schedule = "cosine";
  int64_t warm_up = 0;
  double final_rate = 0, average = 0;

  bool drop_last = false;
  int64_t epochs = 10, steps = 0, batch_size = 32, accumulate = 1;
  double clip_norm = 0;
  std::string precision = "f32";
  int64_t seed = 0, evaluate_every = 0, log_every = 50, patience = 0, checkpoint_every = 0, keep_last = 2,
          keep_best = 1;

  friend bool operator==(const Recipe&, const Recipe&) = default;
};

/// A member of Recipe as a person writes it, in a file or as a flag.
struct Key {
  using Member = std::variant<std::string Recipe::*, int64_t Recipe::*, double Recipe::*, bool Recipe::*,
                              std::vector<double> Recipe::*>;

  std::string name;
  std::string group;  ///< of the help
  std::string help;
  Member member;
  double least = -std::numeric_limits<double>::max();  ///< of numbers
  double most = std::numeric_limits<double>::max();
  std::vector<std::string> choices = {};  ///< of texts; none: any
};

/// Every key, in the order of the help.
const std::vector<Key>& keys();
const std::vector<std::string>& key_names();

/// Sets a key from text: `0.1`, `true`, `0.9,0.99`. Throws ValueError for an unknown key, with the nearest
/// known one, and for a value that is not what the key takes. `where` begins the errors: a file, a flag.
void set(Recipe& recipe, std::string_view name, const std::string& text, const std::string& where);
/// The value of a key as set() takes it.
std::string text_of(const Recipe& recipe, const Key& key);

/// Reads a recipe in TOML, key = value, over what is there. Throws IoError where the file cannot be read,
/// FormatError with line and column where it is not TOML, and what set() does.
void read_recipe(Recipe& recipe, const std::filesystem::path& path);
/// The same from memory; `name` stands for the file in errors.
void parse_recipe(Recipe& recipe, std::string_view toml, const std::string& name);

/// Every key with its value, for a checkpoint or a page.
std::map<std::string, std::string> notes(const Recipe& recipe);

}  // namespace espalier::cli
