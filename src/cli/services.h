// SPDX-License-Identifier: Apache-2.0
//
// What the serving side does with messages: checks every byte and answers.
#ifndef SLUICE_CLI_SERVICES_H_
#define SLUICE_CLI_SERVICES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "cli/caller.h"
#include "cli/content.h"
#include "sluice/endpoint.h"
#include "sluice/handler.h"

namespace sluice::cli {

// Counters of one lcore's services: written by the lcore, read by any thread.
struct ServiceCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> request_bytes{0};
  std::atomic<uint64_t> one_ways{0};
  std::atomic<uint64_t> corrupt{0};   // Messages with wrong bytes; requests are answered kDataLoss.
  std::atomic<uint64_t> refused{0};   // Streams beyond the number that are checked at a time.
  std::atomic<uint64_t> sessions{0};  // Begun since the start.
};

// The services 1 (echo) and 2 (sink) of one lcore. Requests longer than the endpoint buffers are
// streamed to the sink and refused by the echo.
class Services final : public Handler {
 public:
  // `content` outlives the services and reaches as far as the longest message that is to be
  // checked; longer ones are refused.
  Services(const Content* content, uint32_t max_message);

  // Before the engine runs: registers the services. The object outlives the engine's close().
  StatusCode install(Endpoint& endpoint);

  void on_request(Request& request) override;
  void on_one_way(OneWay& one_way) override;
  void on_stream(StreamChunk& chunk) override;
  Landing on_offer(Offer& offer) override;
  void on_lost(Endpoint& endpoint, uint16_t service, void* context, StatusCode code) override;
  void on_session_up(Endpoint& endpoint, Session session) override;

  const ServiceCounters& counters() const { return counters_; }

 private:
  static constexpr uint32_t kStreamWindow = 1u << 20;
  static constexpr size_t kMaxStreams = 1024;

  // A message being streamed.
  struct Stream {
    uint64_t id = 0;
    uint32_t length = 0;
    bool right = true;
  };

  bool right(std::span<const uint8_t> bytes, uint64_t* id) const;
  void count(std::atomic<uint64_t>* counter, uint64_t by = 1);
  void end_stream(StreamChunk& chunk, Stream& stream);

  const Content* content_;
  uint32_t max_message_;
  std::vector<Stream> streams_;
  std::vector<Stream*> free_streams_;
  ServiceCounters counters_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SERVICES_H_
