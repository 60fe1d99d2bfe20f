#include "cli/arguments.h"

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/nearest.h"
#include "cli/recipe.h"
#include "core/error.h"

namespace espalier::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done; 1 failed for another reason (no memory); 2 flags, keys or a recipe that make no "
    "sense;\n"
    "3 a file that cannot be read or written, or is not what it should be; 4 a loss that is not finite;\n"
    "130 interrupted by a signal (what was saved can be gone on with).\n"
    "'espalier COMMAND --help' has the flags of a command; docs/program.md has examples.";

/// A command: how it is called, and what runs it once its flags are read.
struct Command {
  CLI::App* app;
  std::function<Exit()> run;
};

/// `text` in lines that fit beside the names of flags, on 120 columns.
std::string wrapped(const std::string& text) {
  constexpr size_t kWidth = 84;
  std::string lines;
  size_t length = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool fits = length + word.size() + 1 <= kWidth;
    lines += lines.empty() ? "" : fits ? " " : "\n";
    length = fits ? length + word.size() + 1 : word.size();
    lines += word;
  }
  return lines;
}

std::string value_name(const Key& key) {
  constexpr std::array<const char*, 5> kNames = {"TEXT", "WHOLE", "NUMBER", "", "NUMBERS"};
  if (key.choices.empty()) return kNames[key.member.index()];
  std::string names;
  for (const std::string& choice : key.choices) names += (names.empty() ? "" : "|") + choice;
  return names;
}

/// A flag for every key of a recipe. What was given stands in `flags` after `collect` ran.
std::function<void()> add_recipe(CLI::App& app, RecipeFlags& flags) {
  app.add_option("recipe", flags.file, "a recipe in TOML, key = value; flags replace its keys")
      ->type_name("FILE");
  std::vector<std::pair<std::string, CLI::Option*>> options;
  for (const Key& key : keys()) {
    const std::string standard = text_of(Recipe(), key), name = "--" + key.name;
    const bool tell = !standard.empty() && standard != "false";
    const std::string help = wrapped(key.help + (tell ? " [" + standard + "]" : ""));
    CLI::Option* option = std::holds_alternative<bool Recipe::*>(key.member)
                              ? app.add_flag(name, help)
                              : app.add_option(name, help)->type_name(value_name(key))->expected(1);
    option->group("Recipe: " + key.group);
    options.emplace_back(key.name, option);
  }
  return [&flags, options] {
    for (const auto& [name, option] : options) {
      if (option->count() > 0) flags.keys.emplace_back(name, option->results().back());
    }
  };
}

Command add_train(CLI::App& program) {
  CLI::App* app = program.add_subcommand("train", "train a network by a recipe");
  auto flags = std::make_shared<TrainFlags>();
  const auto collect = add_recipe(*app, flags->recipe);
  app->add_option("--folder", flags->folder,
                  "where checkpoints, metrics.jsonl, model.safetensors and report.html go")
      ->type_name("DIR");
  app->add_flag("--resume", flags->resume, "go on from the folder's last checkpoint, by its recipe");
  app->add_option("--page", flags->page, "write a page about the run")->type_name("FILE.html");
  app->add_flag("--tensorboard", flags->tensorboard, "event files for TensorBoard in the folder as well");
  app->add_flag("--quiet", flags->quiet, "no line of progress");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags, collect] {
            collect();
            return train(*flags);
          }};
}

Command add_eval(CLI::App& program) {
  CLI::App* app = program.add_subcommand("eval", "say how well a trained model does");
  auto flags = std::make_shared<EvalFlags>();
  app->add_option("model", flags->model, "a run's folder, a checkpoint or a safetensors file of one")
      ->type_name("MODEL");
  app->add_option("--path", flags->data_path, "other data than it was trained with, of the same kind")
      ->type_name("PATH");
  app->add_option("--part", flags->part, "test or train [test]")->type_name("test|train");
  app->add_option("--page", flags->page, "write a page with the confusion matrix and mistakes")
      ->type_name("FILE.html");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags] { return eval(*flags); }};
}

