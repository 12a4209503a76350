// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_ENDPOINT_CORE_H_
#define SLUICE_API_ENDPOINT_CORE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "api/api_stats.h"
#include "api/codes.h"
#include "api/lcore_client.h"
#include "base/aligned_array.h"
#include "base/flat_table.h"
#include "base/histogram.h"
#include "base/slab.h"
#include "engine/application.h"
#include "sluice/connect.h"
#include "sluice/endpoint.h"
#include "sluice/options.h"

namespace sluice::internal {

// Thread clients and inboxes that one lcore serves at most.
inline constexpr uint32_t kMaxLcoreClients = 32;
// Events taken at a time.
inline constexpr size_t kEventBatch = 64;
// Lanes of one session that may end on one lcore: one for each lcore of the peer.
inline constexpr uint32_t kMaxLanesPerSession = 16;

struct EndpointCoreConfig {
  uint32_t node = 0;
  uint32_t lcore = 0;
  Limits limits;
  Handler* handler = nullptr;
  bool record_latency = false;
  uint64_t seed = 1;  // Of hash tables.
};

// What a service links as Endpoint: between the application on one lcore and its transport
// endpoint. It hears the events, calls handlers and completions, and keeps for each call what the
// transport does not know: the completion function and the owner of the bytes. All memory is taken
// at construction. After on_stop() every function still works and answers kClosed.
class EndpointCore final : public engine::LcoreApplication {
 public:
  explicit EndpointCore(const EndpointCoreConfig& config);
  ~EndpointCore() override;

  Endpoint& endpoint() { return public_; }
  const ApiStats& stats() const { return stats_; }
  const EndpointCoreConfig& config() const { return config_; }

  // The engine's calls.
  void on_start(engine::LcoreContext& context) override;
  void on_lane(engine::LcoreContext& context, const engine::LaneInfo& lane,
               const transport::PeerAddress& peer, bool initiator) override;
  size_t event_room() override { return kEventBatch; }
  void on_events(engine::LcoreContext& context, std::span<const transport::Event> events) override;
  bool poll(engine::LcoreContext& context) override;
  base::Nanos wanted_at() override;
  void on_stop(engine::LcoreContext& context) override;

  // Endpoint's functions, under its thread rule.
  StatusCode call(Session session, const CallOptions& options, Buffer&& request, CallFn done,
                  void* context, CallId* id);
  StatusCode send(Session session, const CallOptions& options, Buffer&& message, CallFn done,
                  void* context, CallId* id);
  // A call of a new session, on a lane of it. `early_id`: see transport::SendRequest.
  StatusCode begin_first(engine::LcoreContext& context, const engine::LaneInfo& lane,
                         FirstCall* call, uint64_t early_id);
  static bool options_usable(const CallOptions& options);
  StatusCode cancel(CallId id);
  Buffer allocate(uint32_t length);
  StatusCode consume(StreamId id, uint32_t bytes);
  void set_task(Endpoint::TaskFn task, void* context);
  void rest_task(uint64_t until_ns) { task_wanted_at_ = base::nanos(until_ns); }
  void set_handler(Handler* handler) { handler_ = handler; }
  StatusCode set_handler(uint16_t service, Handler* handler);
  // Services that had this handler have none.
  void forget_handler(const Handler* handler);
  StatusCode set_landing(uint16_t service, transport::LandingMode mode, uint32_t window);
  uint64_t now_ns() const { return now_.value(); }
  uint32_t lanes(Session session) const;
  bool idle() const;

  // Brings the loop's time up to date for code that runs between two turns (Engine::run_on).
  void set_now(base::Nanos now) { now_ = now; }
  // Whether the calling thread is an lcore.
  static bool on_lcore_thread();
  // Refuses new work from now on.
  void begin_draining() { draining_ = true; }

  // Buffers, messages and replies come home.
  void release_arena(uint8_t* memory);
  static void release_message(void* core, uint64_t handle);
  StatusCode respond(PendingReply* reply, const void* data, uint32_t length);
  StatusCode respond(PendingReply* reply, Buffer&& response);
  StatusCode reject(PendingReply* reply, StatusCode code);
  void abandon(PendingReply* reply);
  ApiStats& mutable_stats() { return stats_; }

  // Threads and inboxes; on the lcore, or while it does not run.
  bool add_client(LcoreClient* client);
  void remove_client(LcoreClient* client);

  // Round-trip times since the last clear; on the lcore, or while it does not run.
  const base::Histogram* latency() const { return latency_.get(); }
  void clear_latency();

  static void release_buffer(Buffer* buffer);
  // Empties a buffer without letting go of its bytes: somebody else does.
  static void forget_buffer(Buffer* buffer) { buffer->clear(); }

 private:
  enum class SlotKind : uint8_t { kCall, kOneWay, kResponse };

  // What a call, a one-way message or a lent response needs until its completion.
  struct Slot {
    CallFn done = nullptr;
    void* context = nullptr;
    StreamFn on_stream = nullptr;
    Buffer buffer;
    transport::ExchangeRef exchange;
    Session session;
    base::Nanos started;
    uint32_t generation = 0;
    SlotKind kind = SlotKind::kCall;
  };

