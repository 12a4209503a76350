// SPDX-License-Identifier: Apache-2.0
// A program that has DPDK up itself, with all its drivers and so with OpenSSL, seals with OpenSSL
// both directly and through DPDK's crypto_openssl, and embeds Sluice on that same DPDK: each must
// go on working beside the others, and neither TLS library may see the other's names.
#define ALLOW_EXPERIMENTAL_API  // Sessions of cryptodev, in DPDK 22.11.
#include <rte_crypto.h>
#include <rte_cryptodev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mempool.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "echo.h"
#include "openssl_beside.h"

namespace {

// One AES-128-GCM sealing after another through the crypto device that is number 0.
class CryptoDevice {
 public:
  bool open() {
    if (rte_cryptodev_count() != 1) return false;
    rte_cryptodev_config device{};
    device.socket_id = 0;
    device.nb_queue_pairs = 1;
    const unsigned session_size = rte_cryptodev_sym_get_private_session_size(0);
    pool_ = rte_pktmbuf_pool_create("host", 64, 0, 0, 2048, SOCKET_ID_ANY);
    operations_ = rte_crypto_op_pool_create("host_ops", RTE_CRYPTO_OP_TYPE_SYMMETRIC, 64, 0, 64,
                                            SOCKET_ID_ANY);
    sessions_ = rte_cryptodev_sym_session_pool_create("host_sessions", 4, session_size, 0, 0,
                                                      SOCKET_ID_ANY);
    if (pool_ == nullptr || operations_ == nullptr || sessions_ == nullptr) return false;
    rte_cryptodev_qp_conf queue{};
    queue.nb_descriptors = 64;
    queue.mp_session = sessions_;
    if (rte_cryptodev_configure(0, &device) != 0 ||
        rte_cryptodev_queue_pair_setup(0, 0, &queue, SOCKET_ID_ANY) != 0 ||
        rte_cryptodev_start(0) != 0) {
      return false;
    }
    Bytes key = gcm_case().key;
    rte_crypto_sym_xform cipher{};
    cipher.type = RTE_CRYPTO_SYM_XFORM_AEAD;
    cipher.aead.op = RTE_CRYPTO_AEAD_OP_ENCRYPT;
    cipher.aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
    cipher.aead.key.data = key.data();
    cipher.aead.key.length = static_cast<uint16_t>(key.size());
    cipher.aead.iv.offset = kIvOffset;
    cipher.aead.iv.length = 12;
    cipher.aead.digest_length = 16;
    cipher.aead.aad_length = static_cast<uint16_t>(gcm_case().aad.size());
    session_ = rte_cryptodev_sym_session_create(0, &cipher, sessions_);
    return session_ != nullptr;
  }

  bool seals() {
    const GcmCase& known = gcm_case();
    rte_mbuf* const buffer = rte_pktmbuf_alloc(pool_);
    rte_crypto_op* operation = rte_crypto_op_alloc(operations_, RTE_CRYPTO_OP_TYPE_SYMMETRIC);
    if (buffer == nullptr || operation == nullptr) return false;
    const size_t length = known.plain.size();
    char* const data = rte_pktmbuf_append(buffer, static_cast<uint16_t>(length + 16 + 32));
    std::memcpy(data, known.plain.data(), length);
    std::memcpy(data + length + 16, known.aad.data(), known.aad.size());
    std::memcpy(rte_crypto_op_ctod_offset(operation, char*, kIvOffset), known.iv.data(), 12);
    auto& aead = operation->sym->aead;
    operation->sym->m_src = buffer;
    aead.data.offset = 0;
    aead.data.length = static_cast<uint32_t>(length);
    aead.digest.data = reinterpret_cast<uint8_t*>(data) + length;
    aead.digest.phys_addr = rte_pktmbuf_iova_offset(buffer, length);
    aead.aad.data = reinterpret_cast<uint8_t*>(data) + length + 16;
    aead.aad.phys_addr = rte_pktmbuf_iova_offset(buffer, length + 16);
    rte_crypto_op_attach_sym_session(operation, session_);
    if (rte_cryptodev_enqueue_burst(0, 0, &operation, 1) != 1) return false;
    while (rte_cryptodev_dequeue_burst(0, 0, &operation, 1) == 0) {
    }
    const bool ok = operation->status == RTE_CRYPTO_OP_STATUS_SUCCESS &&
                    std::memcmp(data, known.sealed.data(), length) == 0 &&
                    std::memcmp(data + length, known.tag.data(), 16) == 0;
    rte_crypto_op_free(operation);
    rte_pktmbuf_free(buffer);
    return ok;
  }

