// SPDX-License-Identifier: Apache-2.0
//
// Sealing by a crypto device of DPDK (rte_cryptodev).
#ifndef SLUICE_ENGINE_LOOKASIDE_BACKEND_H_
#define SLUICE_ENGINE_LOOKASIDE_BACKEND_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/aead.h"

namespace sluice::engine {

// Megabytes of DPDK's memory that the backend takes.
inline constexpr uint32_t kLookasideMb = 48;

// The first crypto device that has the algorithm; opened at the first call that finds one, and kept
// for good, so that all engines of the process share it. It is the devices' order in DPDK: those of
// --vdev, of the PCI bus, or of the host program; one that the host has started itself is left to
// it. FailedPrecondition says what to do where there is none. After Eal::acquire(), control thread.
//
// The device gets DATA packets and records. A session of cryptodev fixes the length of the
// additional data, which in bundles is any, so those are `cpu`'s; it has to have the algorithm too.
//
// submit_*() hands a burst to the device and waits for it, so that jobs are complete on return
// (completes_at_once()), as the transport wants it: an lcore does nothing else meanwhile. Every job
// is copied into a buffer that the device can reach, and back once it is right: `out` is never
// touched by a device, and of a job that failed nothing but zeros is in it. A device that keeps a
// burst (limits::kCryptoLooks) is given up, for that queue pair and for good: that burst and all
// after it are `cpu`'s, and queues_given_up() counts it. So are jobs for whose key the device makes
// no session. Lcores have a queue pair each, or wait for each other where the device has fewer.
absl::StatusOr<crypto::AeadBackend*> open_lookaside(crypto::AeadAlgorithm algorithm,
                                                    crypto::AeadBackend* cpu);

// The names of the crypto devices that there are, with commas; "" for none.
std::string lookaside_devices();

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_LOOKASIDE_BACKEND_H_
