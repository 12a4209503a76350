// SPDX-License-Identifier: Apache-2.0
#include "transport/credit_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "base/prng.h"

namespace sluice::transport {
namespace {

constexpr uint32_t kStep = 4'000;

EndpointConfig config(GrantPolicyKind kind = GrantPolicyKind::kHybrid) {
  EndpointConfig config;
  config.grant_policy = kind;
  config.credit_bytes = 150'000;
  config.sender_credit_bytes = 100'000;
  config.grant_increment = kStep;
  config.credit_spread = 1;
  config.max_lanes = 8;
  config.max_packet = 1'000;
  config.fifo_share = 0;
  return config;
}

Grantable message(uint32_t length, uint32_t sender, uint32_t granted = 0) {
  Grantable m;
  m.length = m.limit = length;
  m.sender = sender;
  m.granted = granted;
  return m;
}

class CreditPolicyTest : public testing::Test {
 protected:
  // Decides once and returns the number of decisions.
  size_t decide() { return policy_->decide(base::seconds(1), out_); }
  void decide_all() {
    while (decide() == out_.size()) {
    }
  }
  // What the sender says: nothing, that it holds too much, and that the message has had to wait.
  enum class Word { kNone, kCongested, kOutranked };
  void arrive(Grantable& m, uint32_t bytes, Word word = Word::kNone, bool marked = false) {
    m.received += bytes;
    policy_->on_progress(&m, {.bytes = bytes,
                              .congested = word != Word::kNone ? bytes : 0,
                              .marked = marked ? bytes : 0,
                              .outranked = word == Word::kOutranked ? bytes : 0});
  }

