#pragma once

#include <string>
#include <string_view>

#include "core/dims.h"
#include "nn/sequential.h"

namespace espalier::cli {

/// What make_layers() made.
struct Layers {
  nn::Sequential net;
  Shape output;  ///< of one example
};

/// Layers one after the other, from text: `conv 16 3 padding=1, relu, max_pool 2, flatten, linear 10`.
///
///     linear OUT                      conv OUT KERNEL [stride=1] [padding=0] [groups=1]      (bias=false for
///     both) batch_norm   layer_norm         by what comes in: [N, C], [N, C, H, W]; the last axis max_pool K
///     [stride=K] [padding=0]   average_pool K [stride=K] [padding=0]   global_average_pool dropout P flatten
///     relu  leaky_relu  gelu  silu  elu  tanh  sigmoid
///
/// Each layer is sized by what the one before puts out: `input` is the shape of one example. Throws
/// ValueError for an unknown layer, with the nearest known one, for arguments that are missing, too many or
/// none, and ShapeError where a layer does not take what comes in; both name the layer by its text and
/// number.
Layers make_layers(std::string_view text, const Shape& input);

}  // namespace espalier::cli
