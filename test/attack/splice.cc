// SPDX-License-Identifier: Apache-2.0
#include "splice.h"

#include <algorithm>

#include "wire/record_packet.h"

namespace sluice::attack {
namespace {

using namespace wire::offsets;

Bytes join(const Bytes& head, size_t head_size, const Bytes& body, size_t body_at) {
  Bytes out(head.begin(), head.begin() + static_cast<ptrdiff_t>(std::min(head_size, head.size())));
  const size_t at = std::min(body_at, body.size());
  out.insert(out.end(), body.begin() + static_cast<ptrdiff_t>(at), body.end());
  return out;
}

Bytes with_field_of(const Bytes& packet, const Bytes& other, size_t at, size_t size) {
  Bytes out = packet;
  std::copy_n(other.begin() + static_cast<ptrdiff_t>(at), size,
              out.begin() + static_cast<ptrdiff_t>(at));
  return out;
}

void splice_pair(const Packet& one, const Packet& other, std::vector<Forgery>* out) {
  const auto add = [&](Bytes bytes, const char* what) {
    // Equal parts make no forgery.
    if (bytes == one.bytes || bytes == other.bytes) return;
    out->push_back({{one.way, std::move(bytes)}, what});
  };
  const size_t head = clear_size(one.bytes);
  const size_t other_head = clear_size(other.bytes);
  add(join(one.bytes, head, other.bytes, other_head), "one's header, another's sealed bytes");
  if (one.bytes.size() < wire::kTagBytes + head || other.bytes.size() < wire::kTagBytes) return;
  add(join(one.bytes, one.bytes.size() - wire::kTagBytes, other.bytes,
           other.bytes.size() - wire::kTagBytes),
      "another's tag");
  add(with_field_of(one.bytes, other.bytes, kRecordNumber, 8), "another's number");
  if (type_byte(one.bytes) != type_byte(other.bytes)) return;
  if (is_type(one.bytes, wire::PacketType::kData)) {
    add(with_field_of(one.bytes, other.bytes, kSequence, 4), "another's offset");
    add(with_field_of(one.bytes, other.bytes, kMessageLength, 4), "another's length");
    add(with_field_of(one.bytes, other.bytes, kService, 2), "another's service");
  }
}

const wire::RecordNumberSplit kSplit{};  // The one that both sides prefer.

struct Piece {
  const Packet* packet;
  wire::RecordView view;
};

// The packet of `to` with the bytes of `from`, as far as both have them.
Bytes with_piece(const Bytes& to, const Bytes& from) {
  Bytes out = to;
  const size_t size = std::min(to.size(), from.size()) - wire::kRecordHeaderSize;
  std::copy_n(from.begin() + wire::kRecordHeaderSize, size, out.begin() + wire::kRecordHeaderSize);
  return out;
}

void splice_pieces(const Piece& one, const Piece& other, std::vector<Forgery>* out) {
  const auto add = [&](Bytes bytes, const char* what) {
    if (bytes == one.packet->bytes || bytes == other.packet->bytes) return;
    out->push_back({{one.packet->way, std::move(bytes)}, what});
  };
  const bool same = one.view.record_number() == other.view.record_number();
  add(with_piece(one.packet->bytes, other.packet->bytes),
      same ? "pieces exchanged in a record" : "a piece of another record");
  if (same) {
    add(with_field_of(one.packet->bytes, other.packet->bytes, kSequence, 4),
        "a piece at another place of its record");
  } else {
    add(with_field_of(one.packet->bytes, other.packet->bytes, kRecordNumber, 8),
        "a piece under another record's number");
  }
}

}  // namespace

std::vector<Forgery> splice_packets(const std::vector<Packet>& packets) {
  std::vector<Forgery> out;
  for (const Packet& one : packets) {
    for (const Packet& other : packets) {
      if (&one != &other && one.way == other.way) splice_pair(one, other, &out);
    }
  }
  return out;
}

std::vector<Forgery> splice_esp(const std::vector<Packet>& packets) {
  std::vector<Forgery> out;
  for (const Packet& one : packets) {
    for (const Packet& other : packets) {
      if (&one == &other) continue;
      const auto add = [&](Bytes bytes, const char* what) {
        if (bytes == one.bytes || bytes == other.bytes) return;
        out.push_back({{one.way, std::move(bytes), true}, what});
      };
      add(with_field_of(one.bytes, other.bytes, 0, 4), "another's SPI");
      add(with_field_of(one.bytes, other.bytes, 0, 8), "another's additional data");
      add(with_field_of(one.bytes, other.bytes, 8, 8), "another's IV");
      add(join(one.bytes, wire::kEspHeaderSize, other.bytes, wire::kEspHeaderSize),
          "one's header, another's sealed bytes");
      add(join(one.bytes, one.bytes.size() - wire::kTagBytes, other.bytes,
               other.bytes.size() - wire::kTagBytes),
          "another's tag");
    }
  }
  return out;
}

std::vector<Forgery> splice_records(const std::vector<Packet>& packets) {
  std::vector<Piece> pieces;
  for (const Packet& packet : packets) {
    const auto view = wire::RecordView::parse(packet.bytes.data(), packet.bytes.size(), kSplit);
    if (is_type(packet.bytes, wire::PacketType::kRecord) && view)
      pieces.push_back({&packet, *view});
  }
  std::vector<Forgery> out;
  for (const Piece& one : pieces) {
    for (const Piece& other : pieces) {
      if (one.packet != other.packet && one.packet->way == other.packet->way) {
        splice_pieces(one, other, &out);
      }
    }
    Bytes twice = one.packet->bytes;
    twice.back() ^= 1;
    out.push_back({{one.packet->way, std::move(twice)}, "a piece twice, with other bytes"});
  }
  return out;
}

}  // namespace sluice::attack
