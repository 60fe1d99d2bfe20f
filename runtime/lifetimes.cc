#include "runtime/lifetimes_internal.h"

namespace espalier::runtime {

int Life::lane_in(int stage) const {
  if (stage != first_stage && stage != last_stage) return kSeveralLanes;
  return stage == first_stage ? first_lane : last_lane;
}

bool Life::ends_before(const Life& other) const {
  if (last_stage != other.first_stage) return last_stage < other.first_stage;
  return last_lane != kSeveralLanes && last_lane == other.first_lane && last < other.first;
}

std::vector<Life> lives_of(const std::vector<Step>& steps, size_t buffers) {
  std::vector<Life> lives(buffers);
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const auto use = [&](int buffer) {
      if (buffer < 0) return;
      Life& life = lives[static_cast<size_t>(buffer)];
      if (!life.used()) {
        life.first = static_cast<int>(i);
        life.first_stage = step.stage;
        life.first_lane = step.lane;
      } else if (life.first_stage == step.stage && life.first_lane != step.lane) {
        life.first_lane = Life::kSeveralLanes;
      }
      if (life.last_stage != step.stage)
        life.last_lane = step.lane;
      else if (life.last_lane != step.lane)
        life.last_lane = Life::kSeveralLanes;
      life.last = static_cast<int>(i);
      life.last_stage = step.stage;
    };
    for (const Operand& input : step.inputs) use(input.buffer);
    for (const Operand& output : step.outputs) use(output.buffer);
    use(step.scratch);
  }
  return lives;
}

}  // namespace espalier::runtime
