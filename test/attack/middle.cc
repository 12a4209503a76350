// SPDX-License-Identifier: Apache-2.0
#include "middle.h"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/byte_order.h"
#include "catalogue.h"
#include "replay.h"

namespace sluice::attack {
namespace {

// Strangers live in 11.0.0.0/8, behind the gateway.
constexpr uint32_t kFirstStranger = 0x0b000000;
constexpr uint32_t kStrangers = 1u << 24;
constexpr uint16_t kStrangersPort = 4791;
constexpr wire::MacAddress kGatewayMac{{0x02, 0, 0, 0, 0, 0xfe}};
constexpr uint64_t kBreath = 64;  // Frames sent between two looks at what came.

// The cables have no VLANs.
uint64_t ip_bytes(std::span<const uint8_t> frame) {
  return frame.size() - wire::kEthernetHeaderSize;
}

}  // namespace

Middle::Middle(const std::string& client_side, const std::string& server_side, std::string canary,
               const wire::IpAddress& gateway)
    : client_(client_side), server_(server_side), canary_(std::move(canary)), gateway_(gateway) {}

base::Nanos Middle::clock() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return base::Nanos(static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 +
                     static_cast<uint64_t>(now.tv_nsec));
}

void Middle::send(const Packet& packet) {
  if (framer_.knows(packet.way)) socket_to(packet.way).send(framer_.frame(packet));
}

void Middle::send_as(uint32_t number, const Bytes& bytes) {
  const wire::IpAddress source = wire::IpAddress::from_v4(kFirstStranger + number);
  const Bytes frame =
      framer_.frame_from(kGatewayMac, source, kStrangersPort, {Way::kToServer, bytes});
  server_.send(frame);
  strangers_[number].sent += ip_bytes(frame);
  ++forged_;
}

void Middle::send_due() {
  const base::Nanos now = clock();
  while (!later_.empty() && later_.begin()->first <= now) {
    send(later_.begin()->second);
    later_.erase(later_.begin());
  }
}

void Middle::to_stranger(const wire::ParsedFrame& parsed, std::span<const uint8_t> frame) {
  const uint32_t address = base::load_be32(parsed.destination.bytes + 12);
  const uint32_t number = address - kFirstStranger;
  if (number >= kStrangers) return;
  const auto begin = frame.begin() + parsed.payload_offset;
  const Bytes bytes(begin, begin + parsed.payload_length);
  strangers_[number].received += ip_bytes(frame);
  const auto client = half_open_.find(number);
  if (client == half_open_.end()) return;
  if (const auto answer = client->second.answer(bytes, &prng_)) {
    ++opened_;
    send_as(number, *answer);
  }
}

void Middle::take(Way way, const Bytes& frame) {
  canary_.look(frame);
  const auto answer = arp_answer(frame, gateway_, kGatewayMac);
  if (answer) return socket_to(reverse(way)).send(*answer);
  const wire::ParsedFrame parsed = parse(frame);
  const bool sluice =
      parsed.kind == wire::FrameKind::kSluiceUdp || parsed.kind == wire::FrameKind::kSluiceNative;
  if (sluice && parsed.destination_mac == kGatewayMac) return to_stranger(parsed, frame);
  ++forwarded_;
  const auto packet = framer_.read(way, frame);
  if (!packet) return socket_to(way).send(frame);
  seen_.read(*packet);
  const std::vector<Passed> passed = meddler_.pass(*packet);
  // What is left alone passes as it came, with its own ports.
  if (passed.size() == 1 && passed[0].delay == base::Nanos() &&
      passed[0].packet.bytes == packet->bytes && passed[0].packet.way == way) {
    return socket_to(way).send(frame);
  }
  const base::Nanos now = clock();
  for (const Passed& each : passed) later_.emplace(base::after(now, each.delay), each.packet);
  send_due();
}

