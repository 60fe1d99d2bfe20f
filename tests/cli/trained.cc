#include "tests/cli/trained.h"

#include <filesystem>

#include "data/digits.h"
#include "io/image.h"
#include "ops/at.h"
#include "ops/cast.h"
#include "ops/multiply.h"
#include "tests/cli/program.h"

namespace espalier::test {

std::string trained(const TemporaryFolder& folder) {
  const data::Examples digits = data::digits().train;
  const int64_t* const labels = digits.labels.data<int64_t>();
  for (int64_t i = 0; i < 300; ++i) {
    if (labels[i] > 2) continue;
    const std::filesystem::path place = folder / "images" / std::to_string(labels[i]);
    std::filesystem::create_directories(place);
    io::save_png(place / (std::to_string(i) + ".png"), cast(at(digits.inputs, i) * 255.0, Dtype::u8));
  }
  std::string run = folder / "run";
  output_of({"train",
             "--data",
             "images",
             "--path",
             folder / "images",
             "--image_channels",
             "1",
             "--validation",
             "0.3",
             "--model",
             "conv 8 3 padding=1, batch_norm, relu, max_pool 2, flatten, linear 3",
             "--epochs",
             "3",
             "--learning_rate",
             "1e-2",
             "--batch_size",
             "8",
             "--folder",
             run,
             "--quiet"});
  return run;
}

}  // namespace espalier::test
