#include <omp.h>

#include "core/parallel_internal.h"

namespace espalier::detail {

// The whole team, even for fewer parts than threads: GCC's OpenMP ends the threads that a smaller team leaves
// out, and makes new ones for the next larger team. OpenMP may give fewer threads than asked for
// (OMP_THREAD_LIMIT, a caller that is in a parallel region of its own), so parts are dealt out.
void run_on_team(ParallelTask& task) {
#pragma omp parallel num_threads(task.threads())
  for (int part = omp_get_thread_num(); part < task.parts(); part += omp_get_num_threads()) task.run(part);
}

int default_team_size() {
  return omp_get_max_threads();
}

}  // namespace espalier::detail
