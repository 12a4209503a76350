// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_handshake.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_order.h"
#include "base/check.h"
#include "crypto/handshake_steps.h"
#include "crypto/hkdf.h"
#include "crypto/tls_messages.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr char kSessionLabel[] = "EXPORTER sluice session 1";
constexpr char kDoneLabel[] = "EXPORTER sluice server done 1";
constexpr const char* kEarly = "tls client early";
constexpr const char* kServerFlight = "tls server flight";
constexpr const char* kClientFlight = "tls client flight";
constexpr const char* kDone = "tls server done";
constexpr const char* kRefuse = "tls refuse";
constexpr size_t kMaxTlsSecret = 64;  // Of a TLS hash.

Bytes bytes_of(ByteView view) { return {view.data, view.size}; }

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct TrafficSecret {
  std::array<uint8_t, kMaxTlsSecret> bytes{};
  size_t size = 0;

  TrafficSecret() = default;
  TrafficSecret(const TrafficSecret&) = delete;
  TrafficSecret& operator=(const TrafficSecret&) = delete;
  ~TrafficSecret() { wipe(bytes.data(), bytes.size()); }

  void set(Bytes secret) {
    size = std::min(secret.size(), bytes.size());
    std::copy_n(secret.begin(), size, bytes.begin());
  }
  Bytes view() const { return {bytes.data(), size}; }
};

// What both sides of a handshake have: the connection, what it says, and how that is sealed.
class TlsSide {
 public:
  TlsSide(TlsMechanism* mechanism, uint64_t attempt, const SessionParameters& local)
      : mechanism_(mechanism), credentials_(mechanism->credentials()), attempt_(attempt) {
    result_.local = local;
  }
  ~TlsSide() { end(); }
  TlsSide(const TlsSide&) = delete;
  TlsSide& operator=(const TlsSide&) = delete;

  const BoringsslModule& module() const { return mechanism_->module(); }
  const TlsFunctions& tls() const { return *module().tls; }
  TlsIdentity* identity() const { return credentials_->identity.get(); }
  const Primitives& primitives() const { return module().primitives; }

  TlsCallbacks callbacks() {
    return {.context = this, .write = &on_write, .secret = &on_secret, .answer = &on_answer};
  }

  // The connection's memory is given back as soon as it has done its work.
  void end() {
    if (connection_ != nullptr) tls().connection_free(std::exchange(connection_, nullptr));
  }

  TlsStep provide(TlsLevel level, Bytes bytes) {
    return tls().provide(connection_, level, view_of(bytes), mechanism_->wall_ns());
  }

  HandshakeOutcome refusal() const {
    TlsRefusal refusal;
    tls().refusal(connection_, &refusal);
    return refused(refusal.reason, refusal.detail);
  }

  std::vector<uint8_t> seal(const TrafficSecret& secret, const char* label, Bytes plain) const {
    return TlsSeal(&module(), secret.view(), label).seal(attempt_, plain);
  }
  std::optional<std::vector<uint8_t>> open(const TrafficSecret& secret, const char* label,
                                           Bytes sealed) const {
    return TlsSeal(&module(), secret.view(), label).open(attempt_, sealed);
  }

  ResetToken own_reset_token() const {
    return credentials_->reset_token(module(), result_.local.session_id);
  }

  HandshakeOutcome with_refusal(HandshakeOutcome outcome, const TrafficSecret& secret,
                                HandshakeType type) const {
    const auto reason = static_cast<uint8_t>(outcome.reason);
    outcome.send.push_back({type, seal(secret, kRefuse, {&reason, 1})});
    return outcome;
  }
  // An authentic refusal of the peer's, or nothing of the kind.
  HandshakeOutcome peers_refusal(const TrafficSecret& secret, Bytes sealed) const {
    const auto reason = open(secret, kRefuse, sealed);
    if (!reason) return ignored(IgnoreCause::kNotAuthentic);
    if (reason->size() != 1) return ignored(IgnoreCause::kMalformed);
    HandshakeOutcome out = refused(static_cast<RefuseReason>(reason->front()));
    out.by_peer = true;
    return out;
  }

