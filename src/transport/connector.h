// SPDX-License-Identifier: Apache-2.0
//
// All handshakes of one endpoint, both as client and as server, up to the secret and the agreed
// parameters of each session. Sans-IO like transport::Endpoint: packets in and out, time as an
// argument, randomness injected. It runs on one control thread, apart from the lcores, and may
// allocate; what it holds for peers is bounded by its configuration.
//
// Nothing is held for a peer before it returned a cookie, and, under the PSK mechanism, before it
// proved to hold the key. An existing session is never touched here: a completed handshake says
// which sessions it replaces, and the engine replaces them.
#ifndef SLUICE_TRANSPORT_CONNECTOR_H_
#define SLUICE_TRANSPORT_CONNECTOR_H_

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/types.h"
#include "crypto/handshake.h"
#include "crypto/handshake_cookie.h"
#include "crypto/primitives.h"
#include "transport/connector_types.h"
#include "transport/handshake_packets.h"
#include "transport/session_ids.h"
#include "transport/token_bucket.h"

namespace sluice::transport {

class Connector {
 public:
  // HELLO_RETRYs that one connect answers at once; further ones wait for its timer.
  static constexpr uint32_t kMaxRetries = 8;
  // Times that a client's refusal is said again, at intervals that double, since it may be lost.
  static constexpr uint32_t kRefusalRepeats = 3;

  // `config` has no connector_config_error(). `mechanism`, `primitives` and the random source's
  // context must outlive the connector.
  Connector(const ConnectorConfig& config, crypto::HandshakeMechanism* mechanism,
            const crypto::Primitives* primitives, crypto::RandomSource random);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  struct ConnectResult {
    base::Code code = base::Code::kOk;
    ConnectId id;
  };
  // Begins a handshake; it ends by one kEstablished or kFailed event, the latter at `deadline`
  // (absolute) at the latest. kInvalidArgument: no address or port; kDeadlineExceeded: `deadline`
  // is not after `now`; kResourceExhausted: max_attempts or max_sessions is reached. With any of
  // these nothing was begun, and no event follows.
  // `peer_name` is the DNS name that the peer has to prove, where the mechanism knows names.
  // `offer.early`: requests that do no harm when they are executed again, in the order in which
  // they are to be the first exchanges of lane 0. They travel with the hello where the mechanism
  // and a ticket allow it. Where the server took them, kEstablished says so and comes a round trip
  // sooner; the caller sends the others itself.
  ConnectResult connect(const PeerAddress& peer, const std::string& peer_name, base::Nanos deadline,
                        base::Nanos now, crypto::ClientOffer offer = {});
  ConnectResult connect(const PeerAddress& peer, base::Nanos deadline, base::Nanos now) {
    return connect(peer, {}, deadline, now);
  }

  // Ends a connect() early: its event says kCancelled. kNotFound when it has ended already.
  base::Code cancel(ConnectId id);

  // Gives a session's local id back, once nothing uses it any more. False when it is not in use.
  bool release_session(base::SessionId local);

  // Turns the server's part on or off; handshakes under way go on.
  void set_accepting(bool accept) { config_.accept = accept; }

  // A received packet of type HANDSHAKE from the common header on; borrowed for the call.
  void on_packet(const PeerAddress& from, std::span<const uint8_t> packet, base::Nanos now);

  // Moves up to slots.size() packets out, oldest first, and returns how many.
  size_t poll_tx(std::span<HandshakePacket> slots);

  // When on_deadline() is due next; Nanos::max() when never. A call that comes far later shows that
  // nobody drove this object meanwhile: that time is not held against the peers.
  base::Nanos next_deadline() const;
  void on_deadline(base::Nanos now);

  // Moves up to slots.size() events out, oldest first, and returns how many.
  size_t poll_events(std::span<ConnectorEvent> slots);

  // Whether packets of a session, whose lanes are not there yet, may answer requests that its hello
  // has brought.
  bool expects_early(base::SessionId local) const;

  // When nothing else is to be done: does a little of what handshakes will need. False when that is
  // done too.
  bool prepare();

  const ConnectorStats& stats() const { return stats_; }
  const SessionIds& session_ids() const { return ids_; }
  // Handshakes under way: as client; as server, unfinished; as server, lingering after the end.
  size_t attempts() const { return clients_.size(); }
  size_t pending() const { return servers_.size() - lingering_.size(); }
  size_t lingering() const { return lingering_.size(); }

 private:
  using Token = std::vector<uint8_t>;

  struct ClientAttempt {
    ConnectId id;
    PeerAddress peer;
    base::SessionId session;
    base::Nanos deadline;                           // The caller's.
    base::Nanos patience_end = base::Nanos::max();  // After a hint that the peer refuses.
    base::Nanos next_send;
    base::Nanos interval;
    base::Nanos timer;  // Its place in client_timers_.
    std::unique_ptr<crypto::ClientHandshake> handshake;
    Token token;
    std::vector<PacketBytes> flight;
    MessageJoiner joiner;
    uint32_t retries = 0;
    bool progressed = false;   // The server has proved itself.
    bool unauthentic = false;  // Something came that proved nothing.
    crypto::RefuseReason hint = crypto::RefuseReason::kNone;
    bool refused_here = false;
    bool offers_early = false;
    bool established = false;  // Early: the session is the caller's already.
  };

  // A refusal of this side's, which its peer may not have heard: nobody acknowledges it.
  struct Farewell {
    PeerAddress peer;
    std::vector<PacketBytes> packets;
    base::Nanos next;
    base::Nanos interval;
    uint32_t left = 0;
  };

