// SPDX-License-Identifier: Apache-2.0
//
// The lcores allocate nothing from the heap once they run: every operator new of this program
// counts those that an lcore makes while the test looks.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "api/endpoint_core.h"
#include "test/unit/api/test_engine.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

std::atomic<bool> g_watch{false};
std::atomic<uint64_t> g_allocations{0};

void* allocate(size_t size, size_t alignment) {
  if (g_watch.load(std::memory_order_relaxed) &&
      sluice::internal::EndpointCore::on_lcore_thread()) {
    ++g_allocations;
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment < 16 ? 16 : alignment, size == 0 ? 1 : size) != 0) abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return allocate(size, 16); }
void* operator new[](size_t size) { return allocate(size, 16); }
void* operator new(size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { free(memory); }

namespace sluice {
namespace {

using testing_support::kServer;

// Uses every way to answer that there is on an lcore.
class Server : public Handler {
 public:
  void on_request(Request& request) override {
    const uint32_t turn = turn_++ % 4;
    if (turn == 0) {
      request.respond(Buffer::borrow(bytes_, sizeof(bytes_), &Server::sent, this));
    } else if (turn == 1) {
      PendingReply reply = request.respond_later();
      reply.respond(reply.bytes().data(), static_cast<uint32_t>(reply.bytes().size()));
    } else if (turn == 2) {
      request.respond(request.endpoint().copy(bytes_, sizeof(bytes_)));
    } else {
      request.reject(StatusCode::kPermissionDenied);
    }
  }

 private:
  static void sent(void*, const uint8_t*) {}
  uint32_t turn_ = 0;
  uint8_t bytes_[3000] = {};
};

TEST(EngineAllocation, the_lcores_allocate_nothing_once_they_run) {
  Server server;
  testing_support::Running run(&server);
  ASSERT_TRUE(run.good());
  auto client = ThreadClient::create(*run.engine, {});
  ASSERT_TRUE(client.ok()) << client.status();
  FaultOptions faults;
  faults.loss_ppm = 20'000;
  ASSERT_TRUE(run.engine->set_faults(kServer, faults).ok());
  std::vector<uint8_t> bytes(50'000, 1);
  const auto calls = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const uint32_t length = (i % 7 == 0) ? 50'000u : 100u;
      (*client)->call_and_wait(run.session, {}, Buffer::borrow(bytes.data(), length));
    }
  };
  g_watch = true;
  calls(200);
  g_watch = false;
  EXPECT_EQ(g_allocations.load(), 0u);
  EXPECT_GT(run.engine->stats(kServer).value("requests.delivered"), 100u);
}

}  // namespace
}  // namespace sluice

#endif
