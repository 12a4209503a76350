// SPDX-License-Identifier: Apache-2.0
#include "cli/identity.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/job.h"
#include "cli/json_report.h"
#include "cli/runner.h"
#include "cli/text.h"
#include "crypto/boringssl/module.h"
#include "crypto/dns_name.h"
#include "crypto/secret_bytes.h"
#include "engine/crypto_loader.h"
#include "engine/mechanism.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kDay = 86'400'000'000'000;
constexpr uint64_t kCaLifetime = 3650 * kDay;
constexpr uint64_t kLifetime = 30 * kDay;
constexpr uint64_t kSlowClocks = 60'000'000'000;  // Valid so much earlier, for clocks that lag.
constexpr unsigned kPrivate = 0600;

using Words = std::vector<std::string>;

void append_text(void* context, crypto::ByteView bytes) {
  static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

// A PEM text that is wiped when dropped.
struct SecretText {
  std::string text;
  SecretText() = default;
  SecretText(SecretText&&) = default;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { crypto::wipe(text.data(), text.size()); }
};

absl::Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the folder ", path, " cannot be made: ", std::strerror(errno)));
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string in_folder(const std::string& folder, const std::string& name) {
  return absl::StrCat(folder, absl::EndsWith(folder, "/") ? "" : "/", name);
}

// The key of a certificate's file lies beside it.
std::string key_beside(const std::string& certificate) {
  return absl::StrCat(absl::StripSuffix(certificate, ".pem"), ".key");
}

absl::StatusOr<crypto::KeyKind> kind_of(const std::string& text) {
  if (text == "p256") return crypto::KeyKind::kEcdsaP256;
  if (text == "ed25519") return crypto::KeyKind::kEd25519;
  return absl::InvalidArgumentError(
      absl::StrCat("--key-type: '", text, "': choose p256 or ed25519"));
}

absl::StatusOr<const crypto::TlsFunctions*> functions() {
  const auto library = engine::load_crypto("");
  if (!library.ok()) return library.status();
  return (*library)->module->tls;
}

// A certificate as a file holds it.
struct Shown {
  crypto::CertificateFacts facts{};
  Words names;
};

absl::StatusOr<std::vector<Shown>> read_certificates(const std::string& path) {
  const auto tls = functions();
  if (!tls.ok()) return tls.status();
  const auto text = read_whole(path);
  if (!text.ok()) return text.status();
  std::vector<Shown> out;
  (*tls)->inspect(
      crypto::view_of(*text),
      [](void* context, const crypto::CertificateFacts* facts, crypto::ByteView names) {
        const std::string joined(reinterpret_cast<const char*>(names.data), names.size);
        static_cast<std::vector<Shown>*>(context)->push_back(
            {*facts, absl::StrSplit(joined, ',', absl::SkipEmpty())});
      },
      &out);
  if (out.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " holds no readable certificate (PEM)"));
  }
  return out;
}

std::string summary(const Shown& shown) {
  return absl::StrCat(crypto::key_kind_name(shown.facts.key), ", until ",
                      base::utc_text(shown.facts.not_after_ns));
}

absl::StatusOr<Words> normal_names(const Words& texts, const char* what) {
  Words out;
  for (const std::string& text : texts) {
    out.push_back(crypto::normalize_dns_name(text));
    if (out.back().empty()) {
      return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no DNS name", what,
                                                     ": write a.dc.example, without wildcards"));
    }
  }
  return out;
}

// What is to be made; the strings outlive the call.
struct Order {
  bool ca = false;
  std::string common_name;
  Words names;
  std::string issuer;  // A folder with ca.pem and ca.key; empty: self-signed.
  std::string key;     // PEM of the subject's key; empty: a new one.
  crypto::KeyKind kind = crypto::KeyKind::kEcdsaP256;
  uint64_t not_before_ns = 0;
  uint64_t not_after_ns = 0;
};

struct Made {
  std::string certificate;
  SecretText key;
};

