// SPDX-License-Identifier: Apache-2.0
//
// Sessions without lcores: tasks are caught on their way, and their ends played.
#include "engine/sessions.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "crypto/handshake_steps.h"
#include "engine/crypto_loader.h"
#include "wire/header.h"

namespace sluice::engine {
namespace {

class Listener final : public SessionListener {
 public:
  void on_session_up(size_t, const SessionInfo&) override { ++up; }
  void on_session_ending(size_t, const SessionInfo&, base::Code code, const std::string&) override {
    ++ending;
    told = code;
    shown = sessions->snapshot().size();
  }
  void on_session_down(size_t, const SessionInfo&, base::Code code,
                       const std::string& reason) override {
    ++down;
    last = code;
    why = reason;
  }
  const Sessions* sessions = nullptr;
  int up = 0;
  int ending = 0;
  base::Code told = base::Code::kOk;
  size_t shown = 0;  // Sessions, while one was ending.
  int down = 0;
  base::Code last = base::Code::kOk;
  std::string why;
};

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() {
    Paths::Setup paths_setup;
    paths_setup.ports = {{.neighbours = {.mac = wire::MacAddress{{2, 0, 0, 0, 0, 1}},
                                         .addresses = {*parse_ip_prefix("10.0.0.1/24")}}}};
    paths_setup.stats = &stats;
    paths_setup.send_frame = [](uint8_t, std::span<const uint8_t>) { return true; };
    paths_setup.set_route = [](uint32_t, const Route&) {};
    paths = std::make_unique<Paths>(std::move(paths_setup));
    Sessions::Setup setup;
    setup.lcores = 2;
    const auto library = load_crypto("");
    EXPECT_TRUE(library.ok()) << library.status();
    primitives = (*library)->primitives;
    setup.primitives = primitives;
    setup.paths = paths.get();
    setup.stats = &stats;
    setup.listener = &listener;
    setup.post = [this](uint8_t, ControlTask* task) { tasks.emplace_back(task); };
    setup.release_id = [this](base::SessionId id) { released.push_back(id); };
    setup.wall_clock = {.now = [](void* context) { return *static_cast<uint64_t*>(context); },
                        .context = &wall};
    setup.ready = [this](transport::ConnectId, const SessionInfo* info, const std::string&) {
      ++(info != nullptr ? ready : failed);
    };
    setup.permissions = [this](const std::string&) { return permitted; };
    setup.may_connect = [this](const std::string& name) { return name != denied; };
    setup.ended = [this](const SessionInfo&, base::Code code, const std::string&) {
      ended.push_back(code);
    };
    sessions = std::make_unique<Sessions>(std::move(setup));
    listener.sessions = sessions.get();
  }

  transport::ConnectorEvent established(uint32_t id, bool initiator = true) {
    transport::ConnectorEvent event;
    event.kind = transport::ConnectorEventKind::kEstablished;
    event.initiator = initiator;
    event.peer = {*wire::parse_ip_address("10.0.0.2"), 9000};
    event.result.local.session_id = base::SessionId(id);
    event.result.peer.session_id = base::SessionId(id + 1000);
    event.result.peer.lanes = 3;
    event.result.peer.base_port = 9000;
    event.result.peer_reset_token.fill(0x11);
    return event;
  }

  // Plays what the lcores would have done with the lanes of a session.
  void install(uint32_t id, size_t lanes = 6) {
    for (size_t i = 0; i < lanes; ++i) {
      sessions->on_installed(base::SessionId(id), i,
                             transport::LaneRef{static_cast<uint32_t>(id * 16 + i), 1},
                             base::Code::kOk);
    }
  }

  // As the holder of the token that is filled so would send it from `from`.
  std::vector<uint8_t> reset(uint32_t session, uint8_t fill, const char* from = "10.0.0.2") {
    wire::ResetPacket packet;
    packet.session = session;
    crypto::ResetToken token;
    token.fill(fill);
    token = crypto::told_reset_token(*primitives, token, *wire::parse_ip_address(from));
    std::copy(token.begin(), token.end(), packet.token);
    std::vector<uint8_t> bytes(wire::ResetPacket::kSize);
    packet.emit(bytes.data());
    return bytes;
  }