  // Both sides are authenticated: secrets and the peer's name.
  bool conclude() {
    TlsPeer peer;
    tls().peer(connection_, &peer);
    result_.peer_name = peer.name;
    result_.peer_chain = lines_of(peer.chain);
    std::copy(std::begin(peer.key_id), std::end(peer.key_id), result_.peer_key_id.begin());
    result_.peer_certificates.clear();
    tls().peer_certificates(
        connection_,
        [](void* context, ByteView der) {
          static_cast<HandshakeResult*>(context)->peer_certificates.emplace_back(
              der.data, der.data + der.size);
        },
        &result_);
    result_.resumed = peer.resumed;
    result_.expires_ns = std::min(peer.expires_ns, credentials_->expiry_ns);
    result_.own_expires_first = credentials_->expiry_ns < peer.expires_ns;
    result_.secrets.algorithm = result_.agreement.aead;
    return tls().export_secret(connection_, kSessionLabel, {nullptr, 0},
                               result_.secrets.secret.bytes.data()) &&
           tls().export_secret(connection_, kDoneLabel, {nullptr, 0}, done_.bytes.data());
  }
  // PROTOCOL MUST-P2
  // Nothing else is left to be checked: what this accepts is a session as far as this side goes.
  HandshakeOutcome judge(bool initiator) const {
    const PeerJudge& judge = mechanism_->judge();
    HandshakeOutcome out;
    if (judge.judge == nullptr) return out;
    out.reason = judge.judge(judge.context, result_, initiator, &out.detail);
    if (out.reason != RefuseReason::kNone) out.step = HandshakeStep::kRefused;
    return out;
  }
  std::vector<uint8_t> done_message() const {
    return TlsSeal(&module(), done_.bytes, kDone).seal(attempt_, tickets_);
  }

  TlsMechanism* mechanism_;
  std::shared_ptr<const TlsCredentials> credentials_;  // Outlive the connection.
  uint64_t attempt_;
  TlsConnection* connection_ = nullptr;
  std::vector<uint8_t> initial_;    // What TLS has to say, in the clear,
  std::vector<uint8_t> handshake_;  // and under the handshake's keys,
  std::vector<uint8_t> tickets_;    // and, as a server, after it.
  TrafficSecret early_secret_;      // The client's, where it may send, or has sent, early data.
  TrafficSecret client_secret_;
  TrafficSecret server_secret_;
  Secret done_;
  HandshakeResult result_;

 private:
  static void on_write(void* context, TlsLevel level, ByteView bytes) {
    auto* self = static_cast<TlsSide*>(context);
    std::vector<uint8_t>& out = level == TlsLevel::kInitial     ? self->initial_
                                : level == TlsLevel::kHandshake ? self->handshake_
                                                                : self->tickets_;
    out.insert(out.end(), bytes.data, bytes.data + bytes.size);
  }
  static void on_secret(void* context, TlsLevel level, bool from_client, ByteView secret) {
    auto* self = static_cast<TlsSide*>(context);
    if (level == TlsLevel::kEarly) self->early_secret_.set(bytes_of(secret));
    if (level != TlsLevel::kHandshake) return;
    (from_client ? self->client_secret_ : self->server_secret_).set(bytes_of(secret));
  }
  // The server's answer to the client's parameters.
  static RefuseReason on_answer(void* context, ByteView peer, ByteSink own) {
    auto* self = static_cast<TlsSide*>(context);
    const Bytes bytes = bytes_of(peer);
    // PROTOCOL MUST-I4
    if (bytes.size() < 8 || base::load_be64(bytes.data()) != self->attempt_) {
      return RefuseReason::kMalformed;
    }
    HandshakeResult& result = self->result_;
    const RefuseReason reason =
        accept_parameters(bytes.subspan(8), self->mechanism_->allow_self(), &result);
    if (reason != RefuseReason::kNone) return reason;
    const std::vector<uint8_t> block = encode_parameters(result.local, &result.agreement);
    own.put(own.context, view_of(block));
    return RefuseReason::kNone;
  }
};

class TlsClient : public ClientHandshake {
 public:
  TlsClient(TlsMechanism* mechanism, uint64_t attempt, const SessionParameters& local,
            const std::string& peer_name)
      : side_(mechanism, attempt, local), peer_name_(peer_name) {}

  void offer(ClientOffer offer) override { offer_ = std::move(offer); }

