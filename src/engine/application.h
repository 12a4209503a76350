// SPDX-License-Identifier: Apache-2.0
//
// What the engine calls: the application on each lcore, and the listener of sessions.
#ifndef SLUICE_ENGINE_APPLICATION_H_
#define SLUICE_ENGINE_APPLICATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "crypto/aead.h"
#include "crypto/handshake.h"
#include "transport/commands.h"
#include "transport/endpoint.h"
#include "transport/peer_address.h"

namespace sluice::engine {

class Doorbell;

// The lcore that a call runs on. The endpoint may be used during the call and only then.
struct LcoreContext {
  transport::Endpoint& endpoint;
  uint8_t index = 0;  // Within its node.
  base::Nanos now;    // The loop's clock reading, since the process's first engine began.
  // Rung by a thread that has left something for poll(); null where the lcore never sleeps. It
  // lives as long as the engine.
  Doorbell* doorbell = nullptr;
};

// One lane of a session, as its lcore sees it.
struct LaneInfo {
  transport::LaneRef ref;
  base::SessionId session;  // The local id: the same on every lcore of the node.
  uint8_t lane = 0;         // Number within the session.
  uint8_t lcore = 0;        // Of this side, within the node.
  uint8_t peer_lcore = 0;
};

// A session, as the control thread sees it.
struct SessionInfo {
  base::SessionId session;  // The local id.
  base::SessionId peer_session;
  transport::PeerAddress peer;  // Its base port; lane packets go to this plus the peer's lcore.
  bool initiator = false;
  crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kNone;
  crypto::RecordMode record_mode = crypto::RecordMode::kOff;
  bool padded = false;    // Both sides conceal the lengths of their messages.
  std::string peer_name;  // The DNS name that the peer proved; empty with pre-shared keys.
  std::vector<std::string> peer_chain;  // Who answers for it, from the anchor's name to peer_name.
  std::string peer_key;                 // SHA-256 of its public key, in hexadecimal digits.
  // Wall-clock time since 1970 at which the session ends with a certificate of either side.
  uint64_t expires_ns = crypto::kNeverExpires;
  std::vector<LaneInfo> lanes;  // Those of all lcores.
};

// Runs on one lcore, inside its loop: it must not block, lock or allocate, and the time it takes
// is time in which nothing is received.
class LcoreApplication {
 public:
  virtual ~LcoreApplication() = default;

  // On the lcore, before its first packet: the place for Endpoint::set_landing().
  virtual void on_start(LcoreContext& /*context*/) {}
  // A lane may be used from now on. Its end is told by an event (kLaneDown).
  virtual void on_lane(LcoreContext& /*context*/, const LaneInfo& /*lane*/,
                       const transport::PeerAddress& /*peer*/, bool /*initiator*/) {}
  // How many events the application can take now; 0 holds them back in the endpoint, which then
  // stops granting.
  virtual size_t event_room() { return 64; }
  // Everything that the endpoint has to say, in order.
  virtual void on_events(LcoreContext& context, std::span<const transport::Event> events) = 0;
  // Once per loop, and once more after the events of each earlier part of a burst (see
  // limits::kPartWeight). True when it gave the endpoint something to do.
  virtual bool poll(LcoreContext& /*context*/) { return false; }
  // When poll() is to be called again though nothing comes and nobody rings; the past: in the next
  // loop, and Nanos::max(): never. Asked for where the lcore may sleep till then.
  virtual base::Nanos wanted_at() { return base::Nanos::max(); }
  // On the lcore, after its last packet.
  virtual void on_stop(LcoreContext& /*context*/) {}
};

// Calls that begin with their session, before any other of lane 0.
class FirstCalls {
 public:
  virtual ~FirstCalls() = default;
  // The control thread: the first of them, as far as they do no harm when they are executed again.
  virtual std::vector<crypto::EarlyRequest> early() const = 0;
  // On the lcore of lane 0, once, when the lane is there: begins all of them in order. The peer has
  // the first `taken` already.
  virtual void begin(LcoreContext& context, const LaneInfo& lane, uint8_t taken) = 0;
};

// What a session is begun with.
struct ConnectRequest {
  transport::PeerAddress peer;
  std::string peer_name;  // The DNS name that the peer has to prove; empty with pre-shared keys.
  base::Nanos timeout;
  bool resume = true;                 // By a ticket of an earlier session, where there is one.
  std::shared_ptr<FirstCalls> calls;  // May be null.
};

// Runs on the control thread; may lock and allocate, should not take long.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  // All lanes of a session are installed. Comes before the callback of connect().
  virtual void on_session_up(size_t node, const SessionInfo& session) = 0;
  // The session is about to leave Engine::sessions(): whoever looks for it finds it there, or
  // knows why not. Its lanes end later.
  virtual void on_session_ending(size_t /*node*/, const SessionInfo& /*session*/,
                                 base::Code /*code*/, const std::string& /*reason*/) {}
  // All lanes have ended, and their last events have been given to the applications.
  virtual void on_session_down(size_t node, const SessionInfo& session, base::Code code,
                               const std::string& reason) = 0;
  // A peer that holds an address was refused as a server refuses: for the operator's log.
  virtual void on_peer_refused(size_t /*node*/, const transport::PeerAddress& /*peer*/,
                               const std::string& /*reason*/) {}
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_APPLICATION_H_