  const crypto::Primitives* primitives = nullptr;
  std::shared_ptr<const crypto::Permissions> permitted;
  std::string denied = "nobody.example";
  std::vector<base::Code> ended;
  uint64_t wall = 1'000'000;
  ControlStats stats;
  Listener listener;
  std::unique_ptr<Paths> paths;
  std::vector<std::unique_ptr<ControlTask>> tasks;
  std::vector<base::SessionId> released;
  int ready = 0;
  int failed = 0;
  std::unique_ptr<Sessions> sessions;
};

TEST_F(SessionsTest, lanes_are_shared_out_as_both_sides_know) {
  sessions->establish(established(5), nullptr, base::millis(1));
  EXPECT_EQ(sessions->installing(), 6u);
  EXPECT_EQ(tasks.size(), 6u);
  EXPECT_TRUE(sessions->snapshot().empty());
  install(5);
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(listener.up, 1);
  ASSERT_EQ(sessions->snapshot().size(), 1u);
  const SessionInfo info = sessions->snapshot()[0];
  for (const LaneInfo& lane : info.lanes) {
    EXPECT_EQ(lane.lcore, lane.lane / 3);
    EXPECT_EQ(lane.peer_lcore, lane.lane % 3);
  }
}

// Verifies MUST-P4
TEST_F(SessionsTest, a_new_policy_is_told_to_lanes_and_ends_who_is_denied) {
  auto good = established(5);
  good.result.peer_name = "good.example";
  auto bad = established(6);
  bad.result.peer_name = "bad.example";
  sessions->establish(good, nullptr, base::millis(1));
  sessions->establish(bad, nullptr, base::millis(1));
  install(5);
  install(6);
  tasks.clear();
  sessions->judge_again();
  EXPECT_TRUE(tasks.empty());  // Nothing has changed.
  permitted = std::make_shared<const crypto::Permissions>();
  denied = "bad.example";
  sessions->judge_again();
  EXPECT_EQ(tasks.size(), 12u);  // Six lanes are told, six are closed.
  EXPECT_EQ(stats.sessions_denied.value(), 1u);
  EXPECT_EQ(sessions->snapshot().size(), 1u);
  tasks.clear();
  permitted = std::make_shared<const crypto::Permissions>();
  sessions->judge_again();
  EXPECT_TRUE(tasks.empty());  // Another object that says the same.
  for (uint32_t i = 0; i < 6; ++i) {
    sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {6 * 16 + i, 1}, base::Code::kPermissionDenied);
  }
  EXPECT_EQ(listener.last, base::Code::kPermissionDenied);
  EXPECT_EQ(listener.why, "the policy does not allow it any more");
}

// Verifies MUST-P4
TEST_F(SessionsTest, a_policy_that_came_during_the_handshake_holds_as_well) {
  auto late = established(5);
  late.result.peer_name = "late.example";
  denied = "late.example";
  sessions->establish(late, nullptr, base::millis(1));
  install(5);
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(listener.up, 0);
  EXPECT_TRUE(sessions->snapshot().empty());
  for (uint32_t i = 0; i < 6; ++i) {
    sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {5 * 16 + i, 1}, base::Code::kPermissionDenied);
  }
  EXPECT_EQ(stats.sessions_denied.value(), 1u);
  EXPECT_EQ(ended, std::vector<base::Code>{base::Code::kPermissionDenied});
  EXPECT_EQ(sessions->size(), 0u);
}

TEST_F(SessionsTest, a_lane_under_way_hears_of_a_new_policy_when_it_is_up) {
  sessions->establish(established(5), nullptr, base::millis(1));
  permitted = std::make_shared<const crypto::Permissions>();
  tasks.clear();
  sessions->judge_again();
  EXPECT_TRUE(tasks.empty());
  install(5);
  EXPECT_EQ(tasks.size(), 6u);
}

