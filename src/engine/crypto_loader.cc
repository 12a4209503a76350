// SPDX-License-Identifier: Apache-2.0
#include "engine/crypto_loader.h"

#include <dlfcn.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "crypto/boringssl/module.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "crypto/null/null_backend.h"

namespace sluice::engine {
namespace {

// Never freed: lcores and DPDK's threads may outlive static destruction.
struct LoadedCrypto {
  CryptoLibrary library;
  std::unique_ptr<crypto::AeadBackend> boringssl;
  std::unique_ptr<crypto::AeadBackend> ipsec_mb;
  crypto::NullBackend plaintext;
};

#ifndef SLUICE_BORINGSSL_DIRECT
// The file that contains this code: the program, or the shared library it is in. A program that was
// found through PATH is known to the loader by its bare name only; the kernel knows where it lies.
std::string own_path() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&load_crypto), &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::string name = info.dli_fname;
  if (name.find('/') != std::string::npos) return name;
  std::array<char, PATH_MAX> program;
  const ssize_t length = readlink("/proc/self/exe", program.data(), program.size());
  return length > 0 ? std::string(program.data(), static_cast<size_t>(length)) : name;
}

absl::StatusOr<const crypto::BoringsslModule*> open_module(const std::string& path,
                                                           std::string* found) {
  const std::vector<std::string> candidates =
      path.empty() ? crypto_module_candidates(own_path()) : std::vector<std::string>{path};
  std::string tried;
  for (const std::string& candidate : candidates) {
    if (access(candidate.c_str(), R_OK) != 0) {
      absl::StrAppend(&tried, tried.empty() ? "" : ", ", candidate);
      continue;
    }
    void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (handle == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot load the crypto module ", candidate, ": ", dlerror()));
    }
    auto entry = reinterpret_cast<crypto::BoringsslModuleFunction>(
        dlsym(handle, crypto::kBoringsslModuleSymbol));
    if (entry == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat(
          candidate, " is not the crypto module of this version of Sluice: install a matching ",
          crypto::kBoringsslModuleFile));
    }
    *found = candidate;
    return entry();
  }
  return absl::FailedPreconditionError(absl::StrCat("crypto module ", crypto::kBoringsslModuleFile,
                                                    " not found (tried ", tried,
                                                    "): install it, or name its path"));
}
#else
absl::StatusOr<const crypto::BoringsslModule*> open_module(const std::string& /*path*/,
                                                           std::string* found) {
  *found = "linked in";
  return sluice_boringssl_v1();
}
#endif

void fill_random(void* /*context*/, uint8_t* out, size_t size) {
  while (size > 0) {
    const ssize_t got = getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    SLUICE_CHECK(got > 0);  // The kernel has no failure here that could be mended.
    out += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace

std::vector<std::string> crypto_module_candidates(const std::string& self) {
  const size_t slash = self.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : self.substr(0, slash);
  const std::string file = crypto::kBoringsslModuleFile;
  std::vector<std::string> out;
  // Beside it; below it; an installed program's library directories; build directories, where
  // programs lie at the top, tests up to three levels below, and the module in src/crypto.
  for (const char* place :
       {"/", "/sluice/", "/../lib/", "/../lib/sluice/", "/../lib/x86_64-linux-gnu/",
        "/../lib/x86_64-linux-gnu/sluice/", "/src/crypto/", "/../src/crypto/", "/../../src/crypto/",
        "/../../../src/crypto/"}) {
    out.push_back(absl::StrCat(directory, place, file));
  }
  return out;
}

absl::StatusOr<const CryptoLibrary*> load_crypto(const std::string& module_path) {
  static std::mutex mutex;
  static LoadedCrypto* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (loaded != nullptr) return &loaded->library;
  auto next = std::make_unique<LoadedCrypto>();
  auto module = open_module(module_path, &next->library.module_path);
  if (!module.ok()) return module.status();
  next->boringssl = crypto::make_boringssl_backend(*module);
  if (next->boringssl == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(next->library.module_path, " is of another version of Sluice: install a ",
                     "matching ", crypto::kBoringsslModuleFile));
  }
  next->ipsec_mb = crypto::make_ipsec_mb_backend();
  next->library.primitives = &(*module)->primitives;
  next->library.module = *module;
  next->library.backends = {.ipsec_mb = next->ipsec_mb.get(),
                            .boringssl = next->boringssl.get(),
                            .plaintext = &next->plaintext};
  loaded = next.release();
  return &loaded->library;
}

absl::StatusOr<ChosenCrypto> choose_crypto(const crypto::BackendSet& found,
                                           crypto::BackendKind wanted,
                                           const std::vector<crypto::AeadAlgorithm>& algorithms) {
  if (algorithms.empty() || algorithms.size() > crypto::kMaxAeadPreferences) {
    return absl::InvalidArgumentError(
        absl::StrCat("name 1 to ", crypto::kMaxAeadPreferences, " AEAD algorithms"));
  }
  for (size_t i = 0; i < algorithms.size(); ++i) {
    const bool repeated = std::find(algorithms.begin() + static_cast<ptrdiff_t>(i) + 1,
                                    algorithms.end(), algorithms[i]) != algorithms.end();
    const bool plain = algorithms[i] == crypto::AeadAlgorithm::kNone;
    if (repeated || (plain && algorithms.size() > 1)) {
      return absl::InvalidArgumentError(
          "AEAD algorithms are named once each, and plaintext only alone");
    }
  }
  const crypto::BackendChoice choice = crypto::choose_backend(wanted, algorithms.front(), found);
  if (choice.backend == nullptr) return absl::FailedPreconditionError(choice.reason);
  ChosenCrypto out;
  out.backend = choice.backend;
  std::string left_out;
  for (const crypto::AeadAlgorithm algorithm : algorithms) {
    if (choice.backend->supports(algorithm)) {
      out.algorithms.push_back(algorithm);
    } else {
      absl::StrAppend(&left_out, left_out.empty() ? "; not offered, as it lacks them: " : ", ",
                      crypto::algorithm_name(algorithm));
    }
  }
  out.report = {"crypto",
                absl::StrCat(choice.backend->name(), " (", choice.backend->detail(), "), ",
                             crypto::algorithm_name(algorithms.front())),
                absl::StrCat(choice.reason, left_out)};
  return out;
}

crypto::RandomSource system_random() { return {.fill = fill_random, .context = nullptr}; }

}  // namespace sluice::engine
