// SPDX-License-Identifier: Apache-2.0
#include "api/engine_options.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

namespace sluice::internal {
namespace {

EngineOptions good_options() {
  EngineOptions options;
  NodeOptions node;
  PortOptions port;
  port.device = "net_null0";
  port.addresses = {"10.0.0.1/24", "fd00::1/64"};
  node.ports = {port};
  options.nodes = {node};
  options.crypto.psk.assign(32, 0x5a);
  return options;
}

std::string error_of(const EngineOptions& options) {
  const auto config = make_engine_config(options);
  return config.ok() ? "" : std::string(config.status().message());
}

TEST(EngineOptions, carries_everything_over) {
  EngineOptions options = good_options();
  options.nodes[0].faults.loss_ppm = 10'000;
  options.nodes[0].ports[0].vlan = 7;
  options.nodes[0].ports[0].gateways = {"10.0.0.254"};
  options.nodes[0].lcores = 2;
  options.limits.max_exchanges = 99;
  options.bundling = false;
  options.grant_policy = GrantPolicy::kSird;
  options.multipath = true;
  options.record_mode = true;
  options.nodes[0].ports[0].model_contexts = 5;
  options.nodes[0].ports[0].model_engine = ModelEngine::kConnectx;
  options.crypto.backend = CryptoBackend::kInline;
  options.idle = {.mode = IdleMode::kSleep, .step_ns = 70'000, .spin_ns = 90'000};
  const auto config = make_engine_config(options);
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->nodes.size(), 1u);
  const engine::NodeConfig& node = config->nodes[0];
  EXPECT_EQ(node.name, "node0");
  EXPECT_EQ(node.lcores, 2);
  EXPECT_EQ(node.psks.size(), 1u);
  EXPECT_EQ(node.endpoint.max_exchanges, 99u);
  EXPECT_FALSE(node.endpoint.bundling);
  EXPECT_EQ(node.endpoint.grant_policy, transport::GrantPolicyKind::kSird);
  EXPECT_EQ(node.endpoint.recovery, transport::RecoveryKind::kRack);
  EXPECT_TRUE(node.endpoint.record_mode);
  EXPECT_NE(node.endpoint.seed, 0u);
  ASSERT_EQ(node.ports.size(), 1u);
  EXPECT_EQ(node.ports[0].addresses.size(), 2u);
  EXPECT_EQ(node.ports[0].gateways.size(), 1u);
  EXPECT_EQ(node.ports[0].vlan, 7);
  EXPECT_EQ(node.ports[0].model_contexts, 5u);
  EXPECT_EQ(node.ports[0].model_engine, engine::ModelEngine::kConnectx);
  EXPECT_EQ(config->backend, crypto::BackendKind::kInline);
  EXPECT_EQ(node.ports[0].rx_faults.loss_ppm, 10'000u);
  EXPECT_EQ(config->idle.mode, engine::IdleMode::kSteps);
  EXPECT_EQ(config->idle.step, base::micros(70));
  EXPECT_EQ(config->idle.spin, base::micros(90));
}

TEST(EngineOptions, cpus_become_an_lcore_map_before_the_users_arguments) {
  EngineOptions options = good_options();
  options.eal.cpus = {4, 6};
  options.eal.arguments = {"--no-huge"};
  const auto config = make_engine_config(options);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->eal.arguments,
            (std::vector<std::string>{"--lcores", "0@(4,6),1@4,2@6", "--no-huge"}));
}

TEST(EngineOptions, keys_are_wanted_once_and_long_enough) {
  EngineOptions options = good_options();
  options.crypto.psk.assign(31, 1);
  EXPECT_NE(error_of(options), "");
  options.crypto.psk.clear();
  EXPECT_NE(error_of(options).find("no key is given"), std::string::npos);
  options.crypto.psk_file = "/nonexistent/key";
  EXPECT_NE(error_of(options).find("/nonexistent/key"), std::string::npos);
  options.crypto.psk.assign(32, 1);
  EXPECT_NE(error_of(options).find("given twice"), std::string::npos);
}

TEST(EngineOptions, reads_a_key_file) {
  const std::string path = testing::TempDir() + "engine_options_test.key";
  {
    std::ofstream file(path);
    file << std::string(64, 'a') << "\n";
  }
  EngineOptions options = good_options();
  options.crypto.psk.clear();
  options.crypto.psk_file = path;
  const auto config = make_engine_config(options);
  std::remove(path.c_str());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->nodes[0].psks[0].size(), 32u);
}

