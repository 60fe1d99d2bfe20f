#include "core/parallel.h"
#include "ops/cast.h"
#include "ops/elementwise_internal.h"

namespace espalier {
namespace {

/// Two steps through a tile of the widest type that holds both exactly.
template <class C>
void convert(const Tensor& input, const Tensor& output) {
  const ElementwiseLoop loop(output, Inputs(&input, 1));
  const std::array<int64_t, kMaxOperands> strides = loop.inner().strides;
  parallel_for(0, loop.elements, kSerialWork, [&](int64_t first, int64_t last) {
    C tile[kTile];
    for_each_row(loop, first, last, [&](const ElementwiseRow& row) {
      for (int64_t begin = 0; begin < row.size; begin += kTile) {
        const int64_t n = std::min(kTile, row.size - begin);
        const auto at = [&](size_t o) {
          return row.data[o] + begin * strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
        };
        load_tile(tile, loop.dtypes[1], at(1), strides[1], n);
        store_tile(tile, loop.dtypes[0], at(0), strides[0], n);
      }
    });
  });
}

}  // namespace

void cast_cpu(const Cast&, Inputs inputs, Outputs outputs) {
  const Dtype from = inputs[0].dtype(), to = outputs[0].dtype();
  if (outputs[0].numel() == 0) return;
  if (!is_floating(from))
    return convert<int64_t>(inputs[0], outputs[0]);  // u64 keeps its bits on the way to an integer
  if (from == Dtype::f64 || !is_floating(to)) return convert<double>(inputs[0], outputs[0]);
  convert<float>(inputs[0], outputs[0]);
}

}  // namespace espalier
