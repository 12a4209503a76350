// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CONNECT_H_
#define SLUICE_CONNECT_H_

#include <cstdint>
#include <span>
#include <string>

#include "sluice/buffer.h"
#include "sluice/call.h"

namespace sluice {

// A call that begins with its session. It goes by the session's first lane, so it belongs to lcore
// 0 of the node, where `done` runs, and is served by lcore 0 of the peer; `options.lane` has no
// effect. The buffer is one of Buffer::borrow().
struct FirstCall {
  CallOptions options;
  Buffer request;
  CallFn done = nullptr;
  void* context = nullptr;
};

// How a session is begun.
struct ConnectOptions {
  uint64_t timeout_ns = 1'000'000'000;
  std::string peer_name;  // With certificates: the DNS name that the peer has to prove.
  // By what an earlier session with that name has left, where there is something; without, the
  // handshake is a full one. The names and keys of both sides are judged as good today in any case.
  bool resume = true;
  // Begun in their order, those that are `idempotent` first. With certificates, and after an
  // earlier session with the same peer, these travel with the first packets, and the first answer
  // can be there after one round trip. At most 16 go so, of at most 1024 bytes each and 8 KB
  // together; the others go when the session is there, as all do if the peer does not take them
  // early.
  std::span<FirstCall> calls;
};

}  // namespace sluice

#endif  // SLUICE_CONNECT_H_