// Verifies MUST-I9
TEST_F(SessionsTest, a_peer_that_ends_an_expired_session_first_is_not_taken_for_a_leaver) {
  auto event = established(5);
  event.result.peer_name = "a.example";
  event.result.expires_ns = wall + base::seconds(2).value();
  sessions->establish(event, nullptr, base::millis(1));
  install(5);
  const auto end = [&] {
    for (uint32_t i = 0; i < 6; ++i) {
      sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {5 * 16 + i, 1}, base::Code::kClosed);
    }
  };
  wall += base::seconds(2).value();
  end();
  EXPECT_EQ(listener.last, base::Code::kExpired);
  EXPECT_EQ(stats.sessions_expired.value(), 1u);
  EXPECT_TRUE(sessions->snapshot().empty());
  // One that leaves in time does just that.
  event.result.expires_ns = wall + base::seconds(2).value();
  sessions->establish(event, nullptr, base::millis(1));
  install(5);
  end();
  EXPECT_EQ(listener.last, base::Code::kClosed);
  EXPECT_EQ(stats.sessions_expired.value(), 1u);
}

TEST_F(SessionsTest, a_session_ends_with_its_certificate) {
  auto event = established(5);
  event.result.peer_name = "a.example";
  event.result.expires_ns = wall + base::seconds(2).value();
  sessions->establish(event, nullptr, base::millis(1));
  EXPECT_EQ(sessions->next_expiry(), base::millis(1));
  install(5);
  EXPECT_EQ(sessions->snapshot()[0].peer_name, "a.example");
  sessions->expire(base::millis(1));
  // The wall clock may be set at any time, so that it is looked at before it is due.
  EXPECT_LT(sessions->next_expiry(), base::seconds(1));
  wall += base::seconds(2).value() - 1;
  sessions->expire(base::seconds(1));
  EXPECT_EQ(sessions->snapshot().size(), 1u);
  EXPECT_EQ(sessions->next_expiry(), base::seconds(1) + base::Nanos(1));
  wall += 1;
  tasks.clear();
  sessions->expire(sessions->next_expiry());
  EXPECT_TRUE(sessions->snapshot().empty());
  EXPECT_EQ(tasks.size(), 6u);
  EXPECT_EQ(stats.sessions_expired.value(), 1u);
  EXPECT_EQ(sessions->next_expiry(), base::Nanos::max());
  for (uint32_t i = 0; i < 6; ++i) {
    sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {5 * 16 + i, 1}, base::Code::kExpired);
  }
  EXPECT_EQ(listener.last, base::Code::kExpired);
  EXPECT_NE(listener.why.find("the certificate of a.example has expired"), std::string::npos);
}

TEST_F(SessionsTest, a_session_that_ends_early_leaves_no_timer_behind) {
  auto event = established(5);
  event.result.expires_ns = wall + 10;
  event.result.own_expires_first = true;
  sessions->establish(event, nullptr, base::millis(1));
  install(5);
  sessions->close(base::SessionId(5), base::Code::kClosed, "enough", false);
  for (uint32_t i = 0; i < 6; ++i) {
    sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {5 * 16 + i, 1}, base::Code::kClosed);
  }
  wall += 10;
  sessions->expire(base::millis(2));
  EXPECT_EQ(stats.sessions_expired.value(), 0u);
  EXPECT_EQ(sessions->next_expiry(), base::Nanos::max());
  EXPECT_EQ(listener.why, "enough");
}

// Verifies MUST-E4, MUST-H15
TEST_F(SessionsTest, what_an_early_session_replaces_ends_when_the_client_has_finished) {
  sessions->establish(established(4, false), nullptr, base::millis(1));
  install(4);
  auto event = established(5, false);
  event.early = true;
  event.result.early = {{1, {2, 3}}};
  event.result.peer_reset_token.fill(0);
  sessions->establish(event, nullptr, base::millis(1));
  EXPECT_FALSE(sessions->installed(base::SessionId(5)));
  install(5);
  EXPECT_TRUE(sessions->installed(base::SessionId(5)));
  EXPECT_EQ(sessions->snapshot().size(), 2u);
  // No token of the peer's is known, and so none is right.
  sessions->on_reset(event.peer.ip, reset(1005, 0));
  EXPECT_EQ(stats.resets_ignored.value(), 1u);
  event.result.peer_reset_token.fill(0x22);
  event.replaced = {base::SessionId(4)};
  sessions->confirm(event);
  EXPECT_EQ(sessions->snapshot().size(), 1u);
  sessions->on_reset(event.peer.ip, reset(1005, 0x22));
  EXPECT_EQ(stats.resets_obeyed.value(), 1u);
  // It may be gone by then.
  event.result.local.session_id = base::SessionId(77);
  event.replaced.clear();
  sessions->confirm(event);
  EXPECT_FALSE(sessions->installed(base::SessionId(77)));
}

