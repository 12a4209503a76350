// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENGINE_RX_INTERRUPT_H_
#define SLUICE_ENGINE_RX_INTERRUPT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace sluice::engine {

// What tells of a packet in one receive queue of a device: a file that its driver lends, to be
// waited for with poll(). It is waited for by level and not by edge, as rte_epoll_wait() would:
// net_tap's burst looks at the queue only after a signal that may still be on its way when the
// file tells of the packet, so that the one edge there is would be used up by a look too early.
class RxInterrupt {
 public:
  // Of a device that was configured for them and is started, on a control thread. Unimplemented
  // when it has none.
  static absl::StatusOr<RxInterrupt> find(uint16_t port_id, uint16_t queue);
  // Of a file that is readable for as long as there is something to receive. Not owned.
  explicit RxInterrupt(int file) : file_(file) {}

  int file() const { return file_; }
  // Asks the device to tell of packets from now on. One that came before may go untold: the queue
  // has to be looked at afterwards. The lcore of the queue, like the rest.
  void arm() const;
  // Asks it no more; a burst needs no telling.
  void disarm() const;
  // After the file was readable: takes back what only the file remembers.
  void clear() const;

 private:
  int file_;
  uint16_t port_id_ = 0;
  uint16_t queue_ = 0;
  bool armed_by_driver_ = false;  // Else the file tells whether it is asked or not.
  size_t counter_bytes_ = 0;      // That clear() reads; 0: receiving makes the file unreadable.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_RX_INTERRUPT_H_
