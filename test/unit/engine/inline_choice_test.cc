// SPDX-License-Identifier: Apache-2.0
#include "engine/inline_choice.h"

#include <gtest/gtest.h>

namespace sluice::engine {
namespace {

using crypto::AeadAlgorithm;
using crypto::BackendKind;

InlineFacts facts(BackendKind wanted) {
  InlineFacts out;
  out.wanted = wanted;
  out.record_mode = true;
  out.encapsulation = wire::Encapsulation::kNative;
  out.algorithms = {AeadAlgorithm::kAes128Gcm};
  out.ports = {{"port0", true, "an engine", {AeadAlgorithm::kAes128Gcm}}};
  out.cpu = "ipsec-mb";
  return out;
}

TEST(InlineChoice, auto_takes_ports_that_seal) {
  const auto choice = choose_inline(facts(BackendKind::kAuto));
  ASSERT_TRUE(choice.ok());
  EXPECT_TRUE(choice->use);
  EXPECT_EQ(choice->report.what, "records");
  EXPECT_EQ(choice->report.choice, "sealed by the port");
  EXPECT_EQ(choice->report.why, "port0: an engine");
}

TEST(InlineChoice, auto_falls_back_and_says_why) {
  InlineFacts none = facts(BackendKind::kAuto);
  none.ports[0] = {"port0", false, "the device has none", {}};
  auto choice = choose_inline(none);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_EQ(choice->report.choice, "sealed by ipsec-mb");
  EXPECT_EQ(choice->report.why, "port0: the device has none");

  InlineFacts udp = facts(BackendKind::kAuto);
  udp.encapsulation = wire::Encapsulation::kUdp;
  choice = choose_inline(udp);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_NE(choice->report.why.find("UDP"), std::string::npos);

  InlineFacts other = facts(BackendKind::kAuto);
  other.algorithms = {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm};
  choice = choose_inline(other);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_EQ(choice->report.why, "port0: the device has no aes-256-gcm");
}

TEST(InlineChoice, of_several_ports_those_seal_that_can) {
  InlineFacts two = facts(BackendKind::kAuto);
  two.ports.push_back({"port1", false, "the device has none", {}});
  const auto choice = choose_inline(two);
  ASSERT_TRUE(choice.ok());
  EXPECT_TRUE(choice->use);
  EXPECT_EQ(choice->report.choice, "sealed by the port where it can, else by ipsec-mb");
  EXPECT_EQ(choice->report.why, "port0: an engine; port1: the device has none");
  two.wanted = BackendKind::kInline;
  EXPECT_FALSE(choose_inline(two).ok()) << "asked for, it is all or nothing";
}

TEST(InlineChoice, asked_for_it_is_taken_or_refused) {
  EXPECT_TRUE(choose_inline(facts(BackendKind::kInline))->use);
  InlineFacts none = facts(BackendKind::kInline);
  none.ports[0] = {"port0", false, "the device has none", {}};
  auto choice = choose_inline(none);
  EXPECT_TRUE(absl::IsUnimplemented(choice.status()));
  EXPECT_EQ(choice.status().message(),
            "inline crypto was asked for: port0: the device has none; ask for auto, or for another "
            "port or cipher");
  InlineFacts packets = facts(BackendKind::kInline);
  packets.record_mode = false;
  EXPECT_TRUE(absl::IsUnimplemented(choose_inline(packets).status()));
  InlineFacts udp = facts(BackendKind::kInline);
  udp.encapsulation = wire::Encapsulation::kUdp;
  EXPECT_TRUE(absl::IsUnimplemented(choose_inline(udp).status()));
}

TEST(InlineChoice, a_cpu_backend_asked_for_by_name_is_not_replaced) {
  for (const BackendKind kind : {BackendKind::kIpsecMb, BackendKind::kBoringssl}) {
    const auto choice = choose_inline(facts(kind));
    ASSERT_TRUE(choice.ok());
    EXPECT_FALSE(choice->use);
    EXPECT_EQ(choice->report.why, "asked for by name");
  }
}

TEST(InlineChoice, plaintext_has_no_records) {
  InlineFacts plain = facts(BackendKind::kAuto);
  plain.algorithms = {AeadAlgorithm::kNone};
  const auto choice = choose_inline(plain);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_TRUE(choice->report.what.empty());
  plain.wanted = BackendKind::kInline;
  EXPECT_TRUE(absl::IsUnimplemented(choose_inline(plain).status()));
}

TEST(InlineChoice, of_esp_is_the_same_choice) {
  InlineFacts esp = facts(BackendKind::kInline);
  esp.record_mode = false;
  esp.esp = true;
  const auto choice = choose_inline(esp);
  ASSERT_TRUE(choice.ok());
  EXPECT_TRUE(choice->use);
  EXPECT_EQ(choice->report.what, "ESP");
  esp.encapsulation = wire::Encapsulation::kUdp;
  EXPECT_TRUE(absl::IsUnimplemented(choose_inline(esp).status()));
  esp.wanted = BackendKind::kAuto;
  EXPECT_EQ(choose_inline(esp)->report.choice, "sealed by ipsec-mb");
  EXPECT_EQ(choose_inline(esp)->report.why, "ESP stands behind IP, without UDP");
}

TEST(InlineChoice, packet_mode_has_nothing_to_report) {
  InlineFacts packets = facts(BackendKind::kAuto);
  packets.record_mode = false;
  const auto choice = choose_inline(packets);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_TRUE(choice->report.what.empty());
}

}  // namespace
}  // namespace sluice::engine