TEST(EngineOptions, what_is_longer_than_any_key_is_none) {
  const std::string path = testing::TempDir() + "engine_options_test.long";
  std::ofstream(path) << std::string(65537, 'a');
  EngineOptions options = good_options();
  options.crypto.psk.clear();
  options.crypto.psk_file = path;
  EXPECT_NE(error_of(options).find("longer than any key"), std::string::npos);
  options.crypto.psk_file = testing::TempDir();
  EXPECT_NE(error_of(options).find("cannot be read: Is a directory"), std::string::npos);
  std::remove(path.c_str());
}

// Writes what stands for a PEM file; the engine is who reads it.
std::string pem_file(const std::string& name, mode_t mode) {
  const std::string path = testing::TempDir() + "engine_options_" + name;
  std::ofstream(path) << name;
  chmod(path.c_str(), mode);
  return path;
}

TEST(EngineOptions, certificates_are_read_whole) {
  EngineOptions options = good_options();
  options.crypto.psk.clear();
  options.crypto.certificate_file = pem_file("cert", 0644);
  options.crypto.key_file = pem_file("key", 0600);
  options.crypto.trust = {{pem_file("ca", 0644), "example"}};
  options.crypto.allowed_names = {"a.example"};
  const auto config = make_engine_config(options);
  ASSERT_TRUE(config.ok()) << config.status();
  const engine::NodeConfig& node = config->nodes[0];
  EXPECT_TRUE(node.psks.empty());
  ASSERT_TRUE(node.tls.has_value());
  EXPECT_EQ(std::string(node.tls->certificate.bytes.begin(), node.tls->certificate.bytes.end()),
            "cert");
  EXPECT_EQ(node.tls->key.view().size(), 3u);
  EXPECT_EQ(node.tls->trust.at(0).suffix, "example");
  EXPECT_EQ(node.tls->trust.at(0).text.file, options.crypto.trust[0].file);
  EXPECT_EQ(node.tls->allowed, std::vector<std::string>{"a.example"});
}

TEST(EngineOptions, a_policy_is_read_and_read_again) {
  EngineOptions options = good_options();
  EXPECT_EQ(read_again(options.crypto, options.access).status().code(),
            absl::StatusCode::kFailedPrecondition);
  options.crypto.psk.clear();
  options.crypto.certificate_file = pem_file("cert", 0644);
  options.crypto.key_file = pem_file("key", 0600);
  options.crypto.trust = {{pem_file("ca", 0644), ""}};
  EXPECT_FALSE(read_again(options.crypto, options.access)->policy.has_value());
  options.access = {.policy_file = pem_file("policy", 0644), .audit_file = "log"};
  const auto config = make_engine_config(options);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->policy->file, options.access.policy_file);
  EXPECT_EQ(config->policy->bytes.size(), 6u);
  EXPECT_EQ(config->audit_file, "log");
  const auto again = read_again(options.crypto, options.access);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->policy->bytes, config->policy->bytes);
  EXPECT_EQ(again->tls->certificate.bytes.size(), 4u);
  options.access.policy_file = "/nonexistent/policy";
  EXPECT_NE(error_of(options).find("/nonexistent/policy cannot be read"), std::string::npos);
  EXPECT_FALSE(read_again(options.crypto, options.access).ok());
}

