// SPDX-License-Identifier: Apache-2.0
//
// The sessions of one node: from an ended handshake to lanes on the lcores, and back to nothing.
// The control thread drives it; sessions() may be read by any thread.
#ifndef SLUICE_ENGINE_SESSIONS_H_
#define SLUICE_ENGINE_SESSIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "crypto/handshake.h"
#include "crypto/policy.h"
#include "crypto/primitives.h"
#include "engine/application.h"
#include "engine/channel.h"
#include "engine/lcore_task.h"
#include "engine/paths.h"
#include "engine/spi_lcores.h"
#include "engine/stats.h"
#include "transport/connector_types.h"
#include "wire/header.h"
#include "wire/ip_address.h"

namespace sluice::engine {

class Sessions;

// A task of the control thread: comes back to it by a notice when the lcore has run it.
class ControlTask : public LcoreTask {
 public:
  void finish(Lcore& lcore) final;
  // The control thread; `ran` is false when the lcore had stopped. The task is deleted afterwards.
  virtual void done(Sessions& /*sessions*/, bool /*ran*/, base::Nanos /*now*/) {}
};

class Sessions {
 public:
  struct Setup {
    size_t node = 0;
    uint8_t lcores = 1;
    const crypto::Primitives* primitives = nullptr;
    Paths* paths = nullptr;
    SpiLcores* spi_lcores = nullptr;  // Null where no session has ESP.
    uint8_t native_protocol = 0;      // What their packets name as the next header.
    ControlStats* stats = nullptr;
    SessionListener* listener = nullptr;  // May be null.
    // Gives a task to an lcore and owns it from then on. Never calls done() itself, also not when
    // the lcore has stopped: that comes later.
    std::function<void(uint8_t lcore, ControlTask* task)> post;
    crypto::WallClock wall_clock{};  // For the ends of certificates; may be empty without any.
    // Gives the local id back to the connector.
    std::function<void(base::SessionId)> release_id;
    // What the peer of that name may send, null for everything; and whether it may have a session.
    std::function<std::shared_ptr<const crypto::Permissions>(const std::string&)> permissions;
    std::function<bool(const std::string&)> may_connect;
    // Whether the peer would still be accepted by its certificates; they and its name are set.
    std::function<bool(const crypto::HandshakeResult&, bool initiator)> still_trusted;
    // A session is gone, whether it was announced or not; comes before the listener is told.
    std::function<void(const SessionInfo&, base::Code, const std::string& reason)> ended;
    // All lanes are installed, or could not be; for the callback of connect().
    std::function<void(transport::ConnectId, const SessionInfo*, const std::string& error)> ready;
  };

  explicit Sessions(Setup setup);

  // A kEstablished event. `calls`: to begin with the session; may be null.
  void establish(const transport::ConnectorEvent& event, std::shared_ptr<FirstCalls> calls,
                 base::Nanos now);
  // A kConfirmed event.
  void confirm(const transport::ConnectorEvent& event);
  // Whether all lanes of a session are there.
  bool installed(base::SessionId session) const;
  // NotFound is false. `tell_peer` sends a CLOSE on every lane.
  bool close(base::SessionId session, base::Code code, const std::string& reason, bool tell_peer);
  void close_all(base::Code code, const std::string& reason, bool tell_peer);
  bool update_keys(base::SessionId session);
  // Holds every session to the trust and the policy of now: ends those that they do not allow, and
  // tells the lcores what the others may send.
  void judge_again();
  // Null when it is gone. For the control thread, until it does anything else here.
  const SessionInfo* find(base::SessionId session) const;
  // Ends the sessions whose certificates have expired; due at next_expiry(). The wall clock may be
  // set while they wait, so it is looked at often.
  void expire(base::Nanos now);
  base::Nanos next_expiry() const { return next_expiry_; }
  // A RESET: probes the session when the token is the peer's.
  void on_reset(const wire::IpAddress& from, std::span<const uint8_t> packet);
  void on_lane_down(uint8_t lcore, transport::LaneRef lane, base::Code code);
  void on_installed(base::SessionId session, size_t lane, std::optional<transport::LaneRef> ref,
                    base::Code code);

  // Installs on their way: what the peer may answer to must wait for them.
  size_t installing() const { return installing_; }
  size_t size() const;
  std::vector<SessionInfo> snapshot() const;

 private:
  enum class LaneState : uint8_t { kInstalling, kUp, kDown };
  struct Lane {
    LaneState state = LaneState::kInstalling;
    uint32_t route = UINT32_MAX;
    std::shared_ptr<const crypto::Permissions> permitted;  // As its lcore has been told.
  };
  struct Session {
    SessionInfo info;
    transport::ConnectId connect;
    std::optional<crypto::ResetToken> reset_token;  // None before the peer has told it.
    std::shared_ptr<const crypto::Permissions> permitted;
    std::vector<std::vector<uint8_t>> certificates;  // Of the peer; DER.
    std::vector<Lane> lanes;                         // Parallel to info.lanes.
    size_t installing = 0;
    bool announced = false;  // on_session_up() was called.
    bool closing = false;
    bool tell_peer = true;
    bool own_expires_first = false;
    base::Code code = base::Code::kClosed;
    std::string reason;
  };
  using Table = std::map<base::SessionId, Session>;
  using PeerSession = std::pair<wire::IpAddress, base::SessionId>;  // With the peer's own id.

  bool add_lanes(Session* session, const transport::ConnectorEvent& event,
                 const std::shared_ptr<FirstCalls>& calls, base::Nanos now);
  void end_expired(uint64_t wall);
  void permit(Session* session, size_t lane);
  void deny(base::SessionId session);
  bool trusted(const Session& session) const;
  void mark_closing(Session* session, base::Code code, const std::string& reason);
  void close_lanes(Session* session);
  void finish_install(Session* session);
  void end_if_done(Table::iterator session);
  void release_routes(Session* session);
  const Session* session_of_reset(const wire::IpAddress& from, const wire::ResetView& reset) const;

  Setup setup_;
  mutable std::mutex mutex_;  // Guards the table's structure and each info for other threads.
  Table table_;
  // What a RESET may be about, without a look at all sessions. Peers of one address may have chosen
  // the same id.
  std::multimap<PeerSession, base::SessionId> by_peer_;
  size_t installing_ = 0;
  std::set<std::pair<uint64_t, base::SessionId>> expiries_;  // By wall-clock time.
  base::Nanos next_expiry_ = base::Nanos::max();
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SESSIONS_H_
