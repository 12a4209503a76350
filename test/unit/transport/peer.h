// SPDX-License-Identifier: Apache-2.0
//
// The other end of a lane, played by hand: it holds the lane's keys, seals whatever it is told to,
// right or wrong, and opens what the endpoint under test has sent.
#ifndef SLUICE_TEST_UNIT_TRANSPORT_PEER_H_
#define SLUICE_TEST_UNIT_TRANSPORT_PEER_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "base/prng.h"
#include "crypto/aead.h"
#include "crypto/key_schedule.h"
#include "crypto/primitives.h"
#include "transport/commands.h"
#include "wire/control_frames.h"
#include "wire/header.h"
#include "wire/record_packet.h"

namespace sluice::transport {

using PacketData = std::vector<uint8_t>;

// The session secret of the tests, by its seed.
inline crypto::Secret session_secret(uint64_t seed) {
  crypto::Secret secret;
  base::Prng bytes(seed);
  for (auto& b : secret.bytes) b = static_cast<uint8_t>(bytes.next_u64());
  return secret;
}

// A packet that the peer could open.
struct Opened {
  uint8_t type = 0;
  wire::DataHeader data;      // DATA only.
  wire::BundleHeader bundle;  // BUNDLE only.
  std::vector<wire::Frame> frames;
  PacketData payload;
  size_t size = 0;

  bool is_data() const { return type == static_cast<uint8_t>(wire::PacketType::kData); }
};

inline std::vector<wire::Frame> frames_of(const std::vector<Opened>& packets,
                                          wire::FrameType type) {
  std::vector<wire::Frame> found;
  for (const Opened& packet : packets) {
    for (const wire::Frame& frame : packet.frames) {
      if (frame.type == type) found.push_back(frame);
    }
  }
  return found;
}

// What a DATA packet of the peer says; the defaults make a one-packet request.
struct DataSpec {
  uint64_t id = 1;
  uint32_t offset = 0;
  uint32_t message_length = 0;  // 0: as long as the payload.
  bool initiator = true;        // The peer is the caller.
  bool one_way = false;
  uint16_t service = 1;
  uint32_t floor_delta = UINT32_MAX;  // The caller's floor is 1.
  uint32_t response_credit = 65536;
  uint32_t attempt = 0;
  uint32_t granted = UINT32_MAX;  // At most the whole message.
  uint8_t path = 0;
};

class Peer {
 public:
  // `initiator`: the peer began the handshake. `session`: the id that the endpoint under test
  // chose, which the peer's packets carry.
  Peer(const crypto::Primitives* primitives, crypto::AeadBackend* backend,
       const crypto::Secret& secret, uint8_t lane, bool initiator, crypto::AeadAlgorithm algorithm,
       base::SessionId session)
      : primitives_(primitives),
        backend_(backend),
        algorithm_(algorithm),
        tag_(crypto::tag_size(algorithm)),
        lane_(lane),
        session_(session) {
    crypto::derive_lane_secrets(*primitives, secret, initiator, lane, &secrets_);
    set_send_epoch(0);
    set_receive_epoch(0);
  }

  // Keys of an epoch, which the peer's honest half would reach step by step.
  void set_send_epoch(uint64_t epoch) {
    derive(secrets_.send, epoch, &send_key_);
    epoch_ = epoch;
  }
  void set_receive_epoch(uint64_t epoch) {
    derive(secrets_.receive, epoch, &receive_key_);
    received_epoch = static_cast<uint8_t>(epoch);
  }

