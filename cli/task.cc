#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "cli/nearest.h"
#include "cli/problem.h"
#include "core/error.h"
#include "data/cifar.h"
#include "data/csv.h"
#include "data/digits.h"
#include "data/image_folder.h"
#include "data/mnist.h"
#include "data/text.h"
#include "io/npz.h"
#include "ops/cast.h"
#include "ops/max.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "train/classification.h"

namespace espalier::cli {
namespace {

using Kind = Problem::Kind;

void need_path(const Recipe& recipe) {
  if (recipe.path.empty()) throw ValueError("path", "is not given; data = " + recipe.data + " needs it");
}

std::vector<std::string> numbered(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

/// The shape of one example.
Shape example_shape(const data::DataSet& set) {
  const std::array<int64_t, 1> first = {0};
  Shape shape = set.read(first).inputs.shape();
  shape.erase(0);
  return shape;
}

void set_default(std::vector<double>& value, std::vector<double> standard) {
  if (value.empty()) value = std::move(standard);
}

/// Cuts off a part for evaluation.
std::pair<data::DataSet, data::DataSet> split(const data::DataSet& all, const Recipe& recipe) {
  if (!(recipe.validation > 0 && recipe.validation < 1)) {
    throw ValueError("validation",
                     "is " + std::to_string(recipe.validation) +
                         "; this data has no test part, so a share between 0 and 1 must be kept for it");
  }
  const std::array<double, 2> shares = {1 - recipe.validation, recipe.validation};
  const std::vector<data::DataSet> parts =
      data::random_split(all, shares, static_cast<uint64_t>(recipe.seed));
  if (parts[0].size() == 0 || parts[1].size() == 0) {
    throw ValueError("validation", std::to_string(all.size()) + " examples are too few for a share of " +
                                       std::to_string(recipe.validation));
  }
  return {parts[0], parts[1]};
}

/// Mean and deviation of each channel (axis 1) over the training examples, or over some thousands of them.
void measure(Recipe& recipe, const data::DataSet& train) {
  if (!recipe.mean.empty() || !recipe.deviation.empty()) return;
  constexpr int64_t kMost = 4096, kBatch = 64;
  const int64_t count = std::min(kMost, train.size());
  std::vector<double> sum, squares;
  double values = 0;
  for (int64_t first = 0; first < count; first += kBatch) {
    std::vector<int64_t> numbers;
    for (int64_t i = first; i < std::min(first + kBatch, count); ++i)
      numbers.push_back(i * train.size() / count);
    const Tensor inputs = train.read(numbers).inputs;
    const double scale = inputs.dtype() == Dtype::u8 ? 255 : 1;
    const std::vector<double> elements = cast(inputs, Dtype::f64).to_vector<double>();
    const auto channels = static_cast<size_t>(inputs.size(1)),
               plane = elements.size() / (channels * static_cast<size_t>(inputs.size(0)));
    sum.resize(channels);
    squares.resize(channels);
    for (size_t i = 0; i < elements.size(); ++i) {
      const double value = elements[i] / scale;
      sum[i / plane % channels] += value;
      squares[i / plane % channels] += value * value;
    }
    values += static_cast<double>(plane) * static_cast<double>(inputs.size(0));
  }
  for (size_t channel = 0; channel < sum.size(); ++channel) {
    const double mean = sum[channel] / values, variance = squares[channel] / values - mean * mean;
    recipe.mean.push_back(mean);
    recipe.deviation.push_back(variance > 1e-12 ? std::sqrt(variance) : 1);  // a constant stays one
  }
}

Task labelled(const data::Split& split, std::vector<std::string> classes) {
  const auto count = static_cast<int64_t>(classes.size());
  return {{.input = example_shape(split.train), .classes = std::move(classes), .outputs = count},
          split.train,
          split.test};
}

Task open_digits(Recipe&) {
  return labelled(data::digits(), numbered(10));
}

Task open_mnist(Recipe& recipe) {
  need_path(recipe);
  set_default(recipe.mean, {0.1307});
  set_default(recipe.deviation, {0.3081});
  return labelled(data::mnist(recipe.path), numbered(10));
}

Task open_cifar10(Recipe& recipe) {
  need_path(recipe);
  set_default(recipe.mean, {0.4914, 0.4822, 0.4465});
  set_default(recipe.deviation, {0.2470, 0.2435, 0.2616});
  return labelled(data::cifar10(recipe.path),
                  {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
}

Task open_cifar100(Recipe& recipe) {
  need_path(recipe);
  const data::Split split = data::cifar100(recipe.path);
  measure(recipe, split.train);
  return labelled(split, numbered(100));
}

Task open_images(Recipe& recipe) {
  need_path(recipe);
  data::ImageFolderOptions options{.channels = recipe.image_channels};
  if (recipe.image_size > 0) options.size = recipe.image_size;
  const std::filesystem::path path = recipe.path;
  const auto task = [&](const data::DataSet& train, const data::DataSet& test,
                        const std::vector<std::string>& classes) {
    measure(recipe, train);
    return Task{
        {.input = example_shape(train), .classes = classes, .outputs = static_cast<int64_t>(classes.size())},
        train,
        test};
  };
  if (!std::filesystem::exists(path / "train")) {
    const data::ImageFolder all = data::image_folder(path, options);
    const auto [train, test] = split(all.set, recipe);
    return task(train, test, all.classes);
  }
  const data::ImageFolder train = data::image_folder(path / "train", options),
                          test = data::image_folder(path / "test", options);
  if (train.classes != test.classes) {
    throw ValueError(recipe.path, "train has the classes " + listing(train.classes) + ", test has " +
                                      listing(test.classes) + "; expected the same");
  }
  return task(train.set, test.set, train.classes);
}

/// The problem of examples in memory, whose labels are class numbers or values.
Problem problem_of(const Recipe& recipe, const data::Examples& examples, const std::string& where) {
  Problem problem{.input = example_shape(examples)};
  if (recipe.loss == "mse") {
    problem.kind = Kind::values;
    problem.outputs = examples.labels.rank() == 1 ? 1 : examples.labels.size(1);
    return problem;
  }
  const int64_t lowest = *min(examples.labels).data<int64_t>(),
                highest = *max(examples.labels).data<int64_t>();
  if (lowest < 0 || highest >= training::ConfusionMatrix::kMaxClasses) {
    throw ValueError(where, "has labels from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                                "; class numbers start at 0 (for values to predict, give loss = mse)");
  }
  problem.outputs = highest + 1;
  problem.classes = numbered(problem.outputs);
  return problem;
}

Task open_table(Recipe& recipe, const data::Examples& all) {
  const Problem problem = problem_of(recipe, all, recipe.path);
  const auto [train, test] = split(all, recipe);
  measure(recipe, train);
  return {problem, train, test};
}

Task open_csv(Recipe& recipe) {
  need_path(recipe);
  if (recipe.label.empty()) throw ValueError("label", "is not given; data = csv needs the name of a column");
  const bool values = recipe.loss == "mse";
  const data::CsvTable table = data::load_csv(
      recipe.path, {.labels = {recipe.label}, .label_dtype = values ? Dtype::f32 : Dtype::i64});
  if (table.values.size(0) == 0) throw ValueError(recipe.path, "has no rows");
  if (table.values.size(1) == 0) throw ValueError(recipe.path, "has no column beside the label");
  return open_table(recipe, {table.values, table.labels});
}

/// One of the arrays of an npz file, as a model takes it.
Tensor take(const std::map<std::string, Tensor>& arrays, const std::string& name, const Recipe& recipe,
            bool labels) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) throw ValueError(recipe.path, "has no array '" + name + "'");
  const Tensor& array = found->second;
  if (labels) {
    if (array.rank() != 1 && !(array.rank() == 2 && recipe.loss == "mse"))
      throw ShapeError(recipe.path, name + " is " + describe(array) + "; expected [N]" +
                                        (recipe.loss == "mse" ? " or [N, outputs]" : ""));
    if (recipe.loss == "cross_entropy" && (is_floating(array.dtype()) || array.dtype() == Dtype::boolean))
      throw TypeError(recipe.path, name + " is " + describe(array) +
                                       "; expected class numbers (for values to predict, give loss = mse)");
    return cast(array, recipe.loss == "mse" ? Dtype::f32 : Dtype::i64);
  }
  if (array.rank() < 2 || array.rank() > 4)
    throw ShapeError(recipe.path,
                     name + " is " + describe(array) + "; expected [N, features], [N, H, W] or [N, C, H, W]");
  const Tensor numbers = array.dtype() == Dtype::u8 ? array : cast(array, Dtype::f32);
  return numbers.rank() == 3 ? unsqueeze(numbers, 1) : numbers;
}

Task open_arrays(Recipe& recipe) {
  need_path(recipe);
  const std::map<std::string, Tensor> arrays = io::load_npz(recipe.path);
  const auto part = [&](const std::string& prefix) {
    data::Examples examples{take(arrays, prefix + "inputs", recipe, false),
                            take(arrays, prefix + "labels", recipe, true)};
    if (examples.inputs.numel() == 0) throw ValueError(recipe.path, prefix + "inputs has no elements");
    return examples;
  };
  if (!arrays.contains("test_inputs")) return open_table(recipe, part(""));
  const data::Examples train = part(""), test = part("test_");
  Task task{problem_of(recipe, train, recipe.path), train, test};
  if (example_shape(test) != task.problem.input) {
    throw ShapeError(recipe.path, "inputs is " + describe(train.inputs) + ", test_inputs " +
                                      describe(test.inputs) + "; expected examples of one shape");
  }
  measure(recipe, task.train);
  return task;
}

Task open_text(Recipe& recipe) {
  need_path(recipe);
  const std::string text = data::read_text(recipe.path);
  const auto vocabulary = io::Vocabulary::characters(text);
  const Tensor tokens = vocabulary.encode(text);
  if (!(recipe.validation > 0 && recipe.validation < 1))
    throw ValueError("validation",
                     "is " + std::to_string(recipe.validation) + "; expected a share between 0 and 1");
  const auto learnt = static_cast<int64_t>(static_cast<double>(tokens.numel()) * (1 - recipe.validation));
  const data::DataSet test = data::windows(slice(tokens, 0, {.start = learnt}), recipe.context);
  std::vector<int64_t> side_by_side;
  for (int64_t i = 0; i < test.size(); i += recipe.context) side_by_side.push_back(i);
  return {
      {.kind = Kind::text, .input = {recipe.context}, .outputs = vocabulary.size(), .vocabulary = vocabulary},
      data::windows(slice(tokens, 0, {0, learnt}), recipe.context),
      data::subset(test, side_by_side)};
}

}  // namespace

Task open_task(Recipe& recipe) {
  static const std::map<std::string, std::function<Task(Recipe&)>> openers = {
      {"digits", open_digits}, {"mnist", open_mnist}, {"cifar10", open_cifar10}, {"cifar100", open_cifar100},
      {"images", open_images}, {"csv", open_csv},     {"arrays", open_arrays},   {"text", open_text},
  };
  const bool has_values = recipe.data == "csv" || recipe.data == "arrays";
  if (recipe.loss == "mse" && !has_values)
    throw ValueError("loss",
                     "mse is for values to predict (csv, arrays); data = " + recipe.data + " has classes");
  return openers.at(recipe.data)(recipe);
}

std::optional<Normalisation> normalisation(const Recipe& recipe, const Problem& problem) {
  if (problem.kind == Kind::text || (recipe.mean.empty() && recipe.deviation.empty())) return {};
  return Normalisation{recipe.mean.empty() ? std::vector<double>{0} : recipe.mean,
                       recipe.deviation.empty() ? std::vector<double>{1} : recipe.deviation};
}

std::vector<data::Transform> preparation(const Recipe& recipe, const Problem& problem) {
  const std::optional<Normalisation> numbers = normalisation(recipe, problem);
  if (!numbers) return {};
  const data::Transform normalise = data::normalise(numbers->mean, numbers->deviation);
  if (problem.input.rank() != 1) return {normalise};
  // The columns of a table are channels of images of one pixel.
  return {[normalise](const data::Examples& batch, data::RandomStream& random) {
    const Tensor& rows = batch.inputs;
    const data::Examples images =
        normalise({reshape(rows, {rows.size(0), rows.size(1), 1, 1}), batch.labels}, random);
    return data::Examples{reshape(images.inputs, rows.shape()), batch.labels};
  }};
}

std::vector<data::Transform> augmentation(const Recipe& recipe, const Problem& problem) {
  std::vector<data::Transform> all = preparation(recipe, problem);
  const bool changes_images =
      recipe.crop > 0 || recipe.flip || recipe.rotate > 0 || recipe.shift > 0 || recipe.cutout > 0;
  if (changes_images && problem.input.rank() != 3)
    throw ValueError(
        "recipe", "crop, flip, rotate, shift and cutout are for images; data = " + recipe.data + " has none");
  const data::Per per = recipe.per_batch ? data::Per::batch : data::Per::image;
  if (recipe.rotate > 0 || recipe.shift > 0)
    all.push_back(data::random_affine({.degrees = recipe.rotate, .shift = recipe.shift, .per = per}));
  if (recipe.crop > 0) all.push_back(data::random_crop(recipe.crop, per));
  if (recipe.flip) all.push_back(data::random_flip(0.5, per));
  if (recipe.cutout > 0) all.push_back(data::cutout(recipe.cutout, per));
  if (recipe.mixup > 0) {
    if (problem.kind != Kind::classes)
      throw ValueError("mixup", "is for classes; data = " + recipe.data + " has none");
    all.push_back(data::one_hot(problem.outputs));
    all.push_back(data::mixup(recipe.mixup));
  }
  return all;
}

data::Examples prepare(const Recipe& recipe, const Problem& problem, const data::Examples& batch) {
  data::Examples prepared = batch;
  data::RandomStream unused(0, 0, 0);
  for (const data::Transform& transform : preparation(recipe, problem))
    prepared = transform(prepared, unused);
  return prepared;
}

}  // namespace espalier::cli
