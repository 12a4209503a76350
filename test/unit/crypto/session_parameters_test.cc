// SPDX-License-Identifier: Apache-2.0
#include "crypto/session_parameters.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/byte_order.h"
#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::sample_parameters;

SessionAgreement sample_agreement() {
  SessionAgreement out;
  out.version = 1;
  out.aead = AeadAlgorithm::kAes256Gcm;
  return out;
}

void append(std::vector<uint8_t>* block, uint16_t type, std::vector<uint8_t> value) {
  uint8_t head[4];
  base::store_be16(head, type);
  base::store_be16(head + 2, static_cast<uint16_t>(value.size()));
  block->insert(block->end(), head, head + 4);
  block->insert(block->end(), value.begin(), value.end());
}

// The parameters of a block, in order, each with its four bytes in front.
std::vector<std::vector<uint8_t>> pieces_of(const std::vector<uint8_t>& block) {
  std::vector<std::vector<uint8_t>> out;
  for (size_t at = 0; at < block.size();) {
    const size_t size = 4u + base::load_be16(block.data() + at + 2);
    out.emplace_back(block.begin() + static_cast<ptrdiff_t>(at),
                     block.begin() + static_cast<ptrdiff_t>(at + size));
    at += size;
  }
  return out;
}

std::vector<uint8_t> join(const std::vector<std::vector<uint8_t>>& pieces) {
  std::vector<uint8_t> out;
  for (const auto& piece : pieces) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

TEST(SessionParameters, come_back_as_they_were_sent) {
  SessionParameters sent = sample_parameters(0x01020304, 9);
  sent.version_max = 3;
  sent.max_message_bytes = 123456789;
  sent.unscheduled_bytes = 77;
  sent.max_packet = 8972;
  sent.split = {30, 8, 24};
  const auto plain = decode_parameters(encode_parameters(sent, nullptr));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->parameters, sent);
  EXPECT_FALSE(plain->selection);
  const SessionAgreement agreement = sample_agreement();
  const auto chosen = decode_parameters(encode_parameters(sent, &agreement));
  ASSERT_TRUE(chosen && chosen->selection);
  EXPECT_EQ(*chosen->selection, agreement);
}

TEST(SessionParameters, have_the_documented_bytes) {
  const std::vector<uint8_t> block = encode_parameters(sample_parameters(0x01020304, 9), nullptr);
  EXPECT_EQ(test::to_hex(block),
            "0001000400010001"
            "0002000401020304"
            "0003000102"
            "000400020fa0"
            "000500080000000040000000"
            "0006000400010000"
            "00070004000004b0"
            "000800020102"
            "00090003220814"
            "000a001009090909090909090909090909090909");
}

// Verifies MUST-H1
TEST(SessionParameters, unknown_ones_are_ignored) {
  std::vector<uint8_t> block = encode_parameters(sample_parameters(5, 9), nullptr);
  append(&block, 500, {1, 2, 3});
  append(&block, 501, {});
  const auto decoded = decode_parameters(block);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->parameters, sample_parameters(5, 9));
}

// Verifies MUST-H1
TEST(SessionParameters, each_known_one_is_mandatory_once_and_in_order) {
  const auto pieces = pieces_of(encode_parameters(sample_parameters(5, 9), nullptr));
  ASSERT_EQ(pieces.size(), 10u);
  for (size_t i = 0; i < pieces.size(); ++i) {
    auto missing = pieces;
    missing.erase(missing.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(decode_parameters(join(missing))) << i;
    auto twice = pieces;
    twice.insert(twice.begin() + static_cast<ptrdiff_t>(i), pieces[i]);
    EXPECT_FALSE(decode_parameters(join(twice))) << i;
    if (i > 0) {
      auto swapped = pieces;
      std::swap(swapped[i - 1], swapped[i]);
      EXPECT_FALSE(decode_parameters(join(swapped))) << i;
    }
  }
}

TEST(SessionParameters, a_wrong_length_anywhere_is_malformed) {
  const SessionAgreement agreement = sample_agreement();
  const auto pieces = pieces_of(encode_parameters(sample_parameters(5, 9), &agreement));
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (base::load_be16(pieces[i].data()) == 8) continue;  // AEADS may have several lengths.
    auto longer = pieces;
    longer[i].push_back(0);
    base::store_be16(longer[i].data() + 2, static_cast<uint16_t>(longer[i].size() - 4));
    EXPECT_FALSE(decode_parameters(join(longer))) << i;
  }
  const std::vector<uint8_t> block = join(pieces);
  for (size_t size = 0; size < block.size(); ++size) {
    const auto cut = decode_parameters(std::span(block).first(size));
    // Without its last parameter, SELECTION, a block is whole again.
    EXPECT_EQ(cut.has_value(), size == block.size() - pieces.back().size()) << size;
  }
}

