// SPDX-License-Identifier: Apache-2.0
//
// The other end of a lane with ESP, played by hand. It reads RFC 4303 and RFC 4106 by itself: keys
// are an SA's key and salt, the nonce is salt and IV, and it knows nothing of record numbers.
#ifndef SLUICE_TEST_UNIT_TRANSPORT_ESP_BENCH_H_
#define SLUICE_TEST_UNIT_TRANSPORT_ESP_BENCH_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/byte_order.h"
#include "crypto/boringssl/module.h"
#include "test/unit/transport/roles.h"
#include "wire/esp.h"

namespace sluice::transport {

inline EndpointConfig esp_config(uint32_t packet = 1452) {
  EndpointConfig config = bench_config();
  config.esp = true;
  config.base_packet = std::min(1200u, packet);
  config.max_packet = packet;
  return config;
}

// A security association, as IPsec has it.
class Association {
 public:
  // Of the given epoch of Roles' lane: what the endpoint under test sends, or what it receives.
  Association(bool it_sends, uint64_t epoch,
              crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kAes128Gcm,
              uint8_t lane = Roles::kLane) {
    crypto::LaneSecrets secrets;
    crypto::derive_lane_secrets(primitives(), session_secret(7), true, lane, &secrets);
    crypto::Secret secret = it_sends ? secrets.send : secrets.receive;
    for (uint64_t i = 0; i < epoch; ++i) {
      crypto::derive_next_epoch_secret(primitives(), secret, &secret);
    }
    crypto::EpochKey raw;
    crypto::derive_epoch_key(primitives(), algorithm, secret, &raw);
    set(algorithm, std::span(raw.key).first(crypto::key_size(algorithm)), raw.iv);
  }
  // Of a key that a port was given.
  Association(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
              std::span<const uint8_t, crypto::kNonceSize> iv) {
    set(algorithm, key, iv);
  }

  // The IV that the SA's packets have where Sluice has this record number.
  uint64_t iv_of(uint64_t number) const { return iv_ ^ number; }

  PacketData seal(const wire::EspHeader& header, const PacketData& plaintext) {
    PacketData packet(wire::kEspHeaderSize + plaintext.size() + wire::kTagBytes);
    header.emit(packet.data());
    std::copy(plaintext.begin(), plaintext.end(), packet.begin() + wire::kEspHeaderSize);
    seal_in_place(&packet);
    return packet;
  }
  // Seals a packet that has its plaintext in it and room for the tag.
  void seal_in_place(PacketData* packet) {
    crypto::AeadJob job = job_of(packet);
    backend_->submit_seal({&job, 1});
  }
  // The plaintext with its trailer; nullopt when the tag is wrong.
  std::optional<PacketData> open(PacketData packet) {
    crypto::AeadJob job = job_of(&packet);
    backend_->submit_open({&job, 1});
    if (!job.ok) return std::nullopt;
    return PacketData(packet.begin() + wire::kEspHeaderSize, packet.end() - wire::kTagBytes);
  }

 private:
  static const crypto::Primitives& primitives() { return sluice_boringssl_v1()->primitives; }
  void set(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
           std::span<const uint8_t, crypto::kNonceSize> iv) {
    iv_ = base::load_be64(iv.data() + 4);
    uint8_t salted[crypto::kNonceSize] = {};  // What the backend XORs the IV into.
    std::copy_n(iv.begin(), 4, salted);
    EXPECT_TRUE(backend_->expand_key(algorithm, key, salted, &key_));
  }
  crypto::AeadJob job_of(PacketData* packet) {
    crypto::AeadJob job;
    job.key = &key_;
    job.record_number = base::load_be64(packet->data() + 8);
    job.aad = packet->data();
    job.aad_length = 8;
    job.in = job.out = packet->data() + 16;
    job.length = static_cast<uint32_t>(packet->size() - 32);
    return job;
  }

  std::unique_ptr<crypto::AeadBackend> backend_ =
      crypto::make_boringssl_backend(sluice_boringssl_v1());
  crypto::AeadKey key_;
  uint64_t iv_ = 0;
};

// A plain packet of the peer (Peer::bundle() ...) as the plaintext of ESP. Its sealed bytes are
// opened for that by the lane's key.
inline PacketData inside_of(Roles& r, const PacketData& plain, uint64_t epoch = 0) {
  Peer reader(r.ctx.primitives, r.ctx.backend, session_secret(7), Roles::kLane, true,
              r.lane->algorithm, Roles::kLocal);
  reader.set_receive_epoch(epoch);
  const auto opened = reader.open(plain);
  EXPECT_TRUE(opened.has_value());
  PacketData out = plain;
  out.resize(plain.size() - wire::kTagBytes);
  std::copy(opened->payload.begin(), opened->payload.end(), out.end() - opened->payload.size());
  return out;
}

inline PacketData with_trailer(PacketData inside, uint8_t next_header = wire::kProtocolNative) {
  const auto length = static_cast<uint32_t>(inside.size());
  inside.resize(length + wire::kEspTrailerMax);
  inside.resize(length + wire::write_esp_trailer(inside.data(), length, next_header));
  return inside;
}

// The peer's packet as ESP, all as it should be.
inline PacketData as_esp(Roles& r, const PacketData& plain, uint64_t epoch = 0) {
  Association sa(false, epoch, r.lane->algorithm);
  const uint64_t number = base::load_be64(plain.data() + wire::offsets::kRecordNumber);
  const wire::EspHeader header{
      wire::esp_spi(Roles::kLocalBase, Roles::kLane, static_cast<uint8_t>(epoch)), 1,
      sa.iv_of(number)};
  return sa.seal(header, with_trailer(inside_of(r, plain, epoch)));
}

}  // namespace sluice::transport

#endif  // SLUICE_TEST_UNIT_TRANSPORT_ESP_BENCH_H_
