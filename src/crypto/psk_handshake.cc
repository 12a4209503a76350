// SPDX-License-Identifier: Apache-2.0
#include "crypto/psk_handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "crypto/handshake_steps.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

using Bytes = std::span<const uint8_t>;

// PROTOCOL MUST-H10
bool mac_equal(Bytes given, const Digest& expected) {
  return given.size() == expected.size() &&
         equal_constant_time(given.data(), expected.data(), expected.size());
}

class PskClient : public ClientHandshake {
 public:
  PskClient(const Primitives* primitives, const RandomSource& random, KeyShare share,
            const PskKeys& keys, uint64_t attempt, const SessionParameters& local)
      : primitives_(primitives), keys_(keys), ephemeral_(std::move(share)) {
    result_.local = local;
    const std::vector<uint8_t> block = encode_parameters(local, nullptr);
    PskClientHello hello;
    hello.attempt = attempt;
    random(hello.random.data(), hello.random.size());
    hello.share = ephemeral_.public_key();
    hello.key_id = keys.key_id;
    hello.block = block;
    core_ = encode_hello_core(hello);
    t1_ = transcript_hello(*primitives_, core_);
  }

  HandshakeOutcome begin(Bytes token, size_t min_bytes) override {
    if (state_ != State::kHello) return ignored(IgnoreCause::kUnexpected);
    const std::vector<uint8_t> padding = hello_padding(core_.size(), min_bytes);
    const Digest binder = hello_binder(*primitives_, keys_, t1_, token, padding);
    return answer(HandshakeStep::kNeedMore, HandshakeType::kClientHello,
                  join_hello(core_, padding, binder));
  }

  HandshakeOutcome on_message(HandshakeType type, Bytes bytes) override {
    if (state_ == State::kHello && type == HandshakeType::kServerHello) return on_server(bytes);
    if (state_ == State::kFinished && type == HandshakeType::kServerDone) return on_done(bytes);
    return ignored(IgnoreCause::kUnexpected);
  }

  const HandshakeResult& result() const override {
    SLUICE_CHECK(state_ == State::kEstablished);
    return result_;
  }

 private:
  enum class State : uint8_t { kHello, kFinished, kEstablished, kRefused };

  HandshakeOutcome on_server(Bytes bytes) {
    const auto hello = decode_server_hello(bytes);
    if (!hello) return ignored(IgnoreCause::kMalformed);
    const Digest t2 = transcript_server(*primitives_, t1_, hello->core);
    const auto secrets =
        derive_psk_secrets(*primitives_, keys_, ephemeral_.private_key(), hello->fields.share, t2);
    if (!secrets || !mac_equal(hello->mac, secrets->server_mac)) {
      return ignored(IgnoreCause::kNotAuthentic);
    }
    // From here on the bytes are the server's own: what is wrong with them will not get better.
    ephemeral_.forget();
    const auto block = decode_parameters(hello->fields.block);
    // PROTOCOL MUST-H3
    if (!block || !block->selection ||
        !agreement_allowed(result_.local, block->parameters, *block->selection)) {
      state_ = State::kRefused;
      return refused(RefuseReason::kParameters);
    }
    result_.peer = block->parameters;
    result_.agreement = *block->selection;
    result_.peer_reset_token =
        derive_reset_token(*primitives_, keys_.reset_key, block->parameters.session_id);
    secrets_ = *secrets;
    state_ = State::kFinished;
    return answer(HandshakeStep::kNeedMore, HandshakeType::kClientFinished,
                  {secrets_.client_mac.begin(), secrets_.client_mac.end()});
  }

  HandshakeOutcome on_done(Bytes bytes) {
    if (bytes.size() != kPskMacSize) return ignored(IgnoreCause::kMalformed);
    if (!mac_equal(bytes, secrets_.done_mac)) return ignored(IgnoreCause::kNotAuthentic);
    result_.secrets.secret = secrets_.session;
    result_.secrets.algorithm = result_.agreement.aead;
    secrets_ = PskSecrets();
    state_ = State::kEstablished;
    HandshakeOutcome out;
    out.step = HandshakeStep::kEstablished;
    return out;
  }

  const Primitives* primitives_;
  PskKeys keys_;
  KeyShare ephemeral_;
  State state_ = State::kHello;
  std::vector<uint8_t> core_;
  Digest t1_{};
  PskSecrets secrets_;
  HandshakeResult result_;
};

class PskServer : public ServerHandshake {
 public:
  PskServer(const Primitives* primitives, const RandomSource& random, KeyShares* shares,
            const std::vector<PskKeys>* keys, bool allow_self, uint64_t attempt,
            const SessionParameters& local)
      : primitives_(primitives),
        random_(random),
        shares_(shares),
        keys_(keys),
        allow_self_(allow_self),
        attempt_(attempt) {
    result_.local = local;
  }

  HandshakeOutcome on_hello(Bytes token, Bytes message) override {
    if (state_ == State::kEstablished) return ignored(IgnoreCause::kUnexpected);
    const auto hello = decode_hello(message);
    // PROTOCOL MUST-H9
    if (!hello || hello->fields.attempt != attempt_) return failed_hello(RefuseReason::kMalformed);
    const PskKeys* key = find_key(hello->fields.key_id);
    if (key == nullptr) return failed_hello(RefuseReason::kKey);
    const Digest t1 = transcript_hello(*primitives_, hello->core);
    if (!mac_equal(hello->binder, hello_binder(*primitives_, *key, t1, token, hello->padding))) {
      return failed_hello(RefuseReason::kKey);
    }
    if (state_ == State::kStart) return accept(*key, *hello, t1);
    // PROTOCOL MUST-H12
    if (t1 != t1_) return ignored(IgnoreCause::kUnexpected);
    return answer(HandshakeStep::kNeedMore, HandshakeType::kServerHello, server_hello_);
  }