TEST(SessionParameters, rules_of_content_hold) {
  const auto breaks = [](void (*change)(SessionParameters*)) {
    SessionParameters p = sample_parameters(5, 9);
    change(&p);
    return !parameters_valid(p);
  };
  EXPECT_TRUE(parameters_valid(sample_parameters(5, 9)));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->version_min = 0; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->version_min = 2; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->session_id = base::SessionId(0); }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->lanes = 0; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->lanes = 129; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->base_port = 0; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->max_message_bytes = 0; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->max_packet = 1199; }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->aeads.clear(); }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->aeads.push_back(p->aeads[0]); }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->aeads.push_back(AeadAlgorithm::kNone); }));
  EXPECT_TRUE(breaks([](SessionParameters* p) { p->split.id_bits = 1; }));
  EXPECT_FALSE(breaks([](SessionParameters* p) { p->aeads = {AeadAlgorithm::kNone}; }));
}

// Verifies MUST-L2: who asks for padding has it, from both sides, or no session.
TEST(SessionParameters, padding_is_of_both_sides_or_of_none) {
  SessionParameters own = sample_parameters(5, 9);
  SessionParameters peer = sample_parameters(6, 8);
  const Padding all[] = {Padding::kUnable, Padding::kOnRequest, Padding::kAsked};
  for (const Padding a : all) {
    for (const Padding b : all) {
      own.padding = a;
      peer.padding = b;
      const bool asked = a == Padding::kAsked || b == Padding::kAsked;
      const bool able = a != Padding::kUnable && b != Padding::kUnable;
      EXPECT_EQ(messages_padded(own, peer), asked);
      const auto chosen = choose_agreement(own, peer);
      EXPECT_EQ(chosen.error, asked && !able ? AgreementError::kPadding : AgreementError::kNone);
      if (asked && !able) {
        EXPECT_FALSE(agreement_allowed(own, peer, sample_agreement()));
      }
    }
  }
}

TEST(SessionParameters, padding_is_told_in_a_byte) {
  SessionParameters own = sample_parameters(5, 9);
  const std::vector<uint8_t> without = encode_parameters(own, nullptr);
  EXPECT_EQ(decode_parameters(without)->parameters.padding, Padding::kUnable);
  for (const Padding padding : {Padding::kOnRequest, Padding::kAsked}) {
    own.padding = padding;
    std::vector<uint8_t> block = encode_parameters(own, nullptr);
    ASSERT_EQ(block.size(), without.size() + 5);
    EXPECT_EQ(std::vector<uint8_t>(block.end() - 5, block.end()),
              (std::vector<uint8_t>{0, 13, 0, 1, padding == Padding::kAsked}));
    EXPECT_EQ(decode_parameters(block)->parameters, own);
    block.back() = 2;
    ASSERT_TRUE(decode_parameters(block)) << "of a newer peer";
    EXPECT_EQ(decode_parameters(block)->parameters.padding, Padding::kOnRequest);
    block.push_back(0);
    block[block.size() - 3] = 2;  // Its length.
    EXPECT_FALSE(decode_parameters(block));
  }
}

// Verifies MUST-R8: a wish that is told, and told only where it is one.
TEST(SessionParameters, record_mode_takes_both_sides_and_a_cipher) {
  SessionParameters own = sample_parameters(5, 9);
  SessionParameters peer = sample_parameters(6, 8);
  const size_t without = encode_parameters(own, nullptr).size();
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kAes128Gcm), RecordMode::kOff);
  own.records = true;
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kAes128Gcm), RecordMode::kPeerWithout);
  EXPECT_EQ(record_mode(peer, own, AeadAlgorithm::kAes128Gcm), RecordMode::kOff);
  peer.records = true;
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kNone), RecordMode::kPlaintext);
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kAes128Gcm), RecordMode::kOn);
  EXPECT_STRNE(record_mode_text(RecordMode::kPeerWithout), record_mode_text(RecordMode::kOff));
  std::vector<uint8_t> block = encode_parameters(own, nullptr);
  EXPECT_EQ(block.size(), without + 5);
  ASSERT_TRUE(decode_parameters(block));
  EXPECT_TRUE(decode_parameters(block)->parameters.records);
  block.back() = 2;
  ASSERT_TRUE(decode_parameters(block)) << "of a newer peer";
  EXPECT_FALSE(decode_parameters(block)->parameters.records);
  block.push_back(0);
  block[block.size() - 3] = 2;  // Its length.
  EXPECT_FALSE(decode_parameters(block));
}

