#include "cli/recipe.h"

namespace espalier::cli {

const std::vector<Key>& keys() {
  // Bounds keep arithmetic on the values inside 64 bits; what makes sense within them is checked by what a
  // value is given to.
  constexpr double kMany = 1e12;
  static const std::vector<Key> all = {
      {"data",
       "data",
       "what to learn from",
       &Recipe::data,
       0,
       0,
       {"digits", "mnist", "cifar10", "cifar100", "images", "csv", "arrays", "text"}},
      {"path", "data",
       "where it is: a folder (mnist, cifar10, cifar100; images: a sub-folder for each class, perhaps below "
       "train and test) or a "
       "file (csv, text; arrays: npz with inputs and labels, perhaps test_inputs and test_labels)",
       &Recipe::path},
      {"label", "data", "csv: the column with the class or (loss = mse) the value to predict",
       &Recipe::label},
      {"image_size", "data", "images: resized and cut to so many pixels a side; 0: all have one size already",
       &Recipe::image_size, 0, 8192},
      {"image_channels", "data", "images: 1 (grey) or 3 (colour)", &Recipe::image_channels, 1, 3},
      {"validation", "data", "the share kept for evaluation where the data has no test part",
       &Recipe::validation, 0, 1},
      {"mean", "data",
       "subtracted from the inputs, one number or one for each channel; by default as the data has it",
       &Recipe::mean},
      {"deviation", "data", "what the inputs are then divided by", &Recipe::deviation},
      {"crop", "data", "shift images by up to so many pixels", &Recipe::crop, 0, 8192},
      {"flip", "data", "mirror half of the images", &Recipe::flip},
      {"rotate", "data", "turn images by up to so many degrees", &Recipe::rotate, 0, 180},
      {"shift", "data", "move images by up to this share of their size", &Recipe::shift, 0, 1},
      {"cutout", "data", "blank a square of so many pixels a side", &Recipe::cutout, 0, 8192},
      {"mixup", "data", "mix examples, with shares from Beta(mixup, mixup)", &Recipe::mixup, 0, 1000},
      {"per_batch", "data", "draw crop, flip, rotate, shift and cutout once for a batch, not for each image",
       &Recipe::per_batch},
      {"workers", "data", "threads that make batches ahead", &Recipe::workers, 0, 1024},

      {"model", "model",
       "mlp, lenet5, article, resnet20, resnet56, gpt, or layers one after the other: 'conv 16 3 padding=1, "
       "relu, max_pool 2, "
       "flatten, linear 10' (inputs are sized by what comes in; the layers: docs/program.md)",
       &Recipe::model},
      {"hidden", "model", "mlp: the features of its hidden layers, '256,128' say", &Recipe::hidden},
      {"layers", "model", "gpt: blocks", &Recipe::layers, 1, 1000},
      {"width", "model", "gpt: features of a token", &Recipe::width, 1, 1 << 20},
      {"heads", "model", "gpt: attention heads", &Recipe::heads, 1, 1 << 16},
      {"context", "model", "gpt: tokens that it looks back on", &Recipe::context, 1, 1 << 20},

      {"optimiser",
       "optimiser",
       "what updates the weights",
       &Recipe::optimiser,
       0,
       0,
       {"sgd", "adam", "adamw", "rmsprop", "lion"}},
      {"learning_rate", "optimiser", "the highest of the schedule", &Recipe::learning_rate, 0, 1e6},
      {"momentum", "optimiser", "sgd, rmsprop", &Recipe::momentum, 0, 1},
      {"nesterov", "optimiser", "sgd: look ahead along the momentum", &Recipe::nesterov},
      {"beta1", "optimiser", "adam, adamw, lion", &Recipe::beta1, 0, 1},
      {"beta2", "optimiser", "adam, adamw, lion", &Recipe::beta2, 0, 1},
      {"weight_decay", "optimiser", "pulls weights towards 0", &Recipe::weight_decay, 0, 1e6},
      {"decay_all", "optimiser", "decay biases and the weights of norms as well", &Recipe::decay_all},
      {"l1", "optimiser", "times the sum of |weight|, added to the loss", &Recipe::l1, 0, 1e6},
      {"l2", "optimiser", "times the sum of weight^2, added to the loss", &Recipe::l2, 0, 1e6},
      {"loss",
       "optimiser",
       "cross_entropy for classes and texts, mse for values (csv, arrays)",
       &Recipe::loss,
       0,
       0,
       {"cross_entropy", "mse"}},
      {"label_smoothing", "optimiser", "the share of each label that is spread over all classes",
       &Recipe::label_smoothing, 0, 1},
      {"schedule",
       "optimiser",
       "how the learning rate changes over the run",
       &Recipe::schedule,
       0,
       0,
       {"constant", "linear", "cosine", "one_cycle"}},
      {"warm_up", "optimiser", "steps in which the rate rises first (not with one_cycle)", &Recipe::warm_up,
       0, kMany},
      {"final_rate", "optimiser", "linear, cosine: the last rate, as a share of the learning rate",
       &Recipe::final_rate, 0, 1},
      {"average", "optimiser",
       "evaluate and keep a moving average of the weights with this decay, 0.999 say; 0: none",
       &Recipe::average, 0, 1},

      {"epochs", "run", "passes over the data", &Recipe::epochs, 1, kMany},
      {"steps", "run", "so many steps instead; 0: epochs count", &Recipe::steps, 0, kMany},
      {"batch_size", "run", "examples in a batch", &Recipe::batch_size, 1, 1 << 24},
      {"drop_last", "run", "leave out an epoch's last batch where it is not full", &Recipe::drop_last},
      {"accumulate", "run", "batches to a step", &Recipe::accumulate, 1, 1 << 24},
      {"clip_norm", "run", "bound on the norm of the gradients; 0: none", &Recipe::clip_norm, 0, 1e12},
      {"precision",
       "run",
       "what products and convolutions compute in",
       &Recipe::precision,
       0,
       0,
       {"f32", "bf16", "f16"}},
      {"seed", "run", "of weights, order and everything else that goes by chance", &Recipe::seed, 0, 9e15},
      {"evaluate_every", "run", "steps from one evaluation to the next; 0: after each epoch",
       &Recipe::evaluate_every, 0, kMany},
      {"log_every", "run", "steps from one row of metrics to the next", &Recipe::log_every, 1, kMany},
      {"patience", "run", "stop after more evaluations than this without progress; 0: never",
       &Recipe::patience, 0, kMany},
      {"checkpoint_every", "run", "steps from one checkpoint to the next; 0: after each evaluation",
       &Recipe::checkpoint_every, 0, kMany},
      {"keep_last", "run", "checkpoints that stay, of the last ones", &Recipe::keep_last, 1, kMany},
      {"keep_best", "run", "... and of the best ones", &Recipe::keep_best, 0, kMany},
  };
  return all;
}

const std::vector<std::string>& key_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const Key& key : keys()) result.push_back(key.name);
    return result;
  }();
  return names;
}

}  // namespace espalier::cli