TEST_F(SessionsTest, the_acceptor_takes_the_other_half) {
  sessions->establish(established(5, false), nullptr, base::millis(1));
  install(5);
  const SessionInfo info = sessions->snapshot()[0];
  for (const LaneInfo& lane : info.lanes) {
    EXPECT_EQ(lane.lcore, lane.lane % 2);
    EXPECT_EQ(lane.peer_lcore, lane.lane / 2);
  }
}

TEST_F(SessionsTest, one_lane_down_ends_all_and_frees_everything) {
  sessions->establish(established(5), nullptr, base::millis(1));
  install(5);
  EXPECT_EQ(paths->routes(), 3u);
  tasks.clear();
  sessions->on_lane_down(0, {5 * 16 + 0, 1}, base::Code::kUnavailable);
  EXPECT_EQ(tasks.size(), 5u);  // The others are closed.
  EXPECT_EQ(listener.ending, 1);
  EXPECT_EQ(listener.told, base::Code::kUnavailable);
  EXPECT_EQ(listener.shown, 1u) << "who finds it no longer knows why";
  EXPECT_EQ(listener.down, 0);
  EXPECT_TRUE(sessions->snapshot().empty());
  for (uint32_t i = 1; i < 6; ++i) {
    sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {5 * 16 + i, 1}, base::Code::kUnavailable);
  }
  EXPECT_EQ(listener.down, 1);
  EXPECT_EQ(listener.last, base::Code::kUnavailable);
  EXPECT_EQ(released, std::vector{base::SessionId(5)});
  EXPECT_EQ(paths->routes(), 0u);
  EXPECT_EQ(sessions->size(), 0u);
}

TEST_F(SessionsTest, a_lane_that_cannot_be_had_fails_the_session) {
  sessions->establish(established(5), nullptr, base::millis(1));
  for (size_t i = 0; i < 5; ++i) {
    sessions->on_installed(base::SessionId(5), i, transport::LaneRef{static_cast<uint32_t>(i), 1},
                           base::Code::kOk);
  }
  sessions->on_installed(base::SessionId(5), 5, std::nullopt, base::Code::kResourceExhausted);
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(ready, 0);
  EXPECT_EQ(listener.up, 0);
  EXPECT_EQ(stats.install_failed.value(), 1u);
  for (uint32_t i = 0; i < 5; ++i) {
    sessions->on_lane_down(static_cast<uint8_t>(i / 3), {i, 1}, base::Code::kClosed);
  }
  EXPECT_EQ(sessions->size(), 0u);
  EXPECT_EQ(listener.down, 0);  // It never was up.
  EXPECT_EQ(released.size(), 1u);
}

TEST_F(SessionsTest, a_session_closed_while_installing_is_closed_after) {
  sessions->establish(established(5), nullptr, base::millis(1));
  EXPECT_TRUE(sessions->close(base::SessionId(5), base::Code::kClosed, "x", true));
  install(5);
  EXPECT_EQ(ready, 0);
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(tasks.size(), 12u);  // Six installs, six closes.
  EXPECT_FALSE(sessions->close(base::SessionId(6), base::Code::kClosed, "x", true));
}

TEST_F(SessionsTest, a_restarted_peer_replaces_its_old_session) {
  sessions->establish(established(5), nullptr, base::millis(1));
  install(5);
  auto event = established(6);
  event.replaced = {base::SessionId(5)};
  tasks.clear();
  sessions->establish(event, nullptr, base::millis(2));
  EXPECT_EQ(tasks.size(), 12u);  // Six closes, six installs.
}