// Verifies MUST-S1: told by a base, which keeps its bounds, and in force where both sides tell one
// and the cipher is AES-GCM; then there are no records of several packets.
TEST(SessionParameters, esp_takes_both_sides_and_aes_gcm) {
  SessionParameters own = sample_parameters(5, 9);
  SessionParameters peer = sample_parameters(6, 8);
  const std::vector<uint8_t> without = encode_parameters(own, nullptr);
  own.esp_base = 0x01020400;
  EXPECT_FALSE(esp_agreed(own, peer, AeadAlgorithm::kAes128Gcm));
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kAes128Gcm), RecordMode::kNoEspPeer);
  EXPECT_EQ(record_mode(peer, own, AeadAlgorithm::kAes128Gcm), RecordMode::kOff);
  peer.esp_base = 512;
  EXPECT_TRUE(esp_agreed(own, peer, AeadAlgorithm::kAes128Gcm));
  EXPECT_TRUE(esp_agreed(own, peer, AeadAlgorithm::kAes256Gcm));
  EXPECT_FALSE(esp_agreed(own, peer, AeadAlgorithm::kChaCha20Poly1305));
  EXPECT_FALSE(esp_agreed(own, peer, AeadAlgorithm::kNone));
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kNone), RecordMode::kNoEspCipher);
  own.records = peer.records = true;
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kAes256Gcm), RecordMode::kEsp);
  EXPECT_EQ(record_mode(own, peer, AeadAlgorithm::kChaCha20Poly1305), RecordMode::kOn);
  own.records = false;
  std::vector<uint8_t> block = encode_parameters(own, nullptr);
  ASSERT_EQ(block.size(), without.size() + 8);
  EXPECT_EQ(test::to_hex(std::span(block).last(8)), "000e000401020400");
  EXPECT_EQ(decode_parameters(block)->parameters, own);
  for (const uint32_t base : {0u, 256u, 511u, 0x01020401u}) {
    base::store_be32(block.data() + block.size() - 4, base);
    EXPECT_FALSE(decode_parameters(block)) << base;
    own.esp_base = base;
    EXPECT_EQ(parameters_valid(own), base == 0);
  }
  base::store_be32(block.data() + block.size() - 4, 512);
  EXPECT_TRUE(decode_parameters(block));
  block.pop_back();
  base::store_be16(block.data() + block.size() - 5, 3);  // Its length.
  EXPECT_FALSE(decode_parameters(block));
}

TEST(SessionParameters, the_server_prefers_among_what_is_offered) {
  SessionParameters client = sample_parameters(5, 1);
  SessionParameters server = sample_parameters(6, 2);
  client.aeads = {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kChaCha20Poly1305};
  server.aeads = {AeadAlgorithm::kAes256Gcm, AeadAlgorithm::kChaCha20Poly1305,
                  AeadAlgorithm::kAes128Gcm};
  server.split = {30, 8, 24};
  client.version_max = 4;
  server.version_max = 3;
  const AgreementResult result = choose_agreement(client, server);
  ASSERT_EQ(result.error, AgreementError::kNone);
  EXPECT_EQ(result.agreement.aead, AeadAlgorithm::kChaCha20Poly1305);
  EXPECT_EQ(result.agreement.version, 3);
  EXPECT_EQ(result.agreement.split, server.split);
  EXPECT_TRUE(agreement_allowed(client, server, result.agreement));
  SessionAgreement other = result.agreement;
  other.aead = AeadAlgorithm::kAes256Gcm;
  EXPECT_FALSE(agreement_allowed(client, server, other));
  other = result.agreement;
  other.version = 4;
  EXPECT_FALSE(agreement_allowed(client, server, other));
}

TEST(SessionParameters, disagreement_is_named) {
  const SessionParameters server = sample_parameters(6, 2);
  SessionParameters client = sample_parameters(5, 1);
  client.version_min = client.version_max = 2;
  EXPECT_EQ(choose_agreement(client, server).error, AgreementError::kVersion);
  client = sample_parameters(5, 1);
  client.aeads = {AeadAlgorithm::kChaCha20Poly1305};
  EXPECT_EQ(choose_agreement(client, server).error, AgreementError::kAead);
  client = sample_parameters(5, 1);
  client.lanes = 65;
  EXPECT_EQ(choose_agreement(client, server).error, AgreementError::kLanes);
  client.lanes = 64;
  EXPECT_EQ(choose_agreement(client, server).error, AgreementError::kNone);
}

// Verifies MUST-H2
TEST(SessionParameters, plaintext_is_never_negotiated_down_to) {
  SessionParameters plain = sample_parameters(5, 1);
  plain.aeads = {AeadAlgorithm::kNone};
  const SessionParameters sealed = sample_parameters(6, 2);
  EXPECT_EQ(choose_agreement(plain, sealed).error, AgreementError::kAead);
  EXPECT_EQ(choose_agreement(sealed, plain).error, AgreementError::kAead);
  EXPECT_EQ(choose_agreement(plain, plain).agreement.aead, AeadAlgorithm::kNone);
}

TEST(SessionParameters, algorithms_of_the_future_are_passed_over) {
  SessionParameters client = sample_parameters(5, 1);
  SessionParameters server = sample_parameters(6, 2);
  const auto future = static_cast<AeadAlgorithm>(77);
  client.aeads.insert(client.aeads.begin(), future);
  server.aeads.insert(server.aeads.begin(), future);
  EXPECT_EQ(choose_agreement(client, server).agreement.aead, AeadAlgorithm::kAes128Gcm);
}

}  // namespace
}  // namespace sluice::crypto