  HandshakeOutcome begin(Bytes token, size_t min_bytes) override {
    if (core_.empty()) start();
    if (state_ != State::kHello || side_.connection_ == nullptr) {
      return ignored(IgnoreCause::kUnexpected);
    }
    return answer(HandshakeStep::kNeedMore, HandshakeType::kClientHello,
                  join_tls_hello(side_.primitives(), core_, token, min_bytes, early_));
  }

  HandshakeOutcome on_message(HandshakeType type, Bytes bytes) override {
    if (state_ == State::kHello && type == HandshakeType::kServerHello) {
      HandshakeOutcome out = on_server(bytes);
      if (out.step == HandshakeStep::kRefused) state_ = State::kRefused;
      return out;
    }
    if (state_ == State::kFinished && type == HandshakeType::kServerDone) return on_done(bytes);
    if (state_ == State::kFinished && type == HandshakeType::kTlsServerRefuse) {
      HandshakeOutcome out = side_.peers_refusal(side_.server_secret_, bytes);
      if (out.step == HandshakeStep::kRefused) state_ = State::kRefused;
      return out;
    }
    return ignored(IgnoreCause::kUnexpected);
  }

  const HandshakeResult& result() const override {
    SLUICE_CHECK(state_ == State::kEstablished ||
                 (state_ == State::kFinished && side_.result_.early_taken != 0));
    return side_.result_;
  }

 private:
  enum class State : uint8_t { kHello, kFinished, kEstablished, kRefused };

  // Makes the hello, which stays the same whatever token it is sent with.
  void start() {
    std::vector<uint8_t> parameters(8);
    base::store_be64(parameters.data(), side_.attempt_);
    const std::vector<uint8_t> block = encode_parameters(side_.result_.local, nullptr);
    parameters.insert(parameters.end(), block.begin(), block.end());
    offer_.early.resize(may_send_early() ? early_that_fit(offer_.early) : 0);
    const TlsClientInput input = {.parameters = view_of(parameters),
                                  .peer_name = view_of(peer_name_),
                                  .wall_ns = side_.mechanism_->wall_ns(),
                                  .resume = offer_.resume,
                                  .early = !offer_.early.empty()};
    const TlsCallbacks callbacks = side_.callbacks();
    side_.connection_ = side_.tls().connect(side_.identity(), &input, &callbacks);
    core_ = encode_tls_core(side_.attempt_, side_.initial_);
    if (side_.connection_ == nullptr) return;
    // PROTOCOL MUST-E1
    if (side_.tls().early(side_.connection_) != TlsEarly::kOffered) return;
    early_ = side_.seal(side_.early_secret_, kEarly, encode_early(offer_.early));
  }

  bool may_send_early() const {
    const PeerJudge& judge = side_.mechanism_->judge();
    return judge.may_send_early == nullptr || judge.may_send_early(judge.context, peer_name_);
  }

  // What arrives intact was written by somebody who saw the hello, and TLS takes no byte back:
  // from here on there is no going on with another answer.
  HandshakeOutcome on_server(Bytes bytes) {
    const auto hello = decode_tls_server_hello(bytes);
    if (!hello) return ignored(IgnoreCause::kMalformed);
    // PROTOCOL MUST-I3
    if (!tls_server_hello_intact(side_.primitives(), core_, *hello)) {
      return ignored(IgnoreCause::kNotAuthentic);
    }
    if (side_.provide(TlsLevel::kInitial, hello->tls) == TlsStep::kRefused) return side_.refusal();
    const auto plain = side_.open(side_.server_secret_, kServerFlight, hello->sealed);
    const auto flight = plain ? decode_server_flight(*plain) : std::nullopt;
    if (!flight) {
      return refused(RefuseReason::kTls, "the server's flight is not sealed as its hello says");
    }
    HandshakeResult& result = side_.result_;
    result.peer_reset_token = flight->reset_token;
    result.address_token.assign(flight->address_token.begin(), flight->address_token.end());
    switch (side_.provide(TlsLevel::kHandshake, flight->tls)) {
      case TlsStep::kRefused:
        return with_refusal(side_.refusal());
      case TlsStep::kMore:
      case TlsStep::kEarly:
        return refused(RefuseReason::kTls, "the server's flight is not whole");
      case TlsStep::kDone:
        break;
    }
    const bool accepted = side_.tls().early(side_.connection_) == TlsEarly::kAccepted;
    if (flight->early_taken > (accepted && !early_.empty() ? offer_.early.size() : 0)) {
      return with_refusal(refused(RefuseReason::kMalformed, "requests taken that were not sent"));
    }
    result.early_taken = flight->early_taken;
    return finish();
  }