// Verifies MUST-H16
TEST_F(SessionsTest, only_the_peers_token_makes_a_reset_count) {
  sessions->establish(established(5), nullptr, base::millis(1));
  install(5);
  tasks.clear();
  const wire::IpAddress peer = *wire::parse_ip_address("10.0.0.2");
  sessions->on_reset(peer, reset(1005, 0x12));
  sessions->on_reset(peer, reset(1006, 0x11));
  sessions->on_reset(*wire::parse_ip_address("10.0.0.3"), reset(1005, 0x11));
  sessions->on_reset(peer, std::vector<uint8_t>(10));
  // This host, or another with the same secret, was made to tell the token in its own name.
  sessions->on_reset(peer, reset(1005, 0x11, "10.0.0.1"));
  EXPECT_EQ(stats.resets_ignored.value(), 5u);
  EXPECT_TRUE(tasks.empty());
  sessions->on_reset(peer, reset(1005, 0x11));
  EXPECT_EQ(stats.resets_obeyed.value(), 1u);
  EXPECT_EQ(tasks.size(), 6u);
  EXPECT_EQ(listener.down, 0);  // A hint: nothing ends by it.
}

// Two processes of one host may have chosen the same id: each has a token of its own. What a RESET
// makes this side compute is bounded, whatever sessions there are.
// Verifies MUST-H16
TEST_F(SessionsTest, a_reset_is_held_to_a_few_sessions_at_most) {
  const wire::IpAddress peer = *wire::parse_ip_address("10.0.0.2");
  const auto same_id = [this](uint32_t id, uint8_t fill) {
    auto event = established(id);
    event.result.peer.session_id = base::SessionId(1005);
    event.result.peer_reset_token.fill(fill);
    sessions->establish(event, nullptr, base::millis(1));
    install(id);
  };
  for (uint8_t i = 0; i < limits::kMaxResetLook; ++i) same_id(5u + i, static_cast<uint8_t>(i + 1));
  for (uint32_t other = 100; other < 120; ++other) {
    sessions->establish(established(other), nullptr, base::millis(1));
    install(other);
  }
  for (uint8_t i = 0; i < limits::kMaxResetLook; ++i) {
    tasks.clear();
    sessions->on_reset(peer, reset(1005, static_cast<uint8_t>(i + 1)));
    EXPECT_EQ(tasks.size(), 6u) << unsigned{i};
  }
  EXPECT_EQ(stats.limit_reset_look.value(), 0u);
  same_id(50, 0x77);
  tasks.clear();
  sessions->on_reset(peer, reset(1005, 0x77));
  EXPECT_TRUE(tasks.empty());
  EXPECT_EQ(stats.limit_reset_look.value(), 1u);
  EXPECT_EQ(stats.resets_ignored.value(), 1u);
  // A session that has ended leaves its place.
  for (uint32_t i = 0; i < 6; ++i) {
    sessions->on_lane_down(i / 3 == 0 ? 0 : 1, {5 * 16 + i, 1}, base::Code::kUnavailable);
  }
  tasks.clear();
  sessions->on_reset(peer, reset(1005, 0x77));
  EXPECT_EQ(tasks.size(), 6u);
}

TEST_F(SessionsTest, without_a_route_the_session_fails) {
  auto event = established(5);
  event.peer.ip = *wire::parse_ip_address("192.0.2.1");
  sessions->establish(event, nullptr, base::millis(1));
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(sessions->size(), 0u);
  EXPECT_EQ(released.size(), 1u);
}

TEST_F(SessionsTest, keys_are_updated_on_every_lane) {
  sessions->establish(established(5), nullptr, base::millis(1));
  install(5);
  tasks.clear();
  EXPECT_TRUE(sessions->update_keys(base::SessionId(5)));
  EXPECT_EQ(tasks.size(), 6u);
  EXPECT_FALSE(sessions->update_keys(base::SessionId(9)));
}

}  // namespace
}  // namespace sluice::engine