Command add_predict(CLI::App& program) {
  CLI::App* app = program.add_subcommand("predict", "ask a trained model");
  auto flags = std::make_shared<PredictFlags>();
  app->add_option("model", flags->model, "a run's folder, a checkpoint or a safetensors file of one")
      ->type_name("MODEL");
  app->add_option("inputs", flags->inputs, "images (PNG, JPEG), arrays (.npy), or a text to go on from")
      ->type_name("FILE");
  app->add_option("--top", flags->top, "classes to name [3]")->type_name("WHOLE");
  app->add_option("--prompt", flags->prompt, "text models: go on from this")->type_name("TEXT");
  app->add_option("--count", flags->count, "text models: so many tokens [500]")->type_name("WHOLE");
  app->add_option("--temperature", flags->sampling.temperature,
                  "text models: below 1 bolder, 0 the most probable [0.8]")
      ->type_name("NUMBER");
  app->add_option("--top_k", flags->sampling.top_k, "text models: only from so many tokens; 0: all [0]")
      ->type_name("WHOLE");
  app->add_option("--top_p", flags->sampling.top_p,
                  "text models: only from those that make up this share [1]")
      ->type_name("NUMBER");
  app->add_option("--seed", flags->seed, "text models: of the draws [1]")->type_name("WHOLE");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags] { return predict(*flags); }};
}

Command add_inspect(CLI::App& program) {
  CLI::App* app = program.add_subcommand("inspect", "list what is in files of tensors and checkpoints");
  auto flags = std::make_shared<InspectFlags>();
  app->add_option("files", flags->files, "safetensors, npy, npz, ONNX, a checkpoint or a run's folder")
      ->type_name("FILE");
  app->add_flag("--fast", flags->fast, "names, types and shapes only");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags] { return inspect(*flags); }};
}

Command add_convert(CLI::App& program) {
  CLI::App* app = program.add_subcommand("convert", "write tensors in another format or type");
  auto flags = std::make_shared<ConvertFlags>();
  app->add_option("from", flags->from, "safetensors, npy, npz, ONNX, a checkpoint or a run's folder")
      ->type_name("FROM");
  app->add_option("to", flags->to, "a file .safetensors, .npz or .npy")->type_name("TO");
  app->add_option("--dtype", flags->dtype, "of floating-point tensors; by default as they are")
      ->type_name("f32|f16|bf16");
  return {app, [flags] { return convert(*flags); }};
}

Command add_compile(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("compile", "make a trained model a package that runs without its code");
  auto flags = std::make_shared<CompileFlags>();
  app->add_option("model", flags->model,
                  "a run's folder, a checkpoint or a safetensors file of one, or NAME.onnx: an ONNX model")
      ->type_name("MODEL");
  app->add_option("to", flags->to, "the package to write, a safetensors file, or NAME.onnx: an ONNX model")
      ->type_name("TO");
  app->add_option(
         "--batch", flags->batch,
         "examples that a run takes at once; by default any number, or 1 where the model does not allow "
         "that, and in ONNX models")
      ->type_name("WHOLE");
  app->add_option("--size", flags->sizes,
                  "ONNX models: the size of an axis that has a name instead; once each")
      ->type_name("NAME=WHOLE")
      ->expected(1)
      ->take_all();
  app->add_option(
         "--classes", flags->classes,
         "ONNX models: what the numbers that it puts out are the scores of; else 'run' prints numbers")
      ->type_name("NAME,NAME,...");
  app->add_flag("--int8", flags->int8,
                "compute convolutions and linear layers in 8 bits, calibrated on 256 training examples");
  app->add_option("--path", flags->data_path, "with --int8: where the recipe's data is now")
      ->type_name("PATH");
  app->add_option("--kernels", flags->kernels,
                  "with --int8: only layers that it makes faster, by the times in this file, to which "
                  "missing ones are added")
      ->type_name("FILE.json");
  app->add_flag(
      "--strict", flags->strict,
      "leave out passes that change how results round: with 'run --strict' the bits of the network");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags] { return compile(*flags); }};
}

/// How a package is run.
void add_plan(CLI::App& app, std::string& kernels, bool& strict) {
  app.add_option("--kernels", kernels,
                 "choose kernels by the times in this file, and time and add those that it lacks")
      ->type_name("FILE.json");
  app.add_flag("--strict", strict,
               "of a package that 'compile --strict' wrote, compute the bits of the network, more slowly");
}

Command add_run(CLI::App& program) {
  CLI::App* app = program.add_subcommand("run", "ask a package");
  auto flags = std::make_shared<RunFlags>();
  app->add_option("package", flags->package, "what 'espalier compile' wrote")->type_name("PACKAGE");
  app->add_option("inputs", flags->inputs, "images (PNG, JPEG), arrays (.npy), or folders of them")
      ->type_name("FILE");
  app->add_option("--top", flags->top, "classes to name [3]")->type_name("WHOLE");
  app->add_option("--batch", flags->batch, "examples at once, where the package takes any number [32]")
      ->type_name("WHOLE");
  add_plan(*app, flags->kernels, flags->strict);
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags] { return run_package(*flags); }};
}