  HandshakeOutcome on_message(HandshakeType type, Bytes bytes) override {
    if (type != HandshakeType::kClientFinished || state_ == State::kStart) {
      return ignored(IgnoreCause::kUnexpected);
    }
    if (bytes.size() != kPskMacSize) return ignored(IgnoreCause::kMalformed);
    if (!mac_equal(bytes, secrets_.client_mac)) return ignored(IgnoreCause::kNotAuthentic);
    const bool first = state_ != State::kEstablished;
    if (first) {
      result_.secrets.secret = secrets_.session;
      result_.secrets.algorithm = result_.agreement.aead;
      secrets_.session.wipe();
      state_ = State::kEstablished;
    }
    return answer(first ? HandshakeStep::kEstablished : HandshakeStep::kNeedMore,
                  HandshakeType::kServerDone, {secrets_.done_mac.begin(), secrets_.done_mac.end()});
  }

  const HandshakeResult& result() const override {
    SLUICE_CHECK(state_ == State::kEstablished);
    return result_;
  }

 private:
  enum class State : uint8_t { kStart, kHello, kEstablished };

  // Before there is state a bad hello ends the attempt; later it is somebody's noise.
  HandshakeOutcome failed_hello(RefuseReason reason) const {
    if (state_ == State::kStart) return refused(reason);
    return ignored(reason == RefuseReason::kMalformed ? IgnoreCause::kMalformed
                                                      : IgnoreCause::kNotAuthentic);
  }

  const PskKeys* find_key(const std::array<uint8_t, kPskKeyIdSize>& key_id) const {
    const auto at = std::find_if(keys_->begin(), keys_->end(),
                                 [&](const PskKeys& key) { return key.key_id == key_id; });
    return at == keys_->end() ? nullptr : &*at;
  }

  // The binder is good: the rest of the hello is what a holder of the key wrote.
  HandshakeOutcome accept(const PskKeys& key, const PskClientHelloView& hello, const Digest& t1) {
    const RefuseReason reason = accept_parameters(hello.fields.block, allow_self_, &result_);
    if (reason != RefuseReason::kNone) return refused(reason);
    const KeyShare ephemeral = shares_->take();
    const std::vector<uint8_t> own = encode_parameters(result_.local, &result_.agreement);
    PskServerHello reply;
    random_(reply.random.data(), reply.random.size());
    reply.share = ephemeral.public_key();
    reply.block = own;
    const std::vector<uint8_t> core = encode_server_core(reply);
    const Digest t2 = transcript_server(*primitives_, t1, core);
    const auto secrets =
        derive_psk_secrets(*primitives_, key, ephemeral.private_key(), hello.fields.share, t2);
    if (!secrets) return refused(RefuseReason::kMalformed);

    server_hello_ = core;
    server_hello_.insert(server_hello_.end(), secrets->server_mac.begin(),
                         secrets->server_mac.end());
    secrets_ = *secrets;
    t1_ = t1;
    result_.peer_reset_token =
        derive_reset_token(*primitives_, key.reset_key, result_.peer.session_id);
    state_ = State::kHello;
    return answer(HandshakeStep::kNeedMore, HandshakeType::kServerHello, server_hello_);
  }

  const Primitives* primitives_;
  RandomSource random_;
  KeyShares* shares_;
  const std::vector<PskKeys>* keys_;
  bool allow_self_;
  uint64_t attempt_;
  State state_ = State::kStart;
  Digest t1_{};
  std::vector<uint8_t> server_hello_;
  PskSecrets secrets_;
  HandshakeResult result_;
};

}  // namespace

PskMechanism::PskMechanism(const std::vector<Psk>& keys, const Primitives* primitives,
                           RandomSource random, bool allow_self)
    : primitives_(primitives),
      random_(random),
      allow_self_(allow_self),
      shares_(primitives, random) {
  SLUICE_CHECK(!keys.empty());
  keys_.reserve(keys.size());
  for (const Psk& key : keys) {
    SLUICE_CHECK(key.size() >= base::limits::kMinPskBytes);
    keys_.push_back(derive_psk_keys(*primitives_, key));
  }
}

std::unique_ptr<ClientHandshake> PskMechanism::new_client(uint64_t attempt,
                                                          const SessionParameters& local,
                                                          const std::string& /*peer_name*/) {
  return std::make_unique<PskClient>(primitives_, random_, shares_.take(), keys_.front(), attempt,
                                     local);
}

std::unique_ptr<ServerHandshake> PskMechanism::new_server(uint64_t attempt,
                                                          const SessionParameters& local) {
  return std::make_unique<PskServer>(primitives_, random_, &shares_, &keys_, allow_self_, attempt,
                                     local);
}

ResetToken PskMechanism::reset_token(base::SessionId local) const {
  return derive_reset_token(*primitives_, keys_.front().reset_key, local);
}

}  // namespace sluice::crypto
