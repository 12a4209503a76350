// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_control.h"

#include "base/check.h"
#include "sim/tcp_dctcp.h"
#include "sim/tcp_reno.h"

namespace sluice::sim {

std::unique_ptr<TcpControl> make_tcp_control(TcpKind kind) {
  SLUICE_CHECK(kind != TcpKind::kNone);
  if (kind == TcpKind::kDctcp) return std::make_unique<TcpDctcp>();
  return std::make_unique<TcpReno>();
}

}  // namespace sluice::sim