  // A session as this lcore sees it, found by the low bits of its id.
  struct SessionEntry {
    uint32_t id = 0;
    uint8_t count = 0;
    uint8_t next = 0;
    bool told_up = false;
    std::array<uint8_t, kMaxLanesPerSession> numbers{};
    std::array<transport::LaneRef, kMaxLanesPerSession> lanes{};
  };

  struct LaneEntry {
    uint32_t generation = 0;
    uint32_t session = 0;
  };

  // An incoming message that was offered or is being streamed, by its exchange's index.
  struct IncomingEntry {
    bool active = false;
    bool one_way = false;
    bool ended = false;  // Its last chunk was given out; kept bytes remain.
    uint16_t service = 0;
    uint32_t generation = 0;
    uint32_t unconsumed = 0;  // Bytes kept by the handler.
    transport::LaneRef lane;
    void* context = nullptr;
  };

  // A lane that ended, until the last events of its exchanges have been heard.
  struct EndedLane {
    transport::LaneRef lane;
    uint32_t session = 0;
    StatusCode code = StatusCode::kOk;
  };

  struct ServiceLanding {
    uint16_t service = 0;
    transport::LandingMode mode = transport::LandingMode::kBuffered;
    uint32_t window = 0;
  };

  // endpoint_core.cc
  static transport::Landing to_landing(const Landing& landing);
  StatusCode start_call(transport::LaneRef lane, uint64_t early_id, Session session,
                        const CallOptions& options, Buffer&& request, CallFn done, void* context,
                        CallId* id);
  // Where it says kOk, `lane` is one of the session's, until that ends.
  StatusCode pick_lane(Session session, uint8_t number, const transport::LaneRef** lane);
  Slot* take_slot(SlotKind kind);
  void free_slot(Slot* slot);
  void adopt(Slot* slot, Buffer&& buffer, CallFn done, void* context, Session session, CallId* id);
  base::Nanos deadline_of(uint64_t duration_ns) const;
  SessionEntry* find_session(uint32_t id);
  const SessionEntry* find_session(uint32_t id) const;
  Session session_of(transport::LaneRef lane) const;
  Handler* handler_for(uint16_t service) {
    if (services_.size() != 0) [[unlikely]] {
      if (Handler** own = services_.find(service)) return *own;
    }
    return handler_;
  }
  StatusCode finish_reply(PendingReply* reply, base::Code code);
  void fill_reply(PendingReply* reply, const transport::Event& event);
  void release_exchange(transport::ExchangeRef exchange);

  // endpoint_events.cc
  void dispatch(const transport::Event& event);
  void on_request(const transport::Event& event);
  void on_one_way(const transport::Event& event);
  void on_call_done(const transport::Event& event);
  void on_send_done(const transport::Event& event);
  void on_offer(const transport::Event& event);
  void on_lost(const transport::Event& event);
  void on_stream(const transport::Event& event);
  void on_response_chunk(const transport::Event& event);
  void on_incoming_chunk(const transport::Event& event, IncomingEntry* entry);
  void after_chunk(const transport::Event& event, const StreamChunk& chunk, IncomingEntry* entry);
  void on_lane_up(const transport::Event& event);
  void on_lane_down(const transport::Event& event);
  void end_lanes();
  void end_lane(const EndedLane& ended);
  void complete(Slot* slot, CallResult* result);
  void fail_pending_calls();

  IncomingEntry* find_incoming(transport::ExchangeRef exchange);
  IncomingEntry* start_incoming(const transport::Event& event);
  void end_incoming(IncomingEntry* entry);
  void lose_incoming(IncomingEntry* entry, uint32_t index, StatusCode code);
  void lose_all_incoming();
  void* take_context(transport::ExchangeRef exchange);

  EndpointCoreConfig config_;
  Endpoint public_;
  transport::Endpoint* endpoint_ = nullptr;  // From on_start() to on_stop().
  base::Nanos now_;
  bool draining_ = false;
  bool stopped_ = false;
  bool worked_ = false;  // Something was submitted since the last poll().
  Endpoint::TaskFn task_ = nullptr;
  void* task_context_ = nullptr;
  base::Nanos task_wanted_at_;  // By the last call of the task.
  engine::Doorbell* doorbell_ = nullptr;
  Handler* handler_ = nullptr;
  base::FlatTable<uint32_t, Handler*> services_;
  std::vector<ServiceLanding> landings_;
  base::Slab<Slot> slots_;
  base::AlignedArray<SessionEntry> sessions_;
  base::AlignedArray<LaneEntry> lanes_;
  base::AlignedArray<EndedLane> ended_lanes_;
  uint32_t ended_count_ = 0;
  bool more_events_ = false;  // The last batch of events was a full one.
  base::AlignedArray<IncomingEntry> incoming_;
  uint32_t incoming_active_ = 0;
  std::array<LcoreClient*, kMaxLcoreClients> clients_{};
  uint32_t client_count_ = 0;
  ApiStats stats_;
  std::unique_ptr<base::Histogram> latency_;
};

}  // namespace sluice::internal

#endif  // SLUICE_API_ENDPOINT_CORE_H_
