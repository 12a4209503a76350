// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_engine.h"

#include <gtest/gtest.h>

#include <set>

#include "base/byte_order.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

// Answers as told, and keeps count of what exists.
class FakeDevice final : public Devx {
 public:
  struct Object final : DevxObject {
    Object(FakeDevice* device, uint16_t command) : device_(device), command_(command) {}
    ~Object() override { device_->alive.erase(device_->alive.find(command_)); }
    FakeDevice* device_;
    uint16_t command_;
  };

  uint32_t protection_domain() const override { return 7; }
  std::unique_ptr<DevxObject> create(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    const uint16_t command = base::load_be16(in.data());
    made.insert(command);
    if (command == refused) {
      out[0] = 1;
      return nullptr;
    }
    base::store_be32(out.data() + 8, static_cast<uint32_t>(made.size()));
    alive.insert(command);
    return std::make_unique<Object>(this, command);
  }
  bool run(std::span<const uint8_t> in, std::span<uint8_t> out) override {
    if (!answers) return false;
    const bool tls = base::load_be16(in.data() + 6) >> 1 == 0x11;
    std::fill(out.begin(), out.end(), uint8_t{0});
    if (tls) {
      out[16] = ciphers;
    } else {
      out[16 + 0x90] = transmit ? 0x40 : 0;
      out[16 + 0x86] = keys ? 0x10 : 0;
      out[16 + 0xb6] = 10;
    }
    return true;
  }

  bool answers = true;
  bool transmit = true;
  bool keys = true;
  uint8_t ciphers = 0x40;  // TLS 1.3 with 128 bits.
  uint16_t refused = 0;
  std::multiset<uint16_t> made;
  std::multiset<uint16_t> alive;
};

const std::array<uint8_t, 16> kKey = {1, 2, 3};
const std::array<uint8_t, 12> kIv = {4, 5, 6};

class ConnectxEngineTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(test_eal(), nullptr); }
  void* open(ConnectxEngine& engine) {
    return engine.open_context(crypto::AeadAlgorithm::kAes128Gcm, kKey, kIv, 0);
  }
  FakeDevice device;
};

TEST_F(ConnectxEngineTest, is_refused_by_what_is_missing) {
  const auto refused = [&](const char* why) {
    const auto engine = ConnectxEngine::open(&device, 4);
    EXPECT_FALSE(engine.ok());
    EXPECT_NE(engine.status().message().find(why), std::string::npos) << engine.status();
    device = FakeDevice();
  };
  device.answers = false;
  refused("does not say");
  device.transmit = false;
  refused("no TLS transmit engine");
  device.keys = false;
  refused("no encryption keys");
  device.ciphers = 0xa0;  // TLS 1.2's alone.
  refused("no TLS 1.3 records");
  device.refused = connectx::kAllocTransportDomain;
  refused("no transport domain");
}

TEST_F(ConnectxEngineTest, keys_end_with_their_context_and_tises_are_kept) {
  {
    const auto engine = ConnectxEngine::open(&device, 2);
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_TRUE((*engine)->supports(crypto::AeadAlgorithm::kAes128Gcm));
    EXPECT_FALSE((*engine)->supports(crypto::AeadAlgorithm::kAes256Gcm));
    EXPECT_EQ((*engine)->open_context(crypto::AeadAlgorithm::kAes256Gcm, std::array<uint8_t, 32>{},
                                      kIv, 0),
              nullptr);
    void* const first = open(**engine);
    void* const second = open(**engine);
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(open(**engine), nullptr) << "no more than it was opened for";
    (*engine)->close_context(first);
    EXPECT_EQ(device.alive.count(connectx::kCreateGeneralObject), 1u);
    for (int i = 0; i < 5; ++i) {
      void* const again = open(**engine);
      ASSERT_NE(again, nullptr);
      (*engine)->close_context(again);
    }
    EXPECT_EQ(device.made.count(connectx::kCreateGeneralObject), 7u);
    EXPECT_EQ(device.made.count(connectx::kCreateTis), 2u);
    (*engine)->close_context(second);
  }
  EXPECT_TRUE(device.alive.empty());
}

TEST_F(ConnectxEngineTest, a_device_that_is_full_leaves_the_record_to_the_cpu) {
  const auto engine = ConnectxEngine::open(&device, 2);
  ASSERT_TRUE(engine.ok()) << engine.status();
  for (const uint16_t command : {connectx::kCreateTis, connectx::kCreateGeneralObject}) {
    device.refused = command;
    EXPECT_EQ(open(**engine), nullptr);
  }
  device.refused = 0;
  void* const context = open(**engine);
  EXPECT_NE(context, nullptr);
  (*engine)->close_context(context);
}

}  // namespace
}  // namespace sluice::engine