absl::StatusOr<Made> make(const Order& order) {
  const auto tls = functions();
  if (!tls.ok()) return tls.status();
  std::string ca_certificate;
  SecretText ca_key;
  if (!order.issuer.empty()) {
    auto certificate = read_whole(in_folder(order.issuer, "ca.pem"));
    if (!certificate.ok()) return certificate.status();
    auto key = read_whole(in_folder(order.issuer, "ca.key"));
    if (!key.ok()) return key.status();
    ca_certificate = *std::move(certificate);
    ca_key.text = *std::move(key);
  }
  std::vector<crypto::ByteView> names;
  for (const std::string& name : order.names) names.push_back(crypto::view_of(name));
  crypto::IssueInput input{};
  input.ca_certificate_pem = crypto::view_of(ca_certificate);
  input.ca_key_pem = crypto::view_of(ca_key.text);
  input.key_pem = crypto::view_of(order.key);
  input.key_kind = order.kind;
  input.ca = order.ca;
  input.common_name = crypto::view_of(order.common_name);
  input.names = names.data();
  input.name_count = names.size();
  input.not_before_ns = order.not_before_ns;
  input.not_after_ns = order.not_after_ns;
  Made out;
  if (!(*tls)->issue(&input, {append_text, &out.certificate}, {append_text, &out.key.text})) {
    return absl::InvalidArgumentError(order.issuer.empty()
                                          ? std::string("the certificate cannot be made")
                                          : absl::StrCat(order.issuer,
                                                         ": ca.pem and ca.key do not belong "
                                                         "together, or cannot be read"));
  }
  return out;
}

// The key first: a certificate without its key is of no use to anybody.
absl::Status write_pair(const Made& made, const std::string& certificate, const std::string& key) {
  const absl::Status status = write_whole(key, made.key.text, kPrivate);
  return status.ok() ? write_whole(certificate, made.certificate) : status;
}

absl::StatusOr<std::string> make_ca(const IdentityOptions& options, uint64_t now_ns) {
  if (options.out.empty()) return absl::InvalidArgumentError("ca: name a folder with --out=DIR");
  const auto below = normal_names(options.below, " to issue below");
  if (!below.ok()) return below.status();
  const auto kind = kind_of(options.key_type);
  if (!kind.ok()) return kind.status();
  const std::string certificate = in_folder(options.out, "ca.pem");
  const std::string key = in_folder(options.out, "ca.key");
  if (exists(certificate) || exists(key)) {
    return absl::AlreadyExistsError(
        absl::StrCat(options.out, " has a CA already: choose another folder"));
  }
  Order order;
  order.ca = true;
  order.common_name = options.ca_name;
  order.names = *below;
  order.kind = *kind;
  order.not_before_ns = now_ns - kSlowClocks;
  order.not_after_ns = now_ns + (options.lifetime == 0 ? kCaLifetime : options.lifetime);
  const auto made = make(order);
  if (!made.ok()) return made.status();
  absl::Status status = make_folder(options.out);
  if (status.ok()) status = write_pair(*made, certificate, key);
  if (!status.ok()) return status;
  const auto shown = read_certificates(certificate);
  if (!shown.ok()) return shown.status();
  return absl::StrCat(certificate, ": CA for ",
                      below->empty() ? "any name" : "names below " + absl::StrJoin(*below, ", "),
                      ", ", summary(shown->front()), "\n", key,
                      ": its private key, readable by you alone\n");
}

// The CA's own facts, when it may issue for all of the names.
absl::StatusOr<Shown> check_ca(const std::string& folder, const Words& names) {
  if (folder.empty()) {
    return absl::InvalidArgumentError("name the CA's folder with --ca=DIR (made by identity ca)");
  }
  const auto ca = read_certificates(in_folder(folder, "ca.pem"));
  if (!ca.ok()) return ca.status();
  const Shown& own = ca->front();
  if (!own.facts.is_ca) {
    return absl::InvalidArgumentError(absl::StrCat(folder, "/ca.pem is no CA's certificate"));
  }
  for (const std::string& name : names) {
    const bool permitted =
        own.names.empty() || std::any_of(own.names.begin(), own.names.end(), [&](const auto& each) {
          return crypto::dns_name_below(name, each);
        });
    if (permitted) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the CA in ", folder, " may issue for names below ",
                     absl::StrJoin(own.names, ", "), " only, not for ", name));
  }
  return own;
}

