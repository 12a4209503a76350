// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using Strings = std::vector<std::string>;

class OptionsTest : public testing::Test {
 protected:
  absl::Status parse(const Strings& arguments) {
    const auto words = option_set(&options_).parse(arguments);
    return words.ok() ? check_options(options_) : words.status();
  }

  Options options_;
};

TEST_F(OptionsTest, without_a_port_both_ends_are_in_the_process) {
  ASSERT_TRUE(parse({}).ok());
  EXPECT_TRUE(options_.embedded());
  const EngineOptions engine = engine_options(options_, true, std::vector<uint8_t>(32, 1));
  ASSERT_EQ(engine.nodes.size(), 2u);
  EXPECT_EQ(engine.nodes[kClientNode].ports[0].device, engine.nodes[kServerNode].ports[0].device);
  EXPECT_FALSE(engine.nodes[kClientNode].accept);
  EXPECT_TRUE(engine.nodes[kServerNode].accept);
  EXPECT_EQ(engine.crypto.psk.size(), 32u);
}

TEST_F(OptionsTest, addresses_belong_to_the_port_before_them) {
  ASSERT_TRUE(
      parse({"--port=net_tap0", "--address=10.0.0.1/24", "--address=fd00::1/64", "--port=net_tap1",
             "--address=10.1.0.1/24", "--gateway=10.1.0.9", "--psk-file=k"})
          .ok());
  ASSERT_EQ(options_.ports.size(), 2u);
  EXPECT_EQ(options_.ports[0].addresses, (Strings{"10.0.0.1/24", "fd00::1/64"}));
  EXPECT_EQ(options_.ports[1].gateways, Strings{"10.1.0.9"});
  options_ = Options();
  EXPECT_FALSE(parse({"--address=10.0.0.1/24"}).ok());
}

TEST_F(OptionsTest, certificates_reach_the_engine) {
  ASSERT_TRUE(parse({"--port=net_tap0", "--address=10.0.0.1/24", "--cert=c", "--key=k",
                     "--trust=a=b/ca.pem", "--trust=other.pem=dc.example", "--name=s.dc.example",
                     "--allow=x", "--allow=y", "--policy-file=p", "--audit=l"})
                  .ok());
  const EngineOptions engine = engine_options(options_, false, std::vector<uint8_t>(32, 1));
  EXPECT_EQ(engine.crypto.certificate_file, "c");
  EXPECT_EQ(engine.crypto.key_file, "k");
  ASSERT_EQ(engine.crypto.trust.size(), 2u);
  EXPECT_EQ(engine.crypto.trust[0].file, "a=b/ca.pem");
  EXPECT_EQ(engine.crypto.trust[0].suffix, "");
  EXPECT_EQ(engine.crypto.trust[1].file, "other.pem");
  EXPECT_EQ(engine.crypto.trust[1].suffix, "dc.example");
  EXPECT_EQ(engine.crypto.allowed_names, (Strings{"x", "y"}));
  EXPECT_EQ(engine.access.policy_file, "p");
  EXPECT_EQ(engine.access.audit_file, "l");
  EXPECT_TRUE(engine.crypto.psk.empty());
  EXPECT_EQ(options_.peer_name, "s.dc.example");
}

TEST_F(OptionsTest, certificates_come_whole_and_alone) {
  const Strings place = {"--port=net_tap0", "--address=10.0.0.1/24"};
  const auto refused = [&](Strings more) {
    options_ = Options();
    more.insert(more.begin(), place.begin(), place.end());
    return !parse(more).ok();
  };
  EXPECT_FALSE(refused({"--cert=c", "--key=k", "--trust=t"}));
  EXPECT_TRUE(refused({"--cert=c", "--key=k"}));
  EXPECT_TRUE(refused({"--cert=c", "--trust=t"}));
  EXPECT_TRUE(refused({"--key=k", "--trust=t"}));
  EXPECT_TRUE(refused({"--cert=c", "--key=k", "--trust=t", "--psk-file=p"}));
  EXPECT_TRUE(refused({"--cert=c", "--key=k", "--trust=t", "--cipher=plaintext"}));
  EXPECT_TRUE(refused({"--cert=c", "--key=k", "--trust=ca.pem="}));
  EXPECT_TRUE(refused({"--psk-file=p", "--name=a"}));
  EXPECT_TRUE(refused({"--psk-file=p", "--allow=a"}));
  EXPECT_TRUE(refused({"--psk-file=p", "--policy-file=a"}));
  EXPECT_TRUE(refused({"--psk-file=p", "--audit=a"}));
}

