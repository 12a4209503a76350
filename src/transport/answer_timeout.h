// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_ANSWER_TIMEOUT_H_
#define SLUICE_TRANSPORT_ANSWER_TIMEOUT_H_

#include <algorithm>

#include "transport/config.h"
#include "transport/held_acks.h"
#include "transport/lane.h"

namespace sluice::transport {

// How long an answer to the exchange may take, with what the peer may hold it back.
inline base::Nanos answer_timeout(const EndpointConfig& config, const Exchange& exchange) {
  const base::Nanos answer = exchange.lane->rtt.timeout(exchange.backoff);
  if (exchange.state != ExchangeState::kSending) return answer;
  // A peer that knows of a message asks for what it misses by itself.
  const Outgoing& out = exchange.out;
  if (out.known && out.sent < out.length) return std::max(answer, config.rto_max);
  return exchange.one_way && exchange.lazy ? base::after(answer, kLazyHold) : answer;
}

// When an exchange that is sent now has to be looked at.
inline base::Nanos first_look(const EndpointConfig& config, const Exchange& exchange,
                              base::Nanos now) {
  return std::min(exchange.deadline, base::after(now, answer_timeout(config, exchange)));
}

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_ANSWER_TIMEOUT_H_
