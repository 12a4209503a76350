// SPDX-License-Identifier: Apache-2.0
//
// RPCs on a byte stream, as a service on TCP would do them: a length before each message, many
// requests on their way at once, answers in the order of the requests. Small messages that wait
// together are written by one system call, and long ones straight from where they lie.
#ifndef SLUICE_PERF_BENCH_RPC_CONNECTION_H_
#define SLUICE_PERF_BENCH_RPC_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "channel.h"

namespace sluice::bench {

// What stands before each message.
struct Header {
  uint32_t length = 0;         // Of the bytes that follow.
  uint32_t answer_length = 0;  // That a request asks for.
};

class RpcConnection {
 public:
  // Is told each message that has arrived whole and right.
  using Handler = std::function<void(const Header& header)>;

  // The channel outlives the connection.
  explicit RpcConnection(Channel* channel);

  // Puts a message at the end of what waits to be written.
  void append(const Header& header);
  // Writes what the socket takes. Both return whether any byte moved; closed() afterwards.
  bool flush();
  // Reads once, checks every byte, and tells the handler of each message that is complete.
  bool receive(const Handler& handler);

  bool closed() const { return closed_; }
  bool wants_to_write() const { return !pieces_.empty(); }

 private:
  // Bytes to write: gathered small ones, or a stretch of the pattern.
  struct Piece {
    std::vector<uint8_t> gathered;
    const uint8_t* bytes = nullptr;  // Of the pattern; null: gathered.
    size_t length = 0;
    size_t written = 0;
  };

  void gather(const void* bytes, size_t count);
  void parse(const uint8_t* bytes, size_t count, const Handler& handler);

  Channel* channel_;
  std::deque<Piece> pieces_;
  std::vector<uint8_t> spare_;  // The memory of the last gathered piece, for the next one.
  std::vector<uint8_t> inbox_;
  uint8_t header_bytes_[sizeof(Header)];
  size_t header_filled_ = 0;
  Header header_;
  size_t body_read_ = 0;
  bool closed_ = false;
};

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_RPC_CONNECTION_H_