 private:
  static constexpr uint16_t kIvOffset = sizeof(rte_crypto_op) + sizeof(rte_crypto_sym_op);

  rte_mempool* pool_ = nullptr;
  rte_mempool* operations_ = nullptr;
  rte_mempool* sessions_ = nullptr;
  void* session_ = nullptr;
};

int host_work(void* stop) {
  while (!*static_cast<std::atomic<bool>*>(stop)) rte_pause();
  return 0;
}

// What the arguments ask for in an environment that is up already.
bool late_arguments_are_refused() {
  sluice::EngineOptions options = Echo::options(nullptr);
  options.eal.huge_pages = sluice::HugePages::kAuto;
  options.eal.arguments = {"-m", "64"};
  const auto engine = sluice::Engine::create(options);
  return !engine.ok() &&
         std::string(engine.status().message()).find("too late") != std::string::npos;
}

}  // namespace

int main(int /*argc*/, char** argv) {
  std::string prefix = "--file-prefix=embed_dpdk_" + std::to_string(getpid());
  std::string words[] = {argv[0],
                         "--no-huge",
                         "-m",
                         "512",
                         "--no-pci",
                         "--no-telemetry",
                         "--lcores=0@0,1@0,2@0,3@0",
                         "--vdev=crypto_openssl0",
                         prefix};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    std::printf("EAL: %s\n", rte_strerror(rte_errno));
    return 1;
  }
  std::FILE* const log = rte_log_get_stream();
  CryptoDevice device;
  if (!say("crypto_openssl", device.open() && device.seals())) return 1;
  if (!say("OpenSSL before", openssl_seals() && openssl_hashes())) return 1;

  // One of the host's lcores is at work, so two are left.
  std::atomic<bool> stop = false;
  if (!say("a lcore of the host", rte_eal_remote_launch(host_work, &stop, 1) == 0)) return 1;
  if (!say("late EAL arguments", late_arguments_are_refused())) return 1;
  {
    Echo echo;
    if (!echo.start()) return 1;
    if (!say("separate scopes", scopes_are_apart())) return 1;
    if (!say("the host's ports", rte_eth_dev_count_avail() > 0)) return 1;
    if (!say("the host's lcore", rte_eal_get_lcore_state(1) == RUNNING)) return 1;
    if (!say("adopted lcores",
             rte_eal_get_lcore_state(2) == RUNNING && rte_eal_get_lcore_state(3) == RUNNING)) {
      return 1;
    }
    std::atomic<bool> sealed = true;
    std::thread other([&] {
      while (!stop) sealed = openssl_seals() && openssl_hashes() && sealed;
    });
    bool echoed = true;
    bool by_device = true;
    for (uint32_t i = 1; i <= 200 && echoed && by_device; ++i) {
      echoed = echo.round_trip(i * 37);
      by_device = device.seals();
    }
    stop = true;
    other.join();
    if (!say("Sluice beside OpenSSL", echoed) || !say("OpenSSL beside Sluice", sealed) ||
        !say("crypto_openssl beside Sluice", by_device)) {
      return 1;
    }
  }
  // Sluice has gone, and DPDK is the host's as before.
  rte_eal_wait_lcore(1);
  if (!say("lcores given back", rte_eal_get_lcore_state(2) == WAIT)) return 1;
  if (!say("the host's log", rte_log_get_stream() == log)) return 1;
  if (!say("OpenSSL after", openssl_seals() && openssl_hashes() && device.seals())) return 1;
  if (!say("the end of DPDK", rte_eal_cleanup() == 0)) return 1;
  std::printf("ok\n");
  return 0;
}
