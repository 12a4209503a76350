// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENGINE_LCORE_TASK_H_
#define SLUICE_ENGINE_LCORE_TASK_H_

#include "engine/application.h"

namespace sluice::engine {

class Lcore;

// A command of another thread to an lcore. Made and freed by that thread; the lcore only runs it,
// so it allocates nothing there.
class LcoreTask {
 public:
  virtual ~LcoreTask() = default;
  // On the lcore, between two turns of its loop.
  virtual void run(Lcore& lcore, LcoreContext& context) = 0;
  // On the lcore, as the last thing it does with the task: hands it back.
  virtual void finish(Lcore& lcore) = 0;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_LCORE_TASK_H_
