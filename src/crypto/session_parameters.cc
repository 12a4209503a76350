// SPDX-License-Identifier: Apache-2.0
#include "crypto/session_parameters.h"

#include <algorithm>

#include "base/byte_order.h"
#include "base/check.h"
#include "base/limits.h"
#include "wire/esp.h"

namespace sluice::crypto {
namespace {

enum ParameterType : uint16_t {
  kVersions = 1,
  kSessionId = 2,
  kLanes = 3,
  kBasePort = 4,
  kMaxMessage = 5,
  kUnscheduled = 6,
  kMaxPacket = 7,
  kAeads = 8,
  kSplit = 9,
  kInstance = 10,
  kSelection = 11,
  kRecords = 12,
  kPadding = 13,
  kEsp = 14,
};

constexpr uint32_t kMandatory = 0x7fe;  // Bits 1 to 10.
constexpr size_t kSelectionSize = 3 + wire::RecordNumberSplit::kSize;

bool known_algorithm(AeadAlgorithm algorithm) {
  return algorithm == AeadAlgorithm::kNone || key_size(algorithm) != 0;
}

// Unknown algorithms of a newer peer are admitted here and never chosen.
bool aead_list_valid(const std::vector<AeadAlgorithm>& aeads) {
  if (aeads.empty() || aeads.size() > kMaxAeadPreferences) return false;
  for (size_t i = 0; i < aeads.size(); ++i) {
    if (aeads[i] == AeadAlgorithm::kNone && aeads.size() != 1) return false;  // PROTOCOL MUST-H2
    for (size_t j = 0; j < i; ++j) {
      if (aeads[i] == aeads[j]) return false;
    }
  }
  return true;
}

class BlockWriter {
 public:
  void integer(uint16_t type, uint64_t value, size_t size) {
    begin(type, size);
    for (size_t i = size; i-- > 0;) out_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  void bytes(uint16_t type, std::span<const uint8_t> value) {
    begin(type, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
  }
  std::vector<uint8_t> take() { return std::move(out_); }

 private:
  void begin(uint16_t type, size_t size) {
    uint8_t head[4];
    base::store_be16(head, type);
    base::store_be16(head + 2, static_cast<uint16_t>(size));
    out_.insert(out_.end(), head, head + sizeof(head));
  }

  std::vector<uint8_t> out_;
};

std::optional<SessionAgreement> decode_selection(std::span<const uint8_t> value) {
  if (value.size() != kSelectionSize) return std::nullopt;
  const auto split = wire::RecordNumberSplit::parse(value.data() + 3, value.size() - 3);
  if (!split) return std::nullopt;
  SessionAgreement out;
  out.version = base::load_be16(value.data());
  out.aead = static_cast<AeadAlgorithm>(value[2]);
  out.split = *split;
  return out;
}

// The values of fixed size, checked for that size alone; parameters_valid() judges the content.
bool decode_number(uint16_t type, std::span<const uint8_t> v, SessionParameters* out) {
  switch (type) {
    case kVersions:
      if (v.size() != 4) return false;
      out->version_min = base::load_be16(v.data());
      out->version_max = base::load_be16(v.data() + 2);
      return true;
    case kSessionId:
      if (v.size() != 4) return false;
      out->session_id = base::SessionId(base::load_be32(v.data()));
      return true;
    case kLanes:
      if (v.size() != 1) return false;
      out->lanes = v[0];
      return true;
    case kBasePort:
      if (v.size() != 2) return false;
      out->base_port = base::load_be16(v.data());
      return true;
    case kMaxMessage:
      if (v.size() != 8) return false;
      out->max_message_bytes = base::load_be64(v.data());
      return true;
    case kUnscheduled:
      if (v.size() != 4) return false;
      out->unscheduled_bytes = base::load_be32(v.data());
      return true;
    case kMaxPacket:
      if (v.size() != 4) return false;
      out->max_packet = base::load_be32(v.data());
      return true;
    default:
      return false;
  }
}

bool decode_one(uint16_t type, std::span<const uint8_t> v, DecodedParameters* out) {
  SessionParameters& parameters = out->parameters;
  switch (type) {
    case kAeads:
      if (v.size() > kMaxAeadPreferences) return false;
      parameters.aeads.clear();
      for (const uint8_t value : v) {
        parameters.aeads.push_back(static_cast<AeadAlgorithm>(value));
      }
      return true;
    case kSplit: {
      const auto split = wire::RecordNumberSplit::parse(v.data(), v.size());
      if (!split || v.size() != wire::RecordNumberSplit::kSize) return false;
      parameters.split = *split;
      return true;
    }
    case kInstance:
      if (v.size() != kInstanceSize) return false;
      std::copy(v.begin(), v.end(), parameters.instance.begin());
      return true;
    case kSelection:
      out->selection = decode_selection(v);
      return out->selection.has_value();
    case kRecords:
      if (v.size() != 1) return false;
      parameters.records = v[0] == 1;  // Another value is a newer peer's.
      return true;
    case kPadding:
      if (v.size() != 1) return false;
      parameters.padding = v[0] == 1 ? Padding::kAsked : Padding::kOnRequest;
      return true;
    case kEsp:
      if (v.size() != 4) return false;
      parameters.esp_base = base::load_be32(v.data());
      return wire::esp_base_valid(parameters.esp_base);  // PROTOCOL MUST-S1
    default:
      return decode_number(type, v, &parameters);
  }
}

}  // namespace

bool parameters_valid(const SessionParameters& p) {
  return p.version_min >= 1 && p.version_min <= p.version_max && p.session_id.value() != 0 &&
         p.lanes >= 1 && p.lanes <= base::limits::kMaxLanesPerSession && p.base_port != 0 &&
         p.max_message_bytes >= 1 && p.max_packet >= kMinMaxPacket && p.split.valid() &&
         (p.esp_base == 0 || wire::esp_base_valid(p.esp_base)) && aead_list_valid(p.aeads);
}

std::vector<uint8_t> encode_parameters(const SessionParameters& parameters,
                                       const SessionAgreement* selection) {
  SLUICE_CHECK(parameters_valid(parameters));
  BlockWriter out;
  out.integer(kVersions, (uint64_t{parameters.version_min} << 16) | parameters.version_max, 4);
  out.integer(kSessionId, parameters.session_id.value(), 4);
  out.integer(kLanes, parameters.lanes, 1);
  out.integer(kBasePort, parameters.base_port, 2);
  out.integer(kMaxMessage, parameters.max_message_bytes, 8);
  out.integer(kUnscheduled, parameters.unscheduled_bytes, 4);
  out.integer(kMaxPacket, parameters.max_packet, 4);
  std::vector<uint8_t> aeads;
  for (const AeadAlgorithm algorithm : parameters.aeads) {
    aeads.push_back(static_cast<uint8_t>(algorithm));
  }
  out.bytes(kAeads, aeads);
  uint8_t split[wire::RecordNumberSplit::kSize];
  parameters.split.emit(split);
  out.bytes(kSplit, split);
  out.bytes(kInstance, parameters.instance);
  if (selection != nullptr) {
    uint8_t chosen[kSelectionSize];
    base::store_be16(chosen, selection->version);
    chosen[2] = static_cast<uint8_t>(selection->aead);
    selection->split.emit(chosen + 3);
    out.bytes(kSelection, chosen);
  }
  if (parameters.records) out.integer(kRecords, 1, 1);  // PROTOCOL MUST-R8
  if (parameters.padding != Padding::kUnable) {
    out.integer(kPadding, parameters.padding == Padding::kAsked ? 1 : 0, 1);
  }
  if (parameters.esp_base != 0) out.integer(kEsp, parameters.esp_base, 4);  // PROTOCOL MUST-S1
  return out.take();
}

std::optional<DecodedParameters> decode_parameters(std::span<const uint8_t> block) {
  // PROTOCOL MUST-H1
  if (block.size() > kMaxParameterBlock) return std::nullopt;
  DecodedParameters out;
  out.parameters.padding = Padding::kUnable;
  uint32_t seen = 0;
  uint32_t previous = 0;
  bool first = true;
  size_t at = 0;
  while (at < block.size()) {
    if (block.size() - at < 4) return std::nullopt;
    const uint16_t type = base::load_be16(block.data() + at);
    const size_t length = base::load_be16(block.data() + at + 2);
    at += 4;
    if (length > block.size() - at) return std::nullopt;
    if (!first && type <= previous) return std::nullopt;
    first = false;
    previous = type;
    if (type >= kVersions && type <= kEsp) {
      if (!decode_one(type, block.subspan(at, length), &out)) return std::nullopt;
      seen |= uint32_t{1} << type;
    }
    at += length;
  }
  if ((seen & kMandatory) != kMandatory) return std::nullopt;
  if (!parameters_valid(out.parameters)) return std::nullopt;
  return out;
}

RecordMode record_mode(const SessionParameters& own, const SessionParameters& peer,
                       AeadAlgorithm aead) {
  if (esp_agreed(own, peer, aead)) return RecordMode::kEsp;
  if (own.esp_base != 0 && !own.records) {
    return peer.esp_base == 0 ? RecordMode::kNoEspPeer : RecordMode::kNoEspCipher;
  }
  if (!own.records) return RecordMode::kOff;
  if (!peer.records) return RecordMode::kPeerWithout;
  return aead == AeadAlgorithm::kNone ? RecordMode::kPlaintext : RecordMode::kOn;
}

bool esp_agreed(const SessionParameters& own, const SessionParameters& peer, AeadAlgorithm aead) {
  const bool gcm = aead == AeadAlgorithm::kAes128Gcm || aead == AeadAlgorithm::kAes256Gcm;
  return own.esp_base != 0 && peer.esp_base != 0 && gcm;
}

const char* record_mode_text(RecordMode mode) {
  switch (mode) {
    case RecordMode::kOn:
      return "record mode";
    case RecordMode::kPeerWithout:
      return "packet mode: the peer does without record mode";
    case RecordMode::kPlaintext:
      return "packet mode: plaintext has no records";
    case RecordMode::kEsp:
      return "ESP";
    case RecordMode::kNoEspPeer:
      return "packet mode: the peer does without ESP";
    case RecordMode::kNoEspCipher:
      return "packet mode: ESP takes AES-GCM";
    case RecordMode::kOff:
      break;
  }
  return "packet mode";
}

bool messages_padded(const SessionParameters& a, const SessionParameters& b) {
  return a.padding == Padding::kAsked || b.padding == Padding::kAsked;
}

AgreementResult choose_agreement(const SessionParameters& client, const SessionParameters& server) {
  AgreementResult out;
  const uint16_t version = std::min(client.version_max, server.version_max);
  if (version < std::max(client.version_min, server.version_min)) {
    out.error = AgreementError::kVersion;
    return out;
  }
  if (uint32_t{client.lanes} * server.lanes > base::limits::kMaxLanesPerSession) {
    out.error = AgreementError::kLanes;
    return out;
  }
  // PROTOCOL MUST-L2
  const bool able = client.padding != Padding::kUnable && server.padding != Padding::kUnable;
  if (messages_padded(client, server) && !able) {
    out.error = AgreementError::kPadding;
    return out;
  }
  for (const AeadAlgorithm algorithm : server.aeads) {
    const bool offered =
        std::find(client.aeads.begin(), client.aeads.end(), algorithm) != client.aeads.end();
    if (!offered || !known_algorithm(algorithm)) continue;
    out.agreement.version = version;
    out.agreement.aead = algorithm;
    out.agreement.split = server.split;
    return out;
  }
  out.error = AgreementError::kAead;
  return out;
}

bool agreement_allowed(const SessionParameters& client, const SessionParameters& server,
                       const SessionAgreement& chosen) {
  const AgreementResult own = choose_agreement(client, server);
  return own.error == AgreementError::kNone && own.agreement == chosen;
}

}  // namespace sluice::crypto