  std::unique_ptr<CreditPolicy> policy_ = std::make_unique<CreditPolicy>(config());
  std::array<GrantDecision, 16> out_;
};

TEST_F(CreditPolicyTest, one_sender_gets_its_bucket_and_no_more) {
  Grantable a = message(1'000'000, 0);
  policy_->add(&a);
  ASSERT_GE(decide(), 1u);
  EXPECT_EQ(a.granted, 100'000u);
  EXPECT_EQ(decide(), 0u);
  arrive(a, 50'000);
  EXPECT_GE(decide(), 1u);
  EXPECT_EQ(a.granted - a.received, 100'000u);
}

TEST_F(CreditPolicyTest, where_several_senders_wait_each_has_a_share_of_a_bucket) {
  EndpointConfig spread = config();
  spread.credit_spread = 2;
  policy_ = std::make_unique<CreditPolicy>(spread);
  std::array<Grantable, 6> messages;
  for (uint32_t i = 0; i < messages.size(); ++i) {
    messages[i] = message(1'000'000 + i, i);
    policy_->add(&messages[i]);
  }
  decide();
  for (uint32_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i].granted, i < 3 ? 50'000u : 0u) << "until all credit is given";
  }
  for (uint32_t i = 1; i < messages.size(); ++i) policy_->remove(&messages[i]);
  arrive(messages[0], 1'000);
  decide();
  EXPECT_EQ(messages[0].granted, 101'000u) << "alone, it gets the whole bucket";
}

TEST_F(CreditPolicyTest, responses_are_let_in_as_far_as_there_is_credit) {
  EXPECT_EQ(policy_->solicit(100'000, 1'000), 100'000u);
  EXPECT_EQ(policy_->solicit(100'000, 1'000), 50'000u);
  EXPECT_EQ(policy_->solicit(100'000, 1'000), 1'000u) << "the least always";
  EXPECT_EQ(policy_->outstanding(), 151'000u);
  Grantable a = message(1'000'000, 0);
  policy_->add(&a);
  decide();
  EXPECT_EQ(a.granted, 100'000u) << "a request does not wait for what waits for it";
  policy_->unsolicit(151'000);
  EXPECT_EQ(policy_->solicit(100'000, 1'000), 50'000u);
  policy_->unsolicit(50'000);
  policy_->remove(&a);
  EXPECT_EQ(policy_->outstanding(), 0u);
}

TEST_F(CreditPolicyTest, credit_grows_with_what_congested_senders_hold) {
  EndpointConfig more = config();
  more.most_credit_bytes = 450'000;
  policy_ = std::make_unique<CreditPolicy>(more);
  EXPECT_EQ(policy_->credit(), 150'000u);
  Grantable a = message(1u << 30, 0);
  policy_->add(&a);
  for (int i = 0; i < 200; ++i) {
    decide();
    arrive(a, a.granted - a.received, Word::kCongested);
  }
  EXPECT_GT(policy_->credit(), 440'000u);
  EXPECT_LE(policy_->credit(), 450'000u);
  for (int i = 0; i < 400; ++i) {
    decide();
    arrive(a, a.granted - a.received);
  }
  EXPECT_LT(policy_->credit(), 160'000u);
  EXPECT_GE(policy_->credit(), 150'000u);
}

// A sender keeps back what does not fill a packet, and credit for that would be stuck with it.
TEST_F(CreditPolicyTest, grants_end_with_whole_packets) {
  Grantable a = message(1'000'000, 0);
  a.unit = 1408;
  policy_->add(&a);
  ASSERT_GE(decide(), 1u);
  EXPECT_EQ(a.granted, 100'000u / 1408 * 1408);
  while (a.granted < a.length) {
    arrive(a, a.granted - a.received);
    ASSERT_GE(decide(), 1u);
    EXPECT_TRUE(a.granted == a.length || a.granted % 1408 == 0);
  }
}

TEST_F(CreditPolicyTest, all_senders_together_stay_within_the_credit) {
  Grantable a = message(1'000'000, 0);
  Grantable b = message(2'000'000, 1);
  Grantable c = message(3'000'000, 2);
  for (Grantable* m : {&a, &b, &c}) policy_->add(m);
  decide();
  EXPECT_EQ(a.granted, 100'000u) << "the shortest first";
  EXPECT_EQ(b.granted, 50'000u) << "what is left";
  EXPECT_EQ(c.granted, 0u);
  EXPECT_LE(policy_->outstanding(), 150'000u);
}

// Two lcores of a host grant on one downlink: what one has out, the other has not, but for its
// half.
TEST_F(CreditPolicyTest, lcores_of_one_host_share_the_credit) {
  CreditBoard board(2);
  EndpointConfig own = config();
  own.credit_board = &board;
  CreditPolicy first(own);
  own.credit_member = 1;
  CreditPolicy second(own);
  std::array<GrantDecision, 64> out;
  Grantable a = message(1'000'000, 0);
  Grantable b = message(1'000'000, 1);
  Grantable c = message(1'000'000, 2);
  first.add(&a);
  first.add(&b);
  first.decide(base::seconds(1), out);
  EXPECT_GT(first.outstanding(), 140'000u);
  second.add(&c);
  second.decide(base::seconds(1), out);
  EXPECT_LE(second.outstanding(), 75'000u) << "its half, as the other has all";
  EXPECT_GT(second.outstanding(), 65'000u);
  // As the first one's bytes arrive it grants no more until both together are within the credit.
  while (first.outstanding() + second.outstanding() > 150'000u) {
    Grantable& longest = a.granted - a.received >= b.granted - b.received ? a : b;
    longest.received += 4'000;
    first.on_progress(&longest, {.bytes = 4'000});
    EXPECT_EQ(first.decide(base::seconds(1), out), 0u);
  }
  first.remove(&a);
  first.remove(&b);
  first.decide(base::seconds(1), out);
  c.received += 4'000;
  second.on_progress(&c, {.bytes = 4'000});
  second.decide(base::seconds(1), out);
  EXPECT_GT(second.outstanding(), 90'000u) << "all that one sender may have";
}

TEST_F(CreditPolicyTest, unscheduled_bytes_are_paid_for_too) {
  EndpointConfig sird = config();
  sird.grant_policy = GrantPolicyKind::kSird;
  policy_ = std::make_unique<CreditPolicy>(sird);
  Grantable blind = message(140'000, 0, 140'000);
  policy_->add(&blind);
  EXPECT_EQ(policy_->outstanding(), 140'000u);
  Grantable a = message(1'000'000, 1);
  policy_->add(&a);
  decide();
  EXPECT_EQ(a.granted, 10'000u);
  policy_->remove(&blind);
  decide();
  EXPECT_EQ(a.granted, 100'000u);
}

TEST_F(CreditPolicyTest, unscheduled_bytes_hold_up_nobody_until_half_as_much_credit_again_is_out) {
  Grantable blind = message(140'000, 0, 140'000);
  Grantable more = message(60'000, 2, 60'000);
  Grantable a = message(1'000'000, 1);
  for (Grantable* m : {&blind, &more, &a}) policy_->add(m);
  decide_all();
  EXPECT_EQ(a.granted, 24'000u) << "in whole steps";
  EXPECT_LE(policy_->outstanding(), 225'000u);
  arrive(blind, 140'000);
  decide_all();
  EXPECT_GT(a.granted, 100'000u - kStep) << "its sender's bucket";
}

TEST_F(CreditPolicyTest, a_blocked_sender_does_not_hold_up_the_others) {
  EndpointConfig sird = config();
  sird.grant_policy = GrantPolicyKind::kSird;
  policy_ = std::make_unique<CreditPolicy>(sird);
  Grantable a = message(500'000, 0);
  policy_->add(&a);
  decide();
  Grantable shorter = message(50'000, 0);
  Grantable other = message(900'000, 1);
  policy_->add(&shorter);
  policy_->add(&other);
  decide();
  EXPECT_EQ(shorter.granted, 0u);
  EXPECT_EQ(other.granted, 50'000u);
  arrive(a, 20'000);
  decide();
  EXPECT_EQ(shorter.granted, 20'000u) << "first in line when its sender may have credit again";
}

// Else all of an incast would overtake each other.
TEST_F(CreditPolicyTest, messages_of_about_one_length_wait_for_each_other) {
  Grantable a = message(110'000, 0);
  Grantable b = message(100'000, 1);
  Grantable c = message(60'000, 2);
  for (Grantable* m : {&a, &b, &c}) policy_->add(m);
  decide_all();
  EXPECT_EQ(c.granted, 60'000u);
  EXPECT_EQ(policy_->outstanding(), 150'000u);
}

// As `hybrid` its sender serves it first, and what the longer ones hold stays where it is.
TEST_F(CreditPolicyTest, a_shorter_message_does_not_wait_for_the_credit_of_longer_ones) {
  Grantable a = message(500'000, 0);
  policy_->add(&a);
  decide_all();
  EXPECT_EQ(a.granted, 100'000u);
  Grantable shorter = message(120'000, 0);
  Grantable longer = message(600'000, 0);
  policy_->add(&shorter);
  policy_->add(&longer);
  decide_all();
  EXPECT_EQ(shorter.granted, 100'000u) << "as if it were alone";
  EXPECT_EQ(longer.granted, 0u);
  Grantable elsewhere = message(24'000, 1);
  policy_->add(&elsewhere);
  decide_all();
  EXPECT_EQ(elsewhere.granted, 24'000u) << "it is less than half as long as the shortest of them";
  EXPECT_EQ(policy_->outstanding(), 224'000u);
  Grantable last = message(20'000, 2);
  policy_->add(&last);
  decide_all();
  EXPECT_EQ(last.granted, 0u) << "half as much credit again is out";
  for (Grantable* m : {&a, &shorter, &longer, &elsewhere, &last}) policy_->remove(m);
  EXPECT_EQ(policy_->outstanding(), 0u);
}

TEST_F(CreditPolicyTest, a_sender_whose_message_waits_there_for_others_is_given_less) {
  Grantable a = message(50'000'000, 0);
  policy_->add(&a);
  for (int i = 0; i < 5000; ++i) {
    decide();
    const uint32_t under_way = a.granted - a.received;
    ASSERT_GT(under_way, 0u) << "never starved";
    arrive(a, std::min(under_way, 1'000u), Word::kOutranked);
  }
  EXPECT_LT(policy_->allowance(0), 12'000u);
  EXPECT_EQ(policy_->allowance(1), 100'000u) << "others are none of its business";
}

TEST_F(CreditPolicyTest, a_sender_that_holds_too_much_but_serves_this_message_keeps_its_window) {
  for (const auto kind : {GrantPolicyKind::kHybrid, GrantPolicyKind::kSird}) {
    policy_ = std::make_unique<CreditPolicy>(config(kind));
    Grantable a = message(50'000'000, 0);
    policy_->add(&a);
    for (int i = 0; i < 5000; ++i) {
      decide();
      arrive(a, std::min(a.granted - a.received, 1'000u), Word::kCongested);
    }
    if (kind == GrantPolicyKind::kHybrid) {
      EXPECT_EQ(policy_->allowance(0), 100'000u);
    } else {
      EXPECT_LT(policy_->allowance(0), 12'000u) << "SIRD knows one word only";
    }
  }
}

TEST_F(CreditPolicyTest, grants_grow_with_the_credit) {
  EndpointConfig growing = config();
  growing.most_credit_bytes = 4 * growing.credit_bytes;
  growing.sender_credit_bytes = 1'000'000;
  policy_ = std::make_unique<CreditPolicy>(growing);
  Grantable a = message(50'000'000, 0);
  policy_->add(&a);
  // Bytes that arrive from one grant to the next.
  const auto between_grants = [&](Word word) {
    uint32_t arrived = 0;
    for (int grants = 0; grants < 2; ++grants) {
      arrived = 0;
      for (const uint32_t before = a.granted; a.granted == before; decide()) {
        arrive(a, 500, word);
        arrived += 500;
      }
    }
    return arrived;
  };
  decide();
  EXPECT_LE(between_grants(Word::kNone), kStep);
  for (int i = 0; i < 20'000; ++i) {
    decide();
    arrive(a, std::min(a.granted - a.received, 1'000u), Word::kCongested);
  }
  EXPECT_GT(policy_->credit(), 3 * growing.credit_bytes);
  const uint32_t coarse = between_grants(Word::kCongested);
  EXPECT_GE(coarse, 3 * kStep - 500);
  EXPECT_LE(coarse, 4 * kStep);
}

TEST_F(CreditPolicyTest, marks_of_the_network_shrink_it_too) {
  Grantable a = message(50'000'000, 0);
  policy_->add(&a);
  for (int i = 0; i < 5000; ++i) {
    decide();
    arrive(a, std::min(a.granted - a.received, 1'000u), Word::kNone, /*marked=*/true);
  }
  EXPECT_LT(policy_->allowance(0), 6'000u);
}

TEST_F(CreditPolicyTest,
       what_waits_for_one_sender_is_looked_at_a_few_at_a_time_and_all_of_it_comes) {
  EndpointConfig shared = config();
  shared.fifo_share = 8;
  policy_ = std::make_unique<CreditPolicy>(shared);
  constexpr uint32_t kMessages = 2000;
  std::vector<Grantable> messages(kMessages);
  for (uint32_t i = 0; i < kMessages; ++i) {
    messages[i] = message(20'000 + 10 * ((i * 7919) % kMessages), 0);  // In no order.
    policy_->add(&messages[i]);
  }
  decide_all();
  const auto waiting = [](const Grantable& m) { return m.node.linked() && !m.blocked; };
  std::vector<uint32_t> ends;
  uint64_t rounds = 0;
  for (size_t next = 0; ends.size() < kMessages; ++rounds) {
    ASSERT_LT(rounds, 40u * kMessages) << "or it never ends";
    // What was granted arrives, a packet of one message at a time.
    for (uint32_t looked = 0; messages[next].received == messages[next].granted; ++looked) {
      ASSERT_LT(looked, kMessages) << "nothing is under way";
      next = (next + 1) % kMessages;
    }
    Grantable& m = messages[next];
    arrive(m, std::min(1'000u, m.granted - m.received));
    if (m.received == m.length) {
      ends.push_back(static_cast<uint32_t>(next));
      policy_->remove(&m);
    }
    ASSERT_LE(std::count_if(messages.begin(), messages.end(), waiting), 2 * 9) << "not all of them";
    decide_all();
    next = (next + 1) % kMessages;
  }
  EXPECT_EQ(policy_->outstanding(), 0u);
  // A share goes to the oldest: it does not come last, though thousands are shorter.
  const auto oldest_long = std::find(ends.begin(), ends.end(), 1u);  // 20,000 + 10 * 1,919 bytes.
  EXPECT_LT(oldest_long - ends.begin(), kMessages / 2);
}

TEST_F(CreditPolicyTest, another_lane_in_the_place_of_one_begins_with_windows_of_its_own) {
  Grantable a = message(50'000'000, 0);
  a.lane = 1;
  policy_->add(&a);
  for (int i = 0; i < 5000; ++i) {
    decide();
    arrive(a, std::min(a.granted - a.received, 1'000u), Word::kOutranked);
  }
  policy_->remove(&a);
  EXPECT_LT(policy_->allowance(0), 12'000u);
  Grantable again = message(1'000, 0);
  again.lane = 1;
  policy_->add(&again);
  EXPECT_LT(policy_->allowance(0), 12'000u) << "what is known of a lane stays known";
  policy_->remove(&again);
  Grantable other = message(1'000, 0);
  other.lane = 2;
  policy_->add(&other);
  EXPECT_EQ(policy_->allowance(0), 100'000u);
  policy_->remove(&other);
}

TEST_F(CreditPolicyTest, the_tail_of_a_message_goes_with_the_lowest_of_what_comes_unasked) {
  policy_->set_levels(3);
  Grantable a = message(38'000, 0);
  policy_->add(&a);
  ASSERT_NE(decide(), 0u);
  EXPECT_EQ(out_[0].priority, 0);
  policy_->remove(&a);
  Grantable b = message(37'500, 0);  // A quarter of the credit.
  policy_->add(&b);
  ASSERT_NE(decide(), 0u);
  EXPECT_EQ(out_[0].priority, 3) << "one above the three of what is granted";
  policy_->remove(&b);
}

TEST_F(CreditPolicyTest, messages_under_way_are_ranked_by_what_is_left_of_them) {
  Grantable longer = message(800'000, 0);
  policy_->add(&longer);
  ASSERT_GE(decide(), 1u);
  EXPECT_EQ(out_[0].priority, 0) << "alone: the lowest";
  Grantable shorter = message(100'000, 1);
  policy_->add(&shorter);
  ASSERT_GE(decide(), 1u);
  EXPECT_EQ(out_[0].message, &shorter);
  EXPECT_EQ(out_[0].priority, 1) << "above the longer one";
  policy_ = std::make_unique<CreditPolicy>(config(GrantPolicyKind::kSird));
  Grantable a = message(800'000, 0);
  Grantable b = message(100'000, 1);
  policy_->add(&a);
  decide();
  policy_->add(&b);
  decide();
  EXPECT_EQ(out_[0].priority, 0) << "sird has one priority for all of them";
}

TEST_F(CreditPolicyTest, the_oldest_gets_its_share_of_an_endless_stream_of_shorter_ones) {
  EndpointConfig shared = config();
  shared.fifo_share = 10;
  policy_ = std::make_unique<CreditPolicy>(shared);
  Grantable oldest = message(5'000'000, 0);
  policy_->add(&oldest);
  for (int i = 0; i < 200; ++i) {
    Grantable shorter = message(20'000, 1 + static_cast<uint32_t>(i % 4));
    policy_->add(&shorter);
    while (shorter.granted < shorter.length) {
      decide();
      arrive(shorter, shorter.granted - shorter.received);
      if (oldest.granted > oldest.received) arrive(oldest, oldest.granted - oldest.received);
    }
    policy_->remove(&shorter);
  }
  EXPECT_GT(oldest.received, 200 * 20'000u / 20);
}

TEST_F(CreditPolicyTest, every_decision_adds_something_and_the_books_balance) {
  base::Prng prng(5);
  std::map<int, Grantable> messages;
  int next = 0;
  for (int round = 0; round < 20'000; ++round) {
    const uint64_t dice = prng.uniform(10);
    if (dice == 0 && messages.size() < 40) {
      const auto length = static_cast<uint32_t>(1 + prng.uniform(400'000));
      Grantable& m = messages[next++];
      m = message(length, static_cast<uint32_t>(prng.uniform(8)),
                  std::min<uint32_t>(length, static_cast<uint32_t>(prng.uniform(3'000))));
      policy_->add(&m);
    } else if (dice == 1 && !messages.empty()) {
      const auto it = std::next(messages.begin(), static_cast<long>(prng.uniform(messages.size())));
      policy_->remove(&it->second);
      messages.erase(it);
    } else if (!messages.empty()) {
      const auto it = std::next(messages.begin(), static_cast<long>(prng.uniform(messages.size())));
      Grantable& m = it->second;
      const uint32_t under_way = m.granted - m.received;
      if (under_way != 0) {
        arrive(m, 1 + static_cast<uint32_t>(prng.uniform(under_way)),
               static_cast<Word>(prng.uniform(3)), prng.uniform(4) == 0);
      }
      if (m.received == m.length) {
        policy_->remove(&m);
        messages.erase(it);
      }
    }
    std::map<Grantable*, uint32_t> before;
    for (auto& [id, m] : messages) before[&m] = m.granted;
    const size_t count = decide();
    for (size_t i = 0; i < count; ++i) {
      ASSERT_GT(out_[i].offset, before[out_[i].message]);
      before[out_[i].message] = out_[i].offset;
    }
    uint64_t under_way = 0;
    for (auto& [id, m] : messages) {
      ASSERT_LE(m.granted, m.length);
      ASSERT_EQ(m.granted, before[&m]);
      under_way += m.granted - m.received;
    }
    ASSERT_EQ(policy_->outstanding(), under_way);
  }
}

}  // namespace
}  // namespace sluice::transport