  struct ServerKey {
    PeerAddress peer;
    uint64_t attempt = 0;
    friend bool operator==(const ServerKey&, const ServerKey&) = default;
    friend std::strong_ordering operator<=>(const ServerKey&, const ServerKey&) = default;
  };

  struct PendingServer {
    base::SessionId session;
    base::Nanos expires;
    std::unique_ptr<crypto::ServerHandshake> handshake;  // Null while its hello is being joined.
    MessageJoiner joiner;
    bool early = false;  // The session is the caller's already.
    bool ended = false;  // Established or refused; lingers to repeat its last message.
  };

  using Clients = std::map<uint64_t, ClientAttempt>;
  using Servers = std::map<ServerKey, PendingServer>;

  // connector.cc: what both roles share.
  void send_packets(const PeerAddress& to, const std::vector<PacketBytes>& packets,
                    size_t queue_limit);
  void send_message(const PeerAddress& to, uint64_t attempt, crypto::HandshakeType type,
                    std::span<const uint8_t> bytes, size_t queue_limit);
  void count_ignored(crypto::IgnoreCause cause);
  std::optional<std::vector<uint8_t>> join(MessageJoiner* joiner, const wire::HandshakeView& packet,
                                           std::span<const uint8_t> fragment);
  crypto::SessionParameters parameters_for(base::SessionId session) const;
  void establish(const crypto::HandshakeResult& result, const PeerAddress& peer, ConnectId connect);
  void withdraw(base::SessionId session, const PeerAddress& peer, std::string reason);
  base::Nanos stall_limit() const;
  void excuse(base::Nanos late, base::Nanos now);

  // connector_client.cc
  static std::string refusal_text(const crypto::HandshakeOutcome& outcome);
  uint64_t new_attempt_id();
  void on_server_packet(const PeerAddress& from, const wire::HandshakeView& packet,
                        base::Nanos now);
  void on_hello_retry(Clients::iterator client, std::span<const uint8_t> body, base::Nanos now);
  void on_refuse(Clients::iterator client, std::span<const uint8_t> body, base::Nanos now);
  void client_established(Clients::iterator client);
  void keep_token(const PeerAddress& server, const std::vector<uint8_t>& token);
  void client_outcome(Clients::iterator client, const crypto::HandshakeOutcome& outcome,
                      base::Nanos now);
  bool build_flight(uint64_t attempt, const std::vector<crypto::HandshakeMessage>& messages,
                    ClientAttempt* client) const;
  bool build_hello(uint64_t attempt, ClientAttempt* client) const;
  void send_flight(Clients::iterator client, base::Nanos now);
  void arm_client(Clients::iterator client);
  void on_client_timer(Clients::iterator client, base::Nanos now);
  void give_up(Clients::iterator client);
  void say_refusal(Clients::iterator client, const crypto::HandshakeOutcome& outcome,
                   base::Nanos now);
  void repeat_refusals(base::Nanos now);
  void fail_client(Clients::iterator client, base::Code code, std::string reason);
  void erase_client(Clients::iterator client);

  // connector_server.cc
  void on_client_packet(const PeerAddress& from, const wire::HandshakeView& packet,
                        base::Nanos now);
  void on_hello_packet(const ServerKey& key, const wire::HandshakeView& packet, base::Nanos now);
  void answer_unproved(const ServerKey& key, size_t packet_size, base::Nanos now);
  void on_proved_hello(const ServerKey& key, const HelloFragment& hello,
                       const wire::HandshakeView& packet, base::Nanos now);
  crypto::RefuseReason admit(const ServerKey& key);
  Servers::iterator insert_pending(const ServerKey& key, base::Nanos now);
  bool address_proved(const ServerKey& key, std::span<const uint8_t> token, base::Nanos now);
  void count_early(crypto::EarlyVerdict verdict);
  void server_established(Servers::iterator server);
  void server_outcome(Servers::iterator server, const crypto::HandshakeOutcome& outcome,
                      bool repeated, base::Nanos now);
  void linger(Servers::iterator server, base::Nanos now);
  void server_refused(Servers::iterator server, const crypto::HandshakeOutcome& outcome,
                      base::Nanos now);
  void refuse(const ServerKey& key, crypto::RefuseReason reason);
  void report_refusal(const ServerKey& key, crypto::RefuseReason reason, bool here,
                      std::string text);
  void give_up_session(Servers::iterator server, std::string reason);
  void erase_server(Servers::iterator server);

  ConnectorConfig config_;
  crypto::HandshakeMechanism* mechanism_;
  crypto::RandomSource random_;
  crypto::CookieJar cookies_;
  SessionIds ids_;
  std::array<uint8_t, crypto::kInstanceSize> instance_{};
  TokenBucket unproved_;
  TokenBucket proved_;
  ConnectId last_connect_;

  std::map<PeerAddress, Token> address_tokens_;  // As client, by server.
  Clients clients_;                              // By attempt id.
  std::map<ConnectId, uint64_t> attempt_of_;
  std::set<std::pair<base::Nanos, uint64_t>> client_timers_;
  std::deque<Farewell> farewells_;
  Servers servers_;
  std::set<std::pair<base::Nanos, ServerKey>> server_timers_;
  std::deque<ServerKey> lingering_;  // Oldest first.

  std::deque<HandshakePacket> queue_;
  std::deque<ConnectorEvent> events_;
  uint32_t refusal_events_ = 0;  // Of those in events_.
  ConnectorStats stats_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CONNECTOR_H_
