// SPDX-License-Identifier: Apache-2.0
//
// Two hosts under attack, on virtual time: each has the connector, the endpoint and the mechanism
// that an engine's node has, with real sealing, and everything that they say passes the attacker.
#ifndef SLUICE_TEST_ATTACK_WORLD_H_
#define SLUICE_TEST_ATTACK_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "canary.h"
#include "crypto/tls_handshake.h"
#include "handshake_support.h"
#include "packet.h"
#include "sim/fault_watch.h"
#include "transport/connector.h"
#include "transport/endpoint.h"
#include "transport/token_bucket.h"

namespace sluice::attack {

// Bytes as a function of (tag, size): they begin with the tag, and with a canary every 64.
Bytes payload(uint64_t tag, size_t size);
inline constexpr size_t kSmallestPayload = 16;
uint64_t tag_of(const uint8_t* data, size_t size);

struct HostConfig {
  transport::PeerAddress address;
  transport::EndpointConfig endpoint;
  transport::ConnectorConfig connector;
  uint64_t seed = 1;
};

// All of a host that a packet without a proof must leave as it is; counters of drops and limits,
// and of arrivals, are not in it.
struct Snapshot {
  std::map<std::string, uint64_t> counters;
  std::vector<std::vector<uint64_t>> lanes;
  std::vector<uint64_t> others;

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};
// The first thing that differs, in words.
std::string difference(const Snapshot& before, const Snapshot& after);

class Host {
 public:
  // What it has said: to whom, and the packet.
  using Say = std::function<void(const transport::PeerAddress& to, Bytes bytes, bool esp)>;
  using OnEvent = std::function<void(Host& host, const transport::Event& event, base::Nanos now)>;
  using OnSession = std::function<void(Host& host, const transport::ConnectorEvent& event,
                                       transport::LaneRef lane, base::Nanos now)>;

  // `mechanism` and `backend` outlive the host.
  Host(const HostConfig& config, crypto::HandshakeMechanism* mechanism,
       crypto::AeadBackend* backend);

  void arrive(const transport::PeerAddress& from, Bytes bytes, bool esp, base::Nanos now);
  // Timers, events, and what is to be said.
  void work(base::Nanos now, const Say& say);
  base::Nanos next_deadline() const;
  Snapshot snapshot() const;

  const transport::PeerAddress& address() const { return config_.address; }
  transport::Connector& connector() { return connector_; }
  transport::Endpoint& endpoint() { return endpoint_; }
  const transport::Endpoint& endpoint() const { return endpoint_; }
  size_t sessions() const { return sessions_.size(); }
  uint64_t resets_obeyed() const { return resets_obeyed_; }
  uint64_t limit_reset_rate() const { return limit_reset_rate_; }
  std::vector<transport::LaneRef> lanes() const;

  OnEvent on_event;
  OnSession on_session;
  std::vector<std::string> failures;  // Of connects.

 private:
  struct Session {
    transport::LaneRef lane;
    transport::PeerAddress peer;
    base::SessionId remote;
    std::optional<crypto::ResetToken> reset_token;
  };

  void take_events(base::Nanos now);
  void establish(const transport::ConnectorEvent& event, base::Nanos now);
  void on_reset(const transport::PeerAddress& from, const Bytes& bytes, base::Nanos now);
  void on_unknown_session(const transport::PeerAddress& from, const Bytes& bytes, base::Nanos now);
  void end(base::SessionId session, base::Nanos now);
  void on_lane_down(transport::LaneRef lane);
  void transmit(base::Nanos now, const Say& say);

  HostConfig config_;
  crypto::test::SeededRandom random_;
  crypto::HandshakeMechanism* mechanism_;
  transport::Connector connector_;
  transport::Endpoint endpoint_;
  std::map<base::SessionId, Session> sessions_;
  transport::TokenBucket resets_;
  uint64_t resets_obeyed_ = 0;
  uint64_t limit_reset_rate_ = 0;
  uint64_t connector_events_ = 0;
  std::vector<std::pair<transport::PeerAddress, Bytes>> to_say_;
};

struct WorldOptions {
  bool tls = false;
  bool record_mode = false;
  bool esp = false;
  uint64_t seed = 1;
  // Requests that the server's application has before it for a while, so that it sees whether they
  // change; the next ones push them out.
  size_t held_requests = 4;
};

// A client, a server, the path between them, and books of what was asked and done.
class World {
 public:
  explicit World(const WorldOptions& options);

