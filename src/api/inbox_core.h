// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_INBOX_CORE_H_
#define SLUICE_API_INBOX_CORE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "api/endpoint_core.h"
#include "api/lcore_client.h"
#include "api/mpmc_ring.h"
#include "api/waker.h"
#include "base/aligned_array.h"
#include "sluice/inbox.h"

namespace sluice::internal {

class InboxCore;

// The way back from ordinary threads to one lcore of an inbox.
class InboxPort final : public LcoreClient {
 public:
  InboxPort(InboxCore* inbox, EndpointCore* core, uint32_t capacity)
      : LcoreClient(capacity), inbox_(inbox), core_(core) {}

  EndpointCore* core() const { return core_; }
  void flush() override;

 private:
  void handle(uint32_t entry) override;

  InboxCore* inbox_;
  EndpointCore* core_;
};

// What stands behind an Inbox. A slot lives through: free -> filled by an lcore -> ready -> with a
// thread -> answered, on its lcore -> free; long copied answers pass through `retired` at the
// end, where an ordinary thread frees their bytes. At every moment it is in one place, so that each
// ring needs as many cells as there are slots.
class InboxCore final : public Handler {
 public:
  explicit InboxCore(uint32_t capacity);
  ~InboxCore() override;

  absl::Status open() { return waker_.open(); }
  // Before the lcores use it: the way back to one more lcore. Index = lcore's number in its node.
  InboxPort* add_port(EndpointCore* core);
  const std::vector<std::unique_ptr<InboxPort>>& ports() const { return ports_; }

  // Handler, on the lcores.
  void on_request(Request& request) override;
  void on_one_way(OneWay& one_way) override;

  // Ordinary threads.
  InboxRequest receive();
  InboxRequest wait(uint64_t timeout_ns);
  bool arm();
  int event_fd() const { return waker_.fd(); }
  bool quiet();

  // InboxRequest's functions.
  std::span<const uint8_t> bytes(uint32_t slot) const;
  uint16_t service(uint32_t slot) const { return slots_[slot].service; }
  Session session(uint32_t slot) const { return slots_[slot].session; }
  bool one_way(uint32_t slot) const { return slots_[slot].one_way; }
  StatusCode respond(uint32_t slot, const void* data, uint32_t length);
  StatusCode respond(uint32_t slot, Buffer&& response);
  StatusCode reject(uint32_t slot, StatusCode code);
  // Lets go of an unanswered request or of a one-way message.
  void let_go(uint32_t slot);

  // Lcore (or any thread after its end): does what a thread decided about a slot.
  void carry_out(InboxPort* port, uint32_t slot);
  void flush();

 private:
  enum class Action : uint8_t {
    kNone,
    kRespondInline,
    kRespondHeap,
    kRespondBuffer,
    kReject,
    kRelease
  };

  struct Slot {
    InboxCore* owner = nullptr;
    InboxPort* port = nullptr;
    Action action = Action::kNone;
    bool one_way = false;
    uint16_t service = 0;
    Session session;
    PendingReply reply;
    Message message;
    StatusCode code = StatusCode::kOk;
    uint32_t length = 0;  // Of the copied answer.
    std::unique_ptr<uint8_t[]> heap;
    Buffer buffer;
    std::array<uint8_t, kInlineResponseBytes> bytes;
  };

  Slot* claim(Endpoint& endpoint, Session session, uint16_t service);
  void publish(Slot* slot);
  void send_back(uint32_t slot, Action action);
  // Gives the slot's answer to its lcore's endpoint.
  StatusCode answer(Slot* slot);
  static void on_sent(void* slot, const uint8_t* data);
  void retire(Slot* slot);
  void reap();
  uint32_t index_of(const Slot* slot) const { return static_cast<uint32_t>(slot - slots_.data()); }

  uint32_t capacity_;
  base::AlignedArray<Slot> slots_;
  MpmcRing free_;
  MpmcRing ready_;
  MpmcRing retired_;
  std::vector<std::unique_ptr<InboxPort>> ports_;
  Waker waker_;
  std::atomic<bool> dirty_{false};
};

}  // namespace sluice::internal

#endif  // SLUICE_API_INBOX_CORE_H_
