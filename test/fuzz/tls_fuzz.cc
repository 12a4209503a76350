// SPDX-License-Identifier: Apache-2.0
//
// What strangers write into a TLS handshake: messages, certificates, and TLS's own bytes behind a
// check that is right. The first byte picks the target. Whatever comes, nobody is believed who did
// not show a certificate of the CA.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../unit/crypto/handshake_support.h"
#include "../unit/crypto/tls_support.h"
#include "crypto/boringssl/certificate.h"
#include "crypto/boringssl/issue.h"
#include "crypto/boringssl/x509_support.h"
#include "crypto/tls_messages.h"

namespace {

using namespace sluice::crypto;
using Bytes = std::span<const uint8_t>;

constexpr uint64_t kAttempt = 7;
const std::vector<uint8_t> kToken = {1, 2, 3};

void require(bool condition) {
  if (!condition) std::abort();
}

// Made once: what each input meets.
struct World {
  World() : ca(test::issue_pair(nullptr, {})) {
    client =
        test::make_tls(test::issue_pair(&ca, {"client.example"}), {{ca.certificate, ""}}, &clock);
    server =
        test::make_tls(test::issue_pair(&ca, {"server.example"}), {{ca.certificate, ""}}, &clock);
    const auto chain = read_pem_certificates(test::text_view(ca.certificate));
    anchors.push_back({certificate_der(chain.front().get()), ""});
  }

  test::PemPair ca;
  test::SetClock clock;
  std::unique_ptr<TlsMechanism> client;
  std::unique_ptr<TlsMechanism> server;
  std::vector<TrustAnchor> anchors;
};

World& world() {
  static World made;
  return made;
}

const Primitives& primitives() { return sluice_boringssl_v1()->primitives; }

std::unique_ptr<ClientHandshake> new_client() {
  return world().client->new_client(kAttempt, test::sample_parameters(1, 1), "server.example");
}
std::unique_ptr<ServerHandshake> new_server() {
  return world().server->new_server(kAttempt, test::sample_parameters(2, 2));
}

void parse_messages(Bytes bytes) {
  if (const auto hello = decode_tls_hello(bytes)) {
    require(hello->core.size() + 2 + hello->padding.size() + hello->check.size() == bytes.size());
    require(encode_tls_core(hello->attempt, hello->tls) ==
            std::vector<uint8_t>(hello->core.begin(), hello->core.end()));
  }
  if (const auto hello = decode_tls_server_hello(bytes)) {
    require(hello->body.size() + hello->check.size() == bytes.size());
    require(3 + hello->tls.size() + hello->sealed.size() == hello->body.size());
  }
}

// A chain of pieces, each with its length in front.
void judge_chain(Bytes bytes) {
  std::vector<ByteView> chain;
  while (bytes.size() > 2) {
    const size_t size = std::min<size_t>(bytes[0] * 256u + bytes[1], bytes.size() - 2);
    chain.push_back({bytes.data() + 2, size});
    bytes = bytes.subspan(2 + size);
  }
  const auto verdict = verify_certificates(chain, world().anchors, {}, test::kTlsToday);
  require(verdict.reason != RefuseReason::kNone && verdict.name.empty());
}

void read_texts(Bytes bytes) {
  const ByteView view = {bytes.data(), bytes.size()};
  read_pem_key(view);
  inspect_pem(
      view, [](void*, const CertificateFacts*, ByteView) {}, nullptr);
}

// The codecs of what is sealed beside TLS: whatever is accepted is written the same way.
void read_sealed(Bytes bytes) {
  if (const auto requests = decode_early(bytes)) {
    const auto again = encode_early(*requests);
    require(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  }
  if (const auto flight = decode_server_flight(bytes)) {
    const auto again = encode_server_flight(*flight);
    require(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  }
}

// The input in the place of the client's TLS bytes, in a hello that arrives intact.
void hello_of_a_stranger(Bytes bytes) {
  if (bytes.size() > 4096) return;
  const auto core = encode_tls_core(kAttempt, bytes);
  const auto server = new_server();
  const auto early = bytes.first(bytes.size() / 2);
  const auto hello = join_tls_hello(primitives(), core, kToken, 0, early);
  const auto first = server->on_hello(kToken, hello);
  require(!first.usable);
  require(first.step == HandshakeStep::kRefused || first.step == HandshakeStep::kNeedMore);
  require(server->on_message(HandshakeType::kClientFinished, bytes).step ==
          HandshakeStep::kIgnored);
}

// The input in the place of the server's.
void answer_of_a_stranger(Bytes bytes) {
  const auto client = new_client();
  const auto hello = client->begin(kToken, 0).send.at(0).bytes;
  const auto core = decode_tls_hello(hello)->core;
  const size_t cut = bytes.empty() ? 0 : bytes[0] * bytes.size() / 256;
  const auto answer =
      join_tls_server_hello(primitives(), core, bytes.first(cut), bytes.subspan(cut));
  require(client->on_message(HandshakeType::kServerHello, answer).step == HandshakeStep::kRefused);
}

void damage(std::vector<uint8_t>* message, Bytes* input) {
  if (input->size() < 3 || message->empty()) return;
  const size_t at = ((*input)[0] * 256u + (*input)[1]) % message->size();
  (*message)[at] = static_cast<uint8_t>((*message)[at] ^ (*input)[2]);
  *input = input->subspan(3);
}

// A true handshake whose messages the input damages: it ends well or not at all.
void damaged_handshake(Bytes bytes) {
  const auto client = new_client();
  const auto server = new_server();
  const auto good = client->begin(kToken, 0).send.at(0).bytes;
  auto hello = good;
  damage(&hello, &bytes);
  const auto answer = server->on_hello(kToken, hello);
  require((answer.step == HandshakeStep::kNeedMore) == (hello == good));
  if (answer.step != HandshakeStep::kNeedMore) return;
  auto flight = answer.send.at(0).bytes;
  damage(&flight, &bytes);
  const auto finished = client->on_message(HandshakeType::kServerHello, flight);
  require((finished.step == HandshakeStep::kNeedMore) == (flight == answer.send.at(0).bytes));
  if (finished.step != HandshakeStep::kNeedMore) return;
  auto last = finished.send.at(0).bytes;
  damage(&last, &bytes);
  const auto done = server->on_message(HandshakeType::kClientFinished, last);
  require((done.step == HandshakeStep::kEstablished) == (last == finished.send.at(0).bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes rest(data + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      parse_messages(rest);
      break;
    case 1:
      judge_chain(rest);
      break;
    case 2:
      read_texts(rest);
      break;
    case 3:
      hello_of_a_stranger(rest);
      break;
    case 4:
      answer_of_a_stranger(rest);
      break;
    case 5:
      read_sealed(rest);
      break;
    default:
      damaged_handshake(rest);
      break;
  }
  return 0;
}