  template <class... Frames>
  static PacketData encode(const Frames&... frames) {
    PacketData bytes((Frames::kSize + ... + 0));
    wire::FrameWriter writer(bytes.data(), bytes.size());
    (writer.append(frames), ...);
    return bytes;
  }
  // A sealed bundle of these control frames.
  template <class... Frames>
  PacketData bundle(const Frames&... frames) {
    return sealed_bundle(encode(frames...), {});
  }
  // A sealed bundle of frames in any form, well or not, and a payload.
  PacketData sealed_bundle(const PacketData& clear, const PacketData& payload) {
    wire::BundleHeader header;
    header.session = session_.value();
    header.epoch = static_cast<uint8_t>(epoch_);
    header.lane = lane_;
    header.record_number = wire::counter_number(counter++);
    header.clear_length = static_cast<uint16_t>(clear.size());
    header.rx_epoch = received_epoch;
    header.timestamp = timestamp;
    PacketData packet(wire::kBundleHeaderSize);
    header.emit(packet.data());
    packet.insert(packet.end(), clear.begin(), clear.end());
    return seal(std::move(packet), header.record_number, payload);
  }
  // A small message in a bundle.
  PacketData message(wire::MsgFrame frame, const PacketData& payload) {
    frame.length = static_cast<uint16_t>(payload.size());
    return sealed_bundle(encode(frame), payload);
  }
  PacketData request(uint64_t id, const PacketData& payload, uint8_t bits = 0,
                     uint32_t floor_delta = UINT32_MAX) {
    wire::MsgFrame frame{};
    frame.bits = static_cast<uint8_t>(wire::kMsgInitiator | bits);
    frame.service = 1;
    frame.id = id;
    frame.floor_delta = floor_delta;
    frame.response_credit = 65536;
    return message(frame, payload);
  }
  PacketData response(uint64_t id, const PacketData& payload, uint8_t bits = 0) {
    wire::MsgFrame frame{};
    frame.bits = bits;
    frame.service = 1;
    frame.id = id;
    return message(frame, payload);
  }
  PacketData data(const DataSpec& spec, const PacketData& payload) {
    const wire::DataHeader header = data_header(spec, payload, spec.offset / 1000);
    PacketData packet(wire::kDataHeaderSize);
    header.emit(packet.data());
    return seal(std::move(packet), header.record_number, payload);
  }
  // A record of record mode with the given index, cut into packets with `part` bytes of it each.
  // `spoil` may change what is sealed, from the TLS header to the content type.
  std::vector<PacketData> record(const DataSpec& spec, const PacketData& payload,
                                 uint32_t index = 0, size_t part = 1000,
                                 void (*spoil)(PacketData*) = nullptr) {
    wire::RecordHeader header;
    header.message = data_header(spec, payload, index);
    header.index = index;
    header.length = static_cast<uint16_t>(wire::record_size(static_cast<uint32_t>(payload.size())));
    uint8_t first[wire::kRecordHeaderSize];
    header.emit(first);
    PacketData bytes(header.length);
    wire::lay_out_record(first, payload, bytes.data());
    if (spoil != nullptr) spoil(&bytes);
    crypto::AeadJob job = record_job(send_key_, header, &bytes);
    backend_->submit_seal({&job, 1});
    std::vector<PacketData> packets;
    for (size_t place = 0; place < bytes.size(); place += part) {
      const size_t size = std::min(part, bytes.size() - place);
      PacketData packet(wire::kRecordHeaderSize + size);
      wire::copy_record_header(first, static_cast<uint32_t>(place), packet.data());
      std::memcpy(packet.data() + wire::kRecordHeaderSize, bytes.data() + place, size);
      packets.push_back(std::move(packet));
    }
    return packets;
  }
  // The message's bytes of a record that the endpoint under test has sent in these packets, all of
  // it and in order; nothing when it does not verify.
  std::optional<PacketData> open_record(std::span<const PacketData> packets) {
    PacketData bytes;
    for (const PacketData& packet : packets) {
      const auto view = wire::RecordView::parse(packet.data(), packet.size(), {});
      if (!view || view->place() != bytes.size()) return std::nullopt;
      bytes.insert(bytes.end(), view->part().begin(), view->part().end());
    }
    const wire::RecordHeader header = wire::RecordHeader::read(packets[0].data(), {});
    if (bytes.size() != header.length) return std::nullopt;
    crypto::AeadJob job = record_job(receive_key_, header, &bytes);
    backend_->submit_open({&job, 1});
    if (!job.ok) return std::nullopt;
    const auto content = wire::opened_record(packets[0].data(), bytes.data(), bytes.size());
    if (!content) return std::nullopt;
    return PacketData(content->begin(), content->end());
  }