// Issues and writes; `key` is the PEM of a key to keep, or empty.
absl::StatusOr<std::string> issue_to(const IdentityOptions& options, const Words& names,
                                     const std::string& certificate, std::string key,
                                     uint64_t now_ns) {
  const auto ca = check_ca(options.ca, names);
  if (!ca.ok()) return ca.status();
  const auto kind = kind_of(options.key_type);
  if (!kind.ok()) return kind.status();
  Order order;
  order.common_name = names.front();
  order.names = names;
  order.issuer = options.ca;
  order.key = std::move(key);
  order.kind = *kind;
  order.not_before_ns = now_ns - kSlowClocks;
  const uint64_t wanted = now_ns + (options.lifetime == 0 ? kLifetime : options.lifetime);
  // Nothing is valid for longer than who vouches for it.
  order.not_after_ns = std::min(wanted, ca->facts.not_after_ns);
  if (order.not_after_ns <= now_ns) {
    return absl::FailedPreconditionError(absl::StrCat("the CA in ", options.ca, " has expired (",
                                                      base::utc_text(ca->facts.not_after_ns), ")"));
  }
  const auto made = make(order);
  crypto::wipe(order.key.data(), order.key.size());
  if (!made.ok()) return made.status();
  const absl::Status status = write_pair(*made, certificate, key_beside(certificate));
  if (!status.ok()) return status;
  const auto shown = read_certificates(certificate);
  if (!shown.ok()) return shown.status();
  return absl::StrCat(certificate, ": ", absl::StrJoin(names, ", "), ", ", summary(shown->front()),
                      order.not_after_ns < wanted ? ", with its CA" : "", "\n",
                      key_beside(certificate), ": its private key, readable by you alone\n");
}

absl::StatusOr<std::string> issue(const Words& words, const IdentityOptions& options,
                                  uint64_t now_ns) {
  if (words.empty()) {
    return absl::InvalidArgumentError("issue: name who it is for: identity issue a.dc.example ...");
  }
  if (options.out.empty()) return absl::InvalidArgumentError("issue: name a folder with --out=DIR");
  const auto names = normal_names(words, "");
  if (!names.ok()) return names.status();
  const std::string certificate = in_folder(options.out, names->front() + ".pem");
  if (exists(certificate) || exists(key_beside(certificate))) {
    return absl::AlreadyExistsError(absl::StrCat(
        certificate, " or its key is there already: use identity renew, or another folder"));
  }
  const absl::Status status = make_folder(options.out);
  if (!status.ok()) return status;
  return issue_to(options, *names, certificate, {}, now_ns);
}

// The same names and the same key, valid from now on.
absl::StatusOr<std::string> renew(const Words& words, const IdentityOptions& options,
                                  uint64_t now_ns) {
  if (words.size() != 1) {
    return absl::InvalidArgumentError(
        "renew: name one certificate: identity renew FILE.pem --ca=DIR");
  }
  const auto old = read_certificates(words.front());
  if (!old.ok()) return old.status();
  if (old->front().facts.is_ca) {
    return absl::InvalidArgumentError(
        absl::StrCat(words.front(), " is a CA's: make a new CA, and let peers trust both"));
  }
  auto key = read_whole(key_beside(words.front()));
  if (!key.ok()) return key.status();
  const auto names = normal_names(old->front().names, "");
  if (!names.ok()) return names.status();
  return issue_to(options, *names, words.front(), *std::move(key), now_ns);
}

std::string validity_text(const crypto::CertificateFacts& facts, uint64_t now_ns) {
  const char* state = now_ns < facts.not_before_ns   ? "not yet valid"
                      : now_ns >= facts.not_after_ns ? "expired"
                                                     : "valid";
  return absl::StrCat(state, ", from ", base::utc_text(facts.not_before_ns), " until ",
                      base::utc_text(facts.not_after_ns));
}

