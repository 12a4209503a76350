// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_CREDIT_POLICY_H_
#define SLUICE_TRANSPORT_CREDIT_POLICY_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/intrusive_list.h"
#include "base/limits.h"
#include "transport/aimd_window.h"
#include "transport/config.h"
#include "transport/credit_board.h"
#include "transport/grant_policy.h"
#include "transport/size_buckets.h"

namespace sluice::transport {

// Informed credit (SIRD, NSDI 2025 §4): all bytes granted or unscheduled and not yet arrived
// together stay within `credit_bytes`, those of one sender within what its marks allow: one window
// follows the sender's own word that it holds more credit than it can use, the other what the
// network marks. So credit is not left with senders that are busy elsewhere, and little of it is
// enough. Shortest remaining first, a share to the oldest message so that none starves.
//
// Beyond SIRD: where several senders wait, one holds only its share of a bucket, so that receivers
// which have chosen the same sender do not all wait for it with all they have; and all credit
// together grows as more of what arrives comes from senders that say they hold too much. As
// `hybrid` the window of a sender follows the marks of the messages that wait there for others: the
// one that is served now gets the link, and all of its window back within a few round trips. And a
// message does not wait for the credit of those that are much longer, which may lie with senders
// that serve others first, for milliseconds.
//
// As `sird` all scheduled bytes have one priority; as `hybrid` the messages under way are ranked by
// what remains of them, as Homa's are. Grants are cumulative and coalesced (see GrantPolicy).
class CreditPolicy final : public GrantPolicy {
 public:
  // Takes credit_bytes, most_credit_bytes, sender_credit_bytes, credit_board, credit_member,
  // credit_spread, grant_increment, fifo_share, busy_lanes(), max_packet and whether grant_policy
  // is kHybrid.
  explicit CreditPolicy(const EndpointConfig& config);

  void add(Grantable* message) override;
  void on_progress(Grantable* message, const Arrival& arrival) override;
  void remove(Grantable* message) override;
  size_t decide(base::Nanos now, std::span<GrantDecision> out) override;
  void set_levels(uint8_t levels) override { levels_ = levels; }
  uint32_t solicit(uint32_t wanted, uint32_t least) override;
  void unsolicit(uint32_t bytes) override;
  uint64_t outstanding() const override { return outstanding_ + solicited_; }

  // All that senders together may have under way now, but for what overtakes. Where over three
  // quarters of what arrives are from senders that hold more than they can use, more has to be out
  // to keep the link busy.
  uint64_t credit() const;
  // Of that, what the endpoints of the same host's other lcores leave to this one.
  uint64_t own_credit() const {
    return board_ == nullptr ? credit() : board_->allowed(member_, credit());
  }
  // Credit that a sender may hold now, in bytes; for tests and `show`.
  uint32_t allowance(uint32_t sender) const;

 private:
  // With lanes at rest it has nothing under way, nor waits for anything: only its windows are lost
  // where another lane gets its place.
  struct Sender {
    uint64_t lane = 0;
    uint64_t outstanding = 0;
    uint32_t waiting = 0;  // Its messages that want credit.
    AimdWindow host;       // By the sender's congestion bit.
    AimdWindow network;    // By ECN.
    // Wait for its outstanding to fall.
    SizeBuckets<Grantable, &Grantable::node, &Grantable::bucket, 0> blocked;
  };

  struct Ahead {
    uint64_t of_sender = 0;
    uint64_t of_all = 0;
  };

  // The windows of a lane of which nothing is known yet.
  void start(Sender& sender) const;
  static bool can_grant(const Grantable& message) { return message.granted < message.goal(); }
  // Some of the sender may be granted again, as its outstanding has fallen.
  void unblock(Sender& sender);
  void unblock(Sender& sender, Grantable& message);
  void enqueue(Grantable& message);
  void take_out(Grantable& message);
  // The next message to grant: the oldest when its share is due, else the shortest.
  Grantable* next();
  // How much to grant it now; 0 when it has to wait, and then it waits in the right place.
  uint32_t step_for(Grantable& message);
  // What was granted to it and to messages not much longer, of its own sender and of all.
  Ahead ahead_of(const Grantable& message) const;
  // Whether that alone would leave it room for `step` bytes, where all credit does not.
  bool overtakes(const Grantable& message, uint64_t step) const;
  size_t grant(std::span<GrantDecision> out);
  // Tells the other lcores.
  void publish();
  uint8_t priority_of(Grantable& message);
  void activate(Grantable& message);
  void deactivate(Grantable& message);

  // So many at a time: thousands may wait for one sender, and room for them comes packet by packet.
  static constexpr uint32_t kMostUnblocked = 8;
  static constexpr uint32_t kLeastShare = 4;  // One sender may always have this part of the credit.
  // Messages are overtaken that are so many times as long, with one of so many parts of all credit
  // on top of it.
  static constexpr uint32_t kMuchLonger = 2;
  static constexpr uint64_t kOvertakingShare = 2;
  // What is left of a message is its tail from this part of the credit on.
  static constexpr uint64_t kTailShare = 4;
  // With more credit the grants become so many times coarser at most: each costs a packet.
  static constexpr uint64_t kCoarsestGrant = 4;
  static constexpr uint32_t kMaxRanked = base::limits::kMaxOvercommit;

  const uint64_t credit_;       // Without congested senders,
  const uint64_t more_credit_;  // and what they add at most.
  CreditBoard* const board_;    // Null: alone.
  const uint32_t member_;
  const uint32_t increment_;
  const uint32_t fifo_share_;  // One of so many bytes goes to the oldest; 0: none.
  const bool ranked_;
  const uint32_t most_;  // Credit of one sender.
  const uint32_t packet_;
  const uint32_t spread_;  // Senders among which that is divided at most.
  uint32_t waiting_senders_ = 0;
  uint64_t limit_ = 0;        // own_credit() as decide() found it.
  uint64_t outstanding_ = 0;  // Of messages that have begun.
  // Of responses that have not. Grants do not wait for these: the response may itself wait for a
  // grant of its request, and two sides that call each other would wait for one another.
  uint64_t solicited_ = 0;
  int64_t congested_share_ = 0;  // Smoothed, of arriving bytes, out of AimdWindow::kWhole.
  uint64_t fifo_owed_ = 0;       // Bytes granted since the oldest had its turn.
  bool dirty_ = false;
  std::vector<Sender> senders_;
  SizeBuckets<Grantable, &Grantable::node, &Grantable::bucket> waiting_;
  base::IntrusiveList<Grantable, &Grantable::age_node> by_age_;  // All that can be granted.
  std::array<Grantable*, kMaxRanked> active_{};                  // With granted bytes under way.
  uint32_t active_count_ = 0;
  uint32_t levels_ = kDefaultLevels;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CREDIT_POLICY_H_