  HandshakeOutcome finish() {
    const auto block = decode_parameters(bytes_of(side_.tls().peer_parameters(side_.connection_)));
    HandshakeResult& result = side_.result_;
    if (!block || !block->selection ||
        !agreement_allowed(result.local, block->parameters, *block->selection)) {
      return with_refusal(refused(RefuseReason::kParameters));
    }
    result.peer = block->parameters;
    result.agreement = *block->selection;
    std::vector<uint8_t> finished =
        side_.seal(side_.client_secret_, kClientFlight,
                   encode_client_flight(side_.own_reset_token(), side_.handshake_));
    if (!side_.conclude() || finished.empty() || finished.size() > kMaxTlsFlight) {
      return with_refusal(refused(RefuseReason::kTls, "the own certificate chain is too long"));
    }
    HandshakeOutcome judged = side_.judge(true);
    if (judged.step == HandshakeStep::kRefused) return with_refusal(std::move(judged));
    state_ = State::kFinished;
    HandshakeOutcome out =
        answer(HandshakeStep::kNeedMore, HandshakeType::kClientFinished, std::move(finished));
    out.usable = result.early_taken != 0;
    if (!early_.empty()) out.early = out.usable ? EarlyVerdict::kTaken : EarlyVerdict::kRefused;
    return out;
  }

  HandshakeOutcome on_done(Bytes bytes) {
    const auto plain =
        TlsSeal(&side_.module(), side_.done_.bytes, kDone).open(side_.attempt_, bytes);
    if (!plain) return ignored(IgnoreCause::kNotAuthentic);
    if (!plain->empty()) side_.provide(TlsLevel::kApplication, *plain);
    HandshakeOutcome out;
    out.ticket_refused = side_.tls().ticket_refused(side_.connection_);
    side_.end();
    side_.done_.wipe();
    state_ = State::kEstablished;
    out.step = HandshakeStep::kEstablished;
    return out;
  }

  HandshakeOutcome with_refusal(HandshakeOutcome outcome) const {
    return side_.with_refusal(std::move(outcome), side_.client_secret_,
                              HandshakeType::kTlsClientRefuse);
  }

  TlsSide side_;
  std::string peer_name_;
  State state_ = State::kHello;
  ClientOffer offer_;
  std::vector<uint8_t> core_;  // Empty before the first begin().
  std::vector<uint8_t>
      early_;  // The offer, sealed; empty where the ticket, or its lack, forbids it.
};

class TlsServer : public ServerHandshake {
 public:
  TlsServer(TlsMechanism* mechanism, uint64_t attempt, const SessionParameters& local)
      : side_(mechanism, attempt, local) {}

  void give_address_token(Bytes token) override { token_.assign(token.begin(), token.end()); }

  HandshakeOutcome on_hello(Bytes token, Bytes message) override {
    if (state_ == State::kEstablished || state_ == State::kRefused) {
      return ignored(IgnoreCause::kUnexpected);
    }
    const auto hello = decode_tls_hello(message);
    if (!hello || hello->attempt != side_.attempt_ ||
        !tls_hello_intact(side_.primitives(), *hello, token)) {
      // Before there is state a bad hello ends the attempt; later it is somebody's noise.
      return state_ == State::kStart ? refused(RefuseReason::kMalformed)
                                     : ignored(IgnoreCause::kMalformed);
    }
    if (state_ == State::kStart) return accept(*hello);
    if (!std::equal(hello->core.begin(), hello->core.end(), core_.begin(), core_.end())) {
      return ignored(IgnoreCause::kUnexpected);
    }
    return answer(HandshakeStep::kNeedMore, HandshakeType::kServerHello, server_hello_);
  }