absl::StatusOr<std::string> show(const Words& words, uint64_t now_ns) {
  if (words.empty()) return absl::InvalidArgumentError("show: name a file: identity show FILE.pem");
  std::string out;
  for (const std::string& path : words) {
    const auto certificates = read_certificates(path);
    if (!certificates.ok()) return certificates.status();
    for (const Shown& each : *certificates) {
      const std::string names = absl::StrJoin(each.names, ", ");
      absl::StrAppend(&out, path, ": ", each.facts.is_ca ? "CA for " : "",
                      each.facts.is_ca && names.empty() ? "any name"
                      : each.facts.is_ca                ? "names below " + names
                                                        : names,
                      "\n  ", validity_text(each.facts, now_ns), "\n  issued by ",
                      each.facts.issuer, "; key ", crypto::key_kind_name(each.facts.key),
                      "\n  SHA-256 ",
                      absl::BytesToHexString(
                          absl::string_view(reinterpret_cast<const char*>(each.facts.fingerprint),
                                            sizeof(each.facts.fingerprint))),
                      "\n");
    }
  }
  return out;
}

OptionSet identity_options(IdentityOptions* options) {
  OptionSet set;
  set.section("Options");
  set.add_text("out", "DIR", "ca, issue: the folder to write to", &options->out);
  set.add_text("ca", "DIR", "issue, renew: the folder with ca.pem and ca.key", &options->ca);
  set.add_list("below", "NAME",
               "ca: it may issue for names at and below this only; may be repeated",
               &options->below);
  set.add_text("ca-name", "TEXT", "ca: what people call it", &options->ca_name);
  set.add("days", "N", "how long it is valid (default: 3650 for a CA, 30 else)",
          [options](const std::string& text) -> absl::Status {
            const auto days = parse_count(text);
            if (!days || *days == 0 || *days > 36'500) {
              return absl::InvalidArgumentError("write a number of days from 1 to 36500");
            }
            options->lifetime = *days * kDay;
            return absl::OkStatus();
          });
  set.add_nanos("for", "the same as a time: 12h is 720min, and 500ms works", &options->lifetime);
  set.add_text("key-type", "NAME", "p256 (default) or ed25519", &options->key_type);
  return set;
}

std::string identity_help(const OptionSet& set) {
  return absl::StrCat(
      "sluice identity: certificates of a local CA\n\n"
      "  sluice identity ca --out=DIR [--below=dc.example]      a CA of your own\n"
      "  sluice identity issue NAME... --ca=DIR --out=DIR       a certificate for DNS names\n"
      "  sluice identity renew FILE.pem --ca=DIR                the same names and key, anew\n"
      "  sluice identity show FILE.pem...                       what a certificate says\n",
      set.help());
}

}  // namespace

absl::StatusOr<std::string> identity_command(const Words& words, const IdentityOptions& options,
                                             uint64_t now_ns) {
  const std::string verb = words.empty() ? std::string() : words.front();
  const Words rest(words.empty() ? words.end() : words.begin() + 1, words.end());
  if (verb == "issue") return issue(rest, options, now_ns);
  if (verb == "renew") return renew(rest, options, now_ns);
  if (verb == "show") return show(rest, now_ns);
  if (verb != "ca") {
    return absl::InvalidArgumentError(absl::StrCat(
        "identity: ", verb.empty() ? "say what to do" : absl::StrCat("no '", verb, "'"),
        ": choose ca, issue, renew or show"));
  }
  if (!rest.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", rest[0], "' after ca is not understood"));
  }
  return make_ca(options, now_ns);
}

int run_identity(const Words& arguments, FILE* out) {
  IdentityOptions options;
  const OptionSet set = identity_options(&options);
  const auto words = set.parse(arguments);
  absl::StatusOr<std::string> text = identity_help(set);
  if (!words.ok()) {
    text = words.status();
  } else if (std::find(words->begin(), words->end(), "--help") == words->end()) {
    text = identity_command(*words, options, engine::system_wall_clock()());
  }
  if (text.ok()) {
    std::fputs(text->c_str(), out);
    return kExitOk;
  }
  std::fprintf(stderr, "sluice: %s\n", std::string(text.status().message()).c_str());
  return absl::IsInvalidArgument(text.status()) ? kExitUsage : kExitFailed;
}

}  // namespace sluice::cli
