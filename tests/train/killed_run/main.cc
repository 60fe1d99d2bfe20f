// killed_run FOLDER: goes on with the run there, from its last checkpoint, until it ends.

#include <exception>
#include <iostream>

#include "tests/train/digits_run.h"

int main(int argc, char** argv) {
  using namespace espalier::training;
  try {
    if (argc != 2) throw std::runtime_error("usage: killed_run FOLDER");
    DigitsRun().trainer.run(long_digits_options(argv[1]));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