  HandshakeOutcome on_message(HandshakeType type, Bytes bytes) override {
    if (state_ == State::kHello && type == HandshakeType::kTlsClientRefuse) {
      return side_.peers_refusal(side_.client_secret_, bytes);
    }
    if (state_ == State::kStart || type != HandshakeType::kClientFinished) {
      return ignored(IgnoreCause::kUnexpected);
    }
    const ByteView part = view_of(bytes);
    TlsCheck digest;
    side_.primitives().sha256(&part, 1, digest.data());
    if (state_ == State::kHello) return on_finished(bytes, digest);
    if (digest != finished_) return ignored(IgnoreCause::kNotAuthentic);
    return answer(HandshakeStep::kNeedMore, last_.type, last_.bytes);
  }

  const HandshakeResult& result() const override {
    SLUICE_CHECK(state_ == State::kEstablished || early_ == EarlyVerdict::kTaken);
    return side_.result_;
  }

 private:
  enum class State : uint8_t { kStart, kHello, kEstablished, kRefused };

  HandshakeOutcome accept(const TlsClientHelloView& hello) {
    const TlsCallbacks callbacks = side_.callbacks();
    side_.connection_ = side_.tls().accept(
        side_.identity(), view_of(side_.mechanism_->strikes()->context()), &callbacks);
    if (side_.connection_ == nullptr) return refused(RefuseReason::kBusy);
    const TlsStep step = side_.provide(TlsLevel::kInitial, hello.tls);
    if (step == TlsStep::kRefused) return side_.refusal();
    // PROTOCOL MUST-I1
    if (side_.handshake_.empty() || side_.server_secret_.size == 0) {
      return refused(RefuseReason::kTls, "the client's key share is of no group known here");
    }
    if (!hello.early.empty()) early_ = judge_early(hello, step == TlsStep::kEarly);
    const std::vector<uint8_t> flight =
        encode_server_flight({.reset_token = side_.own_reset_token(),
                              .early_taken = static_cast<uint8_t>(side_.result_.early.size()),
                              .address_token = token_,
                              .tls = side_.handshake_});
    const auto sealed = side_.seal(side_.server_secret_, kServerFlight, flight);
    server_hello_ = join_tls_server_hello(side_.primitives(), hello.core, side_.initial_, sealed);
    if (sealed.empty() || server_hello_.size() > kMaxHandshakeMessage) {
      return refused(RefuseReason::kTls, "the own certificate chain is too long");
    }
    core_.assign(hello.core.begin(), hello.core.end());
    side_.initial_ = {};
    side_.handshake_ = {};
    state_ = State::kHello;
    HandshakeOutcome out =
        answer(HandshakeStep::kNeedMore, HandshakeType::kServerHello, server_hello_);
    out.early = early_;
    out.usable = early_ == EarlyVerdict::kTaken;
    return out;
  }

  // Takes the hello's early requests, or says why not. The client is known by its ticket, has
  // proved by the binder to hold it, and is judged as at the end of a handshake; the ticket's use
  // is noted last, before anything of it is delivered.
  EarlyVerdict judge_early(const TlsClientHelloView& hello, bool accepted) {
    // PROTOCOL MUST-E4, MUST-E5
    if (!accepted) return EarlyVerdict::kRefused;
    const auto plain = side_.open(side_.early_secret_, kEarly, hello.early);
    auto requests = plain ? decode_early(*plain) : std::nullopt;
    const Bytes ticket = bytes_of(side_.tls().ticket(side_.connection_));
    if (!requests || ticket.empty() || !side_.conclude()) return EarlyVerdict::kRefused;
    // PROTOCOL MUST-E2
    switch (side_.mechanism_->strikes()->strike(ticket)) {
      case Strike::kSeen:
        return EarlyVerdict::kReplayed;
      case Strike::kFull:
        return EarlyVerdict::kFull;
      case Strike::kFresh:
        break;
    }
    judged_ = side_.judge(false);
    if (judged_->step == HandshakeStep::kRefused) return EarlyVerdict::kRefused;
    side_.result_.early = std::move(*requests);
    return EarlyVerdict::kTaken;
  }

