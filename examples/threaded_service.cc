// SPDX-License-Identifier: Apache-2.0
//
// A service with threads of its own: requests cross from the lcore to worker threads, which may
// block, and are answered from there. Here the work is to reverse the bytes, slowly.
//   threaded_service DEVICE ADDRESS KEY_FILE [THREADS]
#include <sluice/sluice.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "example_options.h"

namespace {

constexpr uint64_t kPatience = 100'000'000;  // Nanoseconds between two looks at `stop`.

void work(sluice::Inbox& inbox, const std::atomic<bool>& stop, std::atomic<int>& served) {
  while (!stop) {
    // Sleeps while there is nothing to do; the lcore wakes it.
    sluice::InboxRequest request = inbox.wait(kPatience);
    if (!request.valid() || request.one_way()) continue;
    std::vector<uint8_t> answer(request.bytes().begin(), request.bytes().end());
    std::reverse(answer.begin(), answer.end());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // Any thread, at any later time; the bytes are copied.
    request.respond(answer.data(), static_cast<uint32_t>(answer.size()));
    ++served;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: %s DEVICE ADDRESS KEY_FILE [THREADS]\n", argv[0]);
    return 2;
  }
  const sigset_t end = block_end_signals();
  sluice::EngineOptions options = example_options(argv);
  options.nodes[0].accept = true;
  const auto engine = example_engine(options);
  if (engine == nullptr) return 1;
  sluice::InboxOptions room;
  room.capacity = 256;  // More at a time are refused with kResourceExhausted.
  const auto inbox = sluice::Inbox::create(*engine, room);
  if (!inbox.ok()) {
    fprintf(stderr, "%s\n", inbox.status().ToString().c_str());
    return 1;
  }
  engine->endpoint(0)->set_handler((*inbox)->handler());
  if (const absl::Status status = engine->start(); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = argc > 4 ? atoi(argv[4]) : 4; i > 0; --i) {
    threads.emplace_back(work, std::ref(**inbox), std::cref(stop), std::ref(served));
  }
  printf("serving on %s with %zu threads\n", argv[2], threads.size());
  fflush(stdout);
  wait_for_end(end);
  engine->drain(1'000'000'000).IgnoreError();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  printf("%d requests answered\n", served.load());
  return engine->close().ok() ? 0 : 1;
}