TEST_F(OptionsTest, everything_reaches_the_engine) {
  ASSERT_TRUE(parse({"--port=net_tap0",
                     "--address=10.0.0.1/24",
                     "--psk-file=k",
                     "--vlan=7",
                     "--mtu=9000",
                     "--capture=c.pcap",
                     "--native-ip",
                     "--udp-port=9000",
                     "--lcores=2",
                     "--cpus=0,3",
                     "--cipher=aes-256-gcm",
                     "--crypto=lookaside",
                     "--loss=1%",
                     "--seed=5",
                     "--no-bundling",
                     "--shuffle",
                     "--policy=sird",
                     "--multipath",
                     "--record-mode",
                     "--pad=buckets",
                     "--model-nic=9",
                     "--model-engine=connectx",
                     "--arena=32",
                     "--huge-pages=no",
                     "--memory=512",
                     "--log-level=debug"})
                  .ok());
  const EngineOptions engine = engine_options(options_, false, {});
  ASSERT_EQ(engine.nodes.size(), 1u);
  const NodeOptions& node = engine.nodes[0];
  EXPECT_EQ(node.ports[0].vlan, 7);
  EXPECT_EQ(node.ports[0].mtu, 9000u);
  EXPECT_EQ(node.ports[0].capture_file, "c.pcap");
  EXPECT_EQ(node.ports[0].model_contexts, 9u);
  EXPECT_EQ(node.ports[0].model_engine, ModelEngine::kConnectx);
  EXPECT_EQ(node.encapsulation, Encapsulation::kNativeIp);
  EXPECT_EQ(node.udp_port, 9000);
  EXPECT_EQ(node.lcores, 2u);
  EXPECT_FALSE(node.accept);
  EXPECT_EQ(node.faults.loss_ppm, 10'000u);
  EXPECT_EQ(node.faults.seed, 5u);
  EXPECT_EQ(engine.eal.cpus, (std::vector<uint32_t>{0, 3}));
  EXPECT_EQ(engine.eal.huge_pages, HugePages::kNo);
  EXPECT_EQ(engine.eal.memory_mb, 512u);
  EXPECT_EQ(engine.crypto.algorithms, std::vector{CryptoAlgorithm::kAes256Gcm});
  EXPECT_EQ(engine.crypto.backend, CryptoBackend::kLookaside);
  EXPECT_EQ(engine.crypto.psk_file, "k");
  EXPECT_TRUE(engine.crypto.psk.empty());
  EXPECT_FALSE(engine.bundling);
  EXPECT_TRUE(engine.shuffle_deliveries);
  EXPECT_EQ(engine.grant_policy, GrantPolicy::kSird);
  EXPECT_TRUE(engine.multipath);
  EXPECT_TRUE(engine.record_mode);
  EXPECT_EQ(engine.padding, Padding::kBuckets);
  EXPECT_EQ(engine.limits.arena_bytes, 32u << 20);
  EXPECT_EQ(engine.log_level, LogLevel::kDebug);
}

TEST_F(OptionsTest, esp_reaches_the_engine_with_what_it_takes) {
  ASSERT_TRUE(
      parse({"--esp", "--native-ip", "--crypto=inline", "--model-nic=2", "--model-engine=esp"})
          .ok());
  const EngineOptions engine = engine_options(options_, false, {});
  EXPECT_TRUE(engine.esp);
  EXPECT_FALSE(engine.record_mode);
  EXPECT_EQ(engine.nodes[0].ports[0].model_engine, ModelEngine::kEsp);
  const auto refused = [&](const Strings& arguments) {
    options_ = Options();
    return !parse(arguments).ok();
  };
  EXPECT_TRUE(refused({"--esp"}));
  EXPECT_TRUE(refused({"--esp", "--native-ip", "--record-mode"}));
  EXPECT_TRUE(refused({"--esp", "--native-ip", "--cipher=chacha20-poly1305"}));
  EXPECT_TRUE(refused({"--esp", "--native-ip", "--cipher=plaintext"}));
  EXPECT_FALSE(refused({"--esp", "--native-ip", "--cipher=aes-256-gcm"}));
}

TEST_F(OptionsTest, idle_lcores_poll_or_sleep) {
  const auto idle = [&](const Strings& arguments) {
    options_ = Options();
    EXPECT_TRUE(parse(arguments).ok());
    return engine_options(options_, false, {}).idle;
  };
  EXPECT_EQ(idle({}).mode, IdleMode::kPoll);
  EXPECT_EQ(idle({"--idle=poll"}).mode, IdleMode::kPoll);
  const IdleOptions interrupts = idle({"--idle=interrupts", "--idle-spin=70us"});
  EXPECT_EQ(interrupts.mode, IdleMode::kInterrupts);
  EXPECT_EQ(interrupts.spin_ns, 70'000u);
  const IdleOptions steps = idle({"--idle=sleep:2ms"});
  EXPECT_EQ(steps.mode, IdleMode::kSleep);
  EXPECT_EQ(steps.step_ns, 2'000'000u);
  for (const char* wrong : {"--idle=sleep", "--idle=sleep:", "--idle=sleep:1x", "--idle=nap"}) {
    options_ = Options();
    const absl::Status status = parse({wrong});
    EXPECT_FALSE(status.ok()) << wrong;
    EXPECT_NE(std::string(status.message()).find("sleep:1ms"), std::string::npos) << status;
  }
}

TEST_F(OptionsTest, combinations_that_cannot_be_meant_are_refused) {
  const Strings tap = {"--port=net_tap0", "--address=10.0.0.1/24"};
  const auto refused = [&](const Strings& arguments) {
    options_ = Options();
    return !parse(arguments).ok();
  };
  EXPECT_TRUE(refused({"--size=64", "--workload=W3"}));
  EXPECT_TRUE(refused({"--peer=10.0.0.2"}));
  EXPECT_TRUE(refused({"--port=net_tap0"}));
  EXPECT_TRUE(refused(tap));  // No key.
  EXPECT_TRUE(refused({"--cipher=plaintext", "--psk-file=k"}));
  EXPECT_TRUE(refused({"--cpus=0"}));  // Two lcores, one CPU named.
  EXPECT_TRUE(refused({"--cpus=5-2"}));
  EXPECT_TRUE(refused({"--arena=48"}));
  EXPECT_TRUE(refused({"--log-level=loud"}));
  EXPECT_TRUE(refused({"--cipher=des"}));
  EXPECT_TRUE(refused({"--crypto=openssl"}));
  EXPECT_TRUE(refused({"--model-engine=mlx5"}));
  EXPECT_TRUE(refused({"--huge-pages=maybe"}));
  EXPECT_FALSE(refused({"--port=net_tap0", "--address=10.0.0.1/24", "--cipher=plaintext"}));
  EXPECT_FALSE(refused({"--cpus=0-1"}));
}

TEST_F(OptionsTest, plaintext_takes_no_key) {
  ASSERT_TRUE(parse({"--cipher=plaintext"}).ok());
  EXPECT_TRUE(engine_options(options_, true, std::vector<uint8_t>(32, 1)).crypto.psk.empty());
}

TEST_F(OptionsTest, sizes_are_fixed_or_of_a_workload) {
  options_.size = 100;
  EXPECT_EQ(workload_of(options_)->max_size(), 100u);
  options_.workload = "W3";
  EXPECT_EQ(workload_of(options_)->max_size(), 1'000'000u);
  options_.workload = "W9";
  EXPECT_FALSE(workload_of(options_).ok());
}

}  // namespace
}  // namespace sluice::cli