  // Opens a packet of the endpoint under test; nullopt when it does not verify.
  std::optional<Opened> open(const PacketData& packet) {
    Opened out;
    out.size = packet.size();
    const auto common = wire::CommonView::parse(packet.data(), packet.size());
    if (!common) return std::nullopt;
    out.type = common->type();
    uint32_t aad = wire::kDataHeaderSize;
    if (out.is_data()) {
      const auto view = wire::DataView::parse(packet.data(), packet.size(), tag_);
      if (!view) return std::nullopt;
      out.data = view->value();
    } else {
      const auto view = wire::BundleView::parse(packet.data(), packet.size(), tag_);
      if (!view) return std::nullopt;
      out.bundle = view->value();
      aad = view->aad_length();
      wire::FrameReader reader(view->frames(), view->sealed_length());
      wire::Frame frame;
      while (reader.next(&frame)) out.frames.push_back(frame);
      if (!reader.ok()) return std::nullopt;
    }
    out.payload.resize(packet.size() - aad - tag_);
    crypto::AeadJob job;
    job.key = &receive_key_;
    job.record_number = common->record_number();
    job.aad = packet.data();
    job.aad_length = aad;
    job.in = packet.data() + aad;
    job.out = out.payload.data();
    job.length = static_cast<uint32_t>(out.payload.size());
    backend_->submit_open({&job, 1});
    if (!job.ok) return std::nullopt;
    return out;
  }

  uint64_t counter = 0;        // Of the next bundle.
  uint8_t received_epoch = 0;  // What bundles report.
  uint32_t timestamp = 0;

 private:
  wire::DataHeader data_header(const DataSpec& spec, const PacketData& payload, uint32_t index) {
    wire::DataHeader header;
    header.offset = spec.offset;
    header.session = session_.value();
    header.epoch = static_cast<uint8_t>(epoch_);
    header.lane = lane_;
    header.bits = spec.one_way ? wire::kBitOneWay : uint8_t{0};
    header.record_number = *wire::message_number({}, spec.initiator, spec.id, spec.attempt, index);
    header.message_length =
        spec.message_length != 0 ? spec.message_length : static_cast<uint32_t>(payload.size());
    header.granted = std::min(spec.granted, header.message_length);
    header.response_credit = spec.response_credit;
    header.floor_delta = spec.floor_delta;
    header.path = spec.path;
    header.timestamp = timestamp;
    header.service = spec.service;
    if (spec.initiator) header.bits |= wire::kBitInitiator;
    return header;
  }
  // Seals or opens a record of record mode where it lies.
  crypto::AeadJob record_job(const crypto::AeadKey& key, const wire::RecordHeader& header,
                             PacketData* record) const {
    crypto::AeadJob job;
    job.key = &key;
    job.record_number = header.message.record_number;
    job.aad = record->data();
    job.aad_length = wire::kTlsHeaderSize;
    job.in = job.out = record->data() + wire::kTlsHeaderSize;
    job.length = header.length - static_cast<uint32_t>(wire::kTlsHeaderSize + tag_);
    return job;
  }
  void derive(const crypto::Secret& first, uint64_t epoch, crypto::AeadKey* key) {
    crypto::Secret secret = first;
    for (uint64_t i = 0; i < epoch; ++i) {
      crypto::derive_next_epoch_secret(*primitives_, secret, &secret);
    }
    crypto::derive_epoch_key(*primitives_, backend_, algorithm_, secret, key);
  }
  PacketData seal(PacketData packet, uint64_t number, const PacketData& payload) {
    const auto aad = static_cast<uint32_t>(packet.size());
    packet.resize(aad + payload.size() + tag_);
    crypto::AeadJob job;
    job.key = &send_key_;
    job.record_number = number;
    job.aad = packet.data();
    job.aad_length = aad;
    job.in = payload.data();
    job.out = packet.data() + aad;
    job.length = static_cast<uint32_t>(payload.size());
    backend_->submit_seal({&job, 1});
    return packet;
  }

  const crypto::Primitives* primitives_;
  crypto::AeadBackend* backend_;
  crypto::AeadAlgorithm algorithm_;
  uint32_t tag_;
  uint8_t lane_;
  base::SessionId session_;
  crypto::LaneSecrets secrets_;
  crypto::AeadKey send_key_;
  crypto::AeadKey receive_key_;
  uint64_t epoch_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_TEST_UNIT_TRANSPORT_PEER_H_
