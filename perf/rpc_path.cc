// SPDX-License-Identifier: Apache-2.0
//
// The work of the transport alone, for counting instructions. perf/instructions runs it under
// callgrind, which counts inside counted_work() only.
// usage: rpc_path WORK COUNT [null], where WORK is
//   lone      64-byte echoes, one outstanding
//   bundled   64-byte echoes, 60 outstanding
//   unbundled the same, each in a packet of its own
//   peers     the same, each to one of 1,000 peers at random
//   stream    messages of 1 MB one way, one outstanding
// With `null` nothing is sealed: the same packets, with tags of zeros.
#include <string_view>

#include "transport_bench.h"

namespace {

using namespace sluice;
using namespace sluice::transport;

bool work_of(std::string_view name, Work* work) {
  if (name == "lone") return true;
  work->outstanding = 60;
  if (name == "bundled") return true;
  work->bundling = false;
  if (name == "unbundled") return true;
  work->peers = work->active = 1000;
  if (name == "peers") return true;
  *work = {.message = 1u << 20, .outstanding = 1, .one_way = true};
  return name == "stream";
}

}  // namespace

// The name that callgrind switches its counting by.
extern "C" __attribute__((noinline)) void counted_work(void* bench, uint64_t count) {
  static_cast<Bench*>(bench)->run(count);
}

int main(int argc, char** argv) {
  Work work;
  const bool null = argc == 4 && std::string_view(argv[3]) == "null";
  const unsigned long count = argc == 3 || null ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (count == 0 || !work_of(argv[1], &work)) {
    std::fprintf(stderr, "usage: rpc_path lone|bundled|unbundled|peers|stream COUNT [null]\n");
    return 2;
  }
  Bench bench(work, null ? std::make_unique<NullAead>() : crypto::make_ipsec_mb_backend());
  if (work.peers > 1) bench.settle();
  bench.run(count / 10 + 1);  // Tables and timers reach their usual state.
  const uint64_t before = bench.packets();
  counted_work(&bench, count);
  std::printf("%lu messages, %lu packets\n", count,
              static_cast<unsigned long>(bench.packets() - before));
}