TEST(EngineOptions, certificates_need_all_parts_and_a_private_key) {
  EngineOptions good = good_options();
  good.crypto.psk.clear();
  good.crypto.certificate_file = pem_file("cert", 0644);
  good.crypto.key_file = pem_file("key", 0600);
  good.crypto.trust = {{pem_file("ca", 0644), ""}};
  EXPECT_EQ(error_of(good), "");
  EngineOptions bad = good;
  bad.crypto.trust.clear();
  EXPECT_NE(error_of(bad).find("add what is missing"), std::string::npos);
  bad = good;
  bad.crypto.psk.assign(32, 1);
  EXPECT_NE(error_of(bad).find("exclude each other"), std::string::npos);
  bad = good;
  bad.crypto.algorithms = {CryptoAlgorithm::kPlaintext};
  EXPECT_NE(error_of(bad).find("takes no certificate"), std::string::npos);
  bad = good;
  bad.crypto.certificate_file = "/nonexistent/cert";
  EXPECT_NE(error_of(bad).find("/nonexistent/cert cannot be read"), std::string::npos);
  bad = good;
  bad.crypto.key_file = pem_file("open", 0640);
  EXPECT_NE(error_of(bad).find("chmod 600"), std::string::npos);
  bad.crypto.key_file = "/nonexistent/key";
  EXPECT_NE(error_of(bad).find("/nonexistent/key cannot be read"), std::string::npos);
}

TEST(EngineOptions, plaintext_stands_alone_and_takes_no_key) {
  EngineOptions options = good_options();
  options.crypto.algorithms = {CryptoAlgorithm::kPlaintext};
  EXPECT_NE(error_of(options).find("takes no key"), std::string::npos);
  options.crypto.psk.clear();
  EXPECT_EQ(error_of(options), "");
  options.crypto.algorithms = {CryptoAlgorithm::kAes128Gcm, CryptoAlgorithm::kPlaintext};
  EXPECT_NE(error_of(options).find("beside encryption"), std::string::npos);
  options.crypto.algorithms.clear();
  EXPECT_NE(error_of(options), "");
}

TEST(EngineOptions, impossible_values_are_named) {
  EngineOptions options;
  EXPECT_NE(error_of(options).find("no node"), std::string::npos);
  options = good_options();
  options.nodes[0].ports.clear();
  EXPECT_NE(error_of(options).find("node0 has no port"), std::string::npos);
  options = good_options();
  options.nodes[0].ports[0].addresses = {"10.0.0.300/24"};
  EXPECT_NE(error_of(options).find("10.0.0.300/24"), std::string::npos);
  options = good_options();
  options.nodes[0].ports[0].gateways = {"nowhere"};
  EXPECT_NE(error_of(options).find("nowhere"), std::string::npos);
  options = good_options();
  options.nodes[0].ports[0].vlan = 5000;
  EXPECT_NE(error_of(options).find("vlan"), std::string::npos);
  options = good_options();
  options.nodes[0].lcores = 0;
  EXPECT_NE(error_of(options).find("lcores"), std::string::npos);
  options = good_options();
  options.limits.arena_bytes = 100'000;
  EXPECT_NE(error_of(options).find("arena_bytes"), std::string::npos);
  options = good_options();
  options.limits.max_message = UINT32_MAX;
  EXPECT_NE(error_of(options).find("max_message"), std::string::npos);
  options = good_options();
  options.nodes[0].faults.loss_ppm = 2'000'000;
  EXPECT_NE(error_of(options).find("faults"), std::string::npos);
}

TEST(EngineOptions, peers_in_every_form) {
  const auto plain = parse_peer("10.0.0.2");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->port, kDefaultUdpPort);
  EXPECT_EQ(format_peer_ip(*plain), "10.0.0.2");
  EXPECT_EQ(parse_peer("10.0.0.2:99")->port, 99);
  EXPECT_EQ(parse_peer("[fd00::2]:99")->port, 99);
  EXPECT_EQ(format_peer_ip(*parse_peer("[fd00::2]")), "fd00::2");
  EXPECT_EQ(format_peer_ip(*parse_peer("fd00::2")), "fd00::2");
  for (const char* bad : {"", "host", "10.0.0.2:", "10.0.0.2:0", "10.0.0.2:70000", "[fd00::2",
                          "[fd00::2]99", "10.0.0.2:9x"}) {
    EXPECT_FALSE(parse_peer(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace sluice::internal
