// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_API_STATS_H_
#define SLUICE_API_API_STATS_H_

#include "transport/stats.h"

namespace sluice::internal {

// What the api itself counts on an lcore; the names are stable.
#define SLUICE_API_COUNTERS(X)                                                                \
  X(no_handler, "refused.no_handler", "requests of a service without a handler")              \
  X(unanswered, "refused.unanswered", "requests that a handler or thread let go unanswered")  \
  X(draining, "refused.draining", "requests that came while the engine was draining")         \
  X(offers_refused, "refused.offers", "large messages that the handler did not land")         \
  X(inbox_full, "refused.inbox_full", "requests and one-way messages beyond an inbox's room") \
  X(lost, "messages.lost", "messages that ended after their landing was named")               \
  X(limit_calls, "limit.calls", "calls and responses refused: no slot for their completion")

struct ApiStats {
#define SLUICE_DECLARE(field, name, help) transport::Counter field;
  SLUICE_API_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

template <typename F>
void for_each_counter(const ApiStats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_API_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

}  // namespace sluice::internal

#endif  // SLUICE_API_API_STATS_H_
