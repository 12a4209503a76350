// SPDX-License-Identifier: Apache-2.0
//
// Whole frames of one network interface, through the kernel's AF_PACKET.
#ifndef SLUICE_TEST_ATTACK_RAW_SOCKET_H_
#define SLUICE_TEST_ATTACK_RAW_SOCKET_H_

#include <optional>
#include <span>
#include <string>

#include "packet.h"

namespace sluice::attack {

class RawSocket {
 public:
  // Ends the program with a line of why when it cannot be opened.
  explicit RawSocket(const std::string& interface);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  int descriptor() const { return descriptor_; }
  // A frame that has arrived; nothing when none has, or only what this program has sent.
  std::optional<Bytes> receive();
  // Waits while the interface's queue is full.
  void send(std::span<const uint8_t> frame);

 private:
  int descriptor_ = -1;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_RAW_SOCKET_H_