  Host& client() { return *hosts_[0]; }
  Host& server() { return *hosts_[1]; }
  Host& receiver(Way way) { return way == Way::kToServer ? server() : client(); }
  base::Nanos now() const { return now_; }

  // The attacker: sees each packet first; what is returned goes on. Null: all of it does.
  std::function<std::vector<Packet>(const Packet&)> attacker;
  // The same, of packets that are to wait.
  void send_later(const Packet& packet, base::Nanos delay);
  // A packet arrives now, from the honest side's address, or from another.
  void inject(const Packet& packet);
  void inject(const Packet& packet, const transport::PeerAddress& from);
  // Told of everything that is said to addresses other than the two hosts'.
  std::function<void(const transport::PeerAddress& to, const Bytes& bytes)> strangers;

  // Begins a session; with `early` the first request goes with the hello, if it can.
  void connect(bool early = false);
  // A new process takes the place of the server (the client): all of its memory is gone.
  void restart_server();
  // Calls over the latest session; false when it is not taken.
  bool call(size_t size);
  bool run(const std::function<bool()>& done, base::Nanos limit = base::seconds(30));
  void run_for(base::Nanos time);
  // Runs until all calls have ended.
  bool settle();

  struct Outcome {
    base::Code code = base::Code::kOk;
    bool intact = false;
    uint32_t completions = 0;
  };
  const std::map<uint64_t, Outcome>& outcomes() const { return outcomes_; }
  uint64_t asked() const { return next_tag_ - 1; }
  uint64_t completed() const { return outcomes_.size(); }
  uint64_t completed_well() const;
  // Requests that the servers of all lives were given, by tag.
  const std::map<uint64_t, uint32_t>& executed() const { return executed_; }
  uint64_t executions() const;
  // The first promise that was broken: a byte that was forged, or changed after it had been shown,
  // a request executed twice, a call that ended twice, plaintext or a repeated number on the wire.
  std::string violation() const;
  uint64_t packets() const { return packets_; }
  const transport::LaneRef& lane() const { return lane_; }

 private:
  struct Shown {
    transport::ExchangeRef exchange;
    const uint8_t* data;
    Bytes copy;
  };

  std::unique_ptr<Host> new_host(int side);
  std::unique_ptr<crypto::HandshakeMechanism> new_mechanism(int side);
  void on_client_event(Host& host, const transport::Event& event, base::Nanos now);
  void on_server_event(Host& host, const transport::Event& event, base::Nanos now);
  void on_client_session(Host& host, const transport::ConnectorEvent& event,
                         transport::LaneRef lane, base::Nanos now);
  void check_shown();
  void answer_oldest(base::Nanos now);
  bool submit(uint64_t tag, uint64_t early_id, base::Nanos now);
  void say(int side, const transport::PeerAddress& to, Bytes bytes, bool esp);
  void step(base::Nanos end);
  void accuse(std::string what) {
    if (violation_.empty()) violation_ = std::move(what);
  }

  WorldOptions options_;
  crypto::test::SeededRandom random_;
  std::unique_ptr<crypto::AeadBackend> backend_;
  struct Certificates;
  std::shared_ptr<Certificates> certificates_;
  std::unique_ptr<crypto::HandshakeMechanism> mechanisms_[2];
  std::unique_ptr<Host> hosts_[2];
  sim::FaultWatch watch_;
  base::Nanos now_ = base::seconds(1);
  std::multimap<base::Nanos, Packet> wire_;
  uint64_t packets_ = 0;
  uint32_t lives_ = 0;
  transport::LaneRef lane_;
  uint64_t next_tag_ = 1;
  uint64_t early_tag_ = 0;  // Offered with a hello, of which nothing is known yet.
  std::map<uint64_t, Bytes> asked_;
  std::map<uint64_t, Outcome> outcomes_;
  std::map<uint64_t, uint32_t> executed_;
  std::vector<Shown> shown_;  // Requests that the server's application still holds.
  std::string violation_;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_WORLD_H_