Command add_explain(CLI::App& program) {
  CLI::App* app = program.add_subcommand("explain", "say where the time and the memory of a package go");
  auto flags = std::make_shared<ExplainFlags>();
  app->add_option("package", flags->package, "what 'espalier compile' wrote")->type_name("PACKAGE");
  app->add_option("--rounds", flags->rounds, "runs, of which each step's median is taken [20]")
      ->type_name("WHOLE");
  app->add_option("--batch", flags->batch, "examples at once, where the package takes any number [1]")
      ->type_name("WHOLE");
  app->add_option("--size", flags->sizes,
                  "of another axis that the package leaves free, by its name; once each")
      ->type_name("NAME=WHOLE")
      ->expected(1)
      ->take_all();
  app->add_option("--page", flags->page, "write a page with the plan and the graph drawn")
      ->type_name("FILE.html");
  add_plan(*app, flags->kernels, flags->strict);
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags] { return explain(*flags); }};
}

Command add_profile(CLI::App& program) {
  CLI::App* app = program.add_subcommand("profile", "say where the time of training steps goes");
  auto flags = std::make_shared<ProfileFlags>();
  const auto collect = add_recipe(*app, flags->recipe);
  app->add_option("--profiled_steps", flags->steps, "steps to look at [20]")->type_name("WHOLE");
  app->add_option("--trace", flags->trace, "write a trace for chrome://tracing or ui.perfetto.dev")
      ->type_name("FILE.json");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags, collect] {
            collect();
            return profile(*flags);
          }};
}

Command add_bench(CLI::App& program) {
  CLI::App* app = program.add_subcommand("bench", "time training steps and inference by a recipe");
  auto flags = std::make_shared<BenchFlags>();
  const auto collect = add_recipe(*app, flags->recipe);
  app->add_option("--seconds", flags->seconds, "for each figure [2]")->type_name("NUMBER");
  app->add_flag("--json", flags->json, "print the result as JSON");
  return {app, [flags, collect] {
            collect();
            return bench(*flags);
          }};
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// Throws where something was given that the command does not know.
void refuse_extras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  // A flag that is not known leaves its value behind as well: the flag is what is wrong.
  const auto flag =
      std::find_if(extras.begin(), extras.end(), [](const std::string& one) { return one.starts_with("-"); });
  if (flag == extras.end()) throw ValueError(app.get_name(), "has no use for '" + extras[0] + "'");
  const std::string name = flag->substr(0, flag->find('='));
  throw ValueError(app.get_name(), "'" + name + "' is no flag" + did_you_mean(name, flag_names(app)));
}

Exit run_command(int argc, const char* const* argv) {
  CLI::App program("Trains neural networks, says how well they do, and looks into them.", "espalier");
  program.set_version_flag("--version", std::string("espalier ") + ESPALIER_VERSION);
  program.footer(kFooter);
  program.get_formatter()->column_width(34);
  program.require_subcommand(0, 1);  // what follows a command is none: a folder may be named "run"
  const std::vector<Command> commands = {add_train(program),   add_eval(program),    add_predict(program),
                                         add_compile(program), add_run(program),     add_explain(program),
                                         add_inspect(program), add_convert(program), add_profile(program),
                                         add_bench(program)};
  std::vector<std::string> names;
  for (const Command& command : commands) {
    names.push_back(command.app->get_name());
    command.app->allow_extras();
  }
  if (argc < 2) throw ValueError("command", "expected a command: " + listing(names) + "; --help has more");
  if (const std::string name = argv[1];
      !name.starts_with("-") && std::find(names.begin(), names.end(), name) == names.end())
    throw ValueError("command",
                     "'" + name + "' is no command; there are " + listing(names) + did_you_mean(name, names));
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << program.help();
    return Exit::done;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return Exit::done;
  } catch (const CLI::ParseError& error) {
    throw ValueError("command", error.what());
  }
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    refuse_extras(*command.app);
    return command.run();
  }
  throw ValueError("command", "expected a command: " + listing(names));
}

/// `text` on one line.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

int fail(const std::exception& error, Exit code) {
  std::cerr << "espalier: " << one_line(error.what()) << '\n';
  return static_cast<int>(code);
}

}  // namespace

int run(int argc, const char* const* argv) {
  try {
    const Exit code = run_command(argc, argv);
    std::cout.flush();
    if (!std::cout) throw IoError("standard output", "cannot be written");
    return static_cast<int>(code);
  } catch (const NumericError& error) {
    return fail(error, Exit::numbers);
  } catch (const IoError& error) {
    return fail(error, Exit::file);
  } catch (const FormatError& error) {
    return fail(error, Exit::file);
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(error, Exit::file);
  } catch (const MemoryError& error) {
    return fail(error, Exit::failed);
  } catch (const Error& error) {
    return fail(error, Exit::usage);
  } catch (const std::exception& error) {
    return fail(error, Exit::failed);
  }
}

}  // namespace espalier::cli