void Middle::pass_once(base::Nanos wait, bool stdin_too) {
  std::array<pollfd, 3> ready{{{client_.descriptor(), POLLIN, 0},
                               {server_.descriptor(), POLLIN, 0},
                               {stdin_too ? 0 : -1, POLLIN, 0}}};
  if (!later_.empty()) wait = std::min(wait, base::micros(100));
  const timespec timeout{static_cast<time_t>(wait.value() / 1'000'000'000),
                         static_cast<long>(wait.value() % 1'000'000'000)};
  ppoll(ready.data(), ready.size(), &timeout, nullptr);
  send_due();
  told_ = ready[2].revents != 0;
  for (const auto& [ready_side, way] :
       {std::pair(&ready[0], Way::kToServer), std::pair(&ready[1], Way::kToClient)}) {
    if (ready_side->revents == 0) continue;
    RawSocket& from = way == Way::kToServer ? client_ : server_;
    for (uint64_t i = 0; i < kBreath; ++i) {
      const auto frame = from.receive();
      if (!frame) break;
      take(way, *frame);
    }
  }
}

void Middle::pass(base::Nanos time) {
  const base::Nanos end = base::after(clock(), time);
  for (base::Nanos now = clock(); now < end; now = clock()) {
    pass_once(base::elapsed(now, end), false);
  }
}

void Middle::pass_until_told() {
  told_ = false;
  while (!told_) pass_once(base::millis(100), true);
}

void Middle::breathe(uint64_t sent) {
  if (sent % kBreath == 0) pass(base::micros(500));
}

size_t Middle::attack(const Attack& attack) {
  const std::vector<Forgery> forgeries = attack.make(seen_, &prng_);
  for (const Forgery& forged : forgeries) {
    send(forged.packet);
    breathe(++forged_);
  }
  return forgeries.size();
}

size_t Middle::replay_all() {
  const std::vector<Packet> all = seen_.all();
  std::vector<Forgery> again = replay(all, &prng_);
  for (Forgery& back : reflect(all)) again.push_back(std::move(back));
  for (const Forgery& forged : again) {
    send(forged.packet);
    breathe(++forged_);
  }
  return again.size();
}

void Middle::flood_first(uint32_t count) {
  for (uint32_t number = 0; number < count; ++number) {
    send_as(number, hello_packet(prng_.next_u64(), 1 + number % 2, {}, 1, &prng_));
    breathe(forged_);
  }
}

uint32_t Middle::half_open(uint32_t count, uint8_t mechanism) {
  opened_ = 0;
  for (uint32_t number = 0; number < count; ++number) {
    const auto client = half_open_.emplace(number, HalfOpen(prng_.next_u64(), mechanism)).first;
    send_as(number, client->second.first(&prng_));
    breathe(forged_);
  }
  pass(base::millis(200));
  half_open_.clear();
  return opened_;
}

uint64_t Middle::litter(Garbage kind, uint64_t rate, base::Nanos time) {
  const std::vector<Packet> seen = seen_.sealed(1);
  if (seen.empty() || seen[0].way != Way::kToServer) return 0;
  // Few, again and again, so that making them is no part of the rate.
  std::vector<Bytes> frames;
  for (uint64_t i = 0; i < kBreath; ++i) {
    frames.push_back(framer_.frame({Way::kToServer, garbage(kind, seen[0], i, &prng_)}));
  }
  const base::Nanos begin = clock();
  uint64_t sent = 0;
  for (base::Nanos now = begin; base::elapsed(begin, now) < time; now = clock()) {
    const uint64_t due = base::elapsed(begin, now).value() / 1000 * rate / 1'000'000;
    for (uint64_t i = 0; i < kBreath && sent < due; ++i) server_.send(frames[sent++ % kBreath]);
    pass_once(sent < due ? base::Nanos() : base::micros(50), false);
  }
  forged_ += sent;
  return sent;
}

// Bytes sent to an address, in thousandths of those that came from it, of the worst one.
uint64_t Middle::worst_ratio() const {
  uint64_t worst = 0;
  for (const auto& [number, each] : strangers_) {
    if (each.sent != 0) worst = std::max(worst, each.received * 1000 / each.sent);
    // Answers to nobody.
    if (each.sent == 0 && each.received != 0) worst = UINT64_MAX;
  }
  return worst;
}

std::vector<std::pair<std::string, uint64_t>> Middle::figures() const {
  const auto answered = std::count_if(strangers_.begin(), strangers_.end(),
                                      [](const auto& each) { return each.second.received != 0; });
  return {{"forwarded", forwarded_},        {"forged", forged_},
          {"recorded", seen_.packets()},    {"meddled", meddler_.meddled()},
          {"looked", canary_.looked()},     {"canaries", canary_.seen()},
          {"strangers", strangers_.size()}, {"answered", static_cast<uint64_t>(answered)},
          {"worst_ratio", worst_ratio()}};
}

}  // namespace sluice::attack