  HandshakeOutcome on_finished(Bytes bytes, const TlsCheck& digest) {
    const auto flight = side_.open(side_.client_secret_, kClientFlight, bytes);
    // PROTOCOL MUST-I3
    if (!flight) return ignored(IgnoreCause::kNotAuthentic);
    HandshakeOutcome out = refused(RefuseReason::kTls, "the client's flight is not whole");
    if (flight->size() > kResetTokenSize) {
      std::copy_n(flight->begin(), kResetTokenSize, side_.result_.peer_reset_token.begin());
      const TlsStep step =
          side_.provide(TlsLevel::kHandshake, Bytes(*flight).subspan(kResetTokenSize));
      if (step == TlsStep::kRefused) out = side_.refusal();
      if (step == TlsStep::kDone && side_.conclude()) out = judge();
    }
    // PROTOCOL MUST-I5
    if (out.step == HandshakeStep::kRefused) {
      out =
          side_.with_refusal(std::move(out), side_.server_secret_, HandshakeType::kTlsServerRefuse);
    }
    state_ = out.step == HandshakeStep::kRefused ? State::kRefused : State::kEstablished;
    finished_ = digest;
    last_ = out.send.front();
    side_.end();
    server_hello_ = {};
    return out;
  }

  // Who was judged with the early requests is not asked about, and put on record, again.
  HandshakeOutcome judge() {
    HandshakeOutcome out = judged_ ? std::move(*judged_) : side_.judge(false);
    if (out.step == HandshakeStep::kRefused) return out;
    return answer(HandshakeStep::kEstablished, HandshakeType::kServerDone, side_.done_message());
  }

  TlsSide side_;
  State state_ = State::kStart;
  std::vector<uint8_t> token_;
  std::vector<uint8_t> core_;
  std::vector<uint8_t> server_hello_;
  EarlyVerdict early_ = EarlyVerdict::kNone;
  std::optional<HandshakeOutcome> judged_;  // Where that was before the end.
  TlsCheck finished_{};                     // Of the CLIENT_FINISHED that was answered,
  HandshakeMessage last_;                   // with this.
};

}  // namespace

TlsCredentials::TlsCredentials(const BoringsslModule* module, TlsIdentityOwner owner)
    : identity(std::move(owner)) {
  SLUICE_CHECK(identity.get() != nullptr);
  CertificateFacts facts;
  module->tls->identity_facts(identity.get(), &facts);
  expiry_ns = facts.not_after_ns;
  std::array<uint8_t, kTlsSecretSize> secret;
  const WipeOnExit wipe_secret(&secret);
  module->tls->identity_secret(identity.get(), secret.data());
  hkdf_expand_label(module->primitives, secret, "tls reset", {}, reset_key);
}

TlsCredentials::~TlsCredentials() { wipe(reset_key.data(), reset_key.size()); }

ResetToken TlsCredentials::reset_token(const BoringsslModule& module, base::SessionId local) const {
  return derive_reset_token(module.primitives, reset_key, local);
}

TlsMechanism::TlsMechanism(const BoringsslModule* module, TlsIdentityOwner identity,
                           WallClock clock, bool allow_self, RandomSource random)
    : module_(module),
      clock_(clock),
      allow_self_(allow_self),
      strikes_(&module->primitives, random) {
  SLUICE_CHECK(clock_.now != nullptr);
  renew(std::move(identity));
}

void TlsMechanism::renew(TlsIdentityOwner identity) {
  credentials_ = std::make_shared<const TlsCredentials>(module_, std::move(identity));
}

bool TlsMechanism::still_trusts(const HandshakeResult& peer, bool initiator) const {
  std::vector<ByteView> chain;
  for (const auto& each : peer.peer_certificates) chain.push_back(view_of(each));
  const std::string_view name = initiator ? std::string_view(peer.peer_name) : std::string_view();
  return module_->tls->judge(credentials_->identity.get(), chain.data(), chain.size(), initiator,
                             view_of(name), clock_()) == RefuseReason::kNone;
}

std::unique_ptr<ClientHandshake> TlsMechanism::new_client(uint64_t attempt,
                                                          const SessionParameters& local,
                                                          const std::string& peer_name) {
  return std::make_unique<TlsClient>(this, attempt, local, peer_name);
}

std::unique_ptr<ServerHandshake> TlsMechanism::new_server(uint64_t attempt,
                                                          const SessionParameters& local) {
  return std::make_unique<TlsServer>(this, attempt, local);
}

// PROTOCOL MUST-I6
ResetToken TlsMechanism::reset_token(base::SessionId local) const {
  return credentials_->reset_token(*module_, local);
}

}  // namespace sluice::crypto
