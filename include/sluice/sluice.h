// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SLUICE_H_
#define SLUICE_SLUICE_H_

// Everything that the library offers.

#include "sluice/connect.h"
#include "sluice/endpoint.h"
#include "sluice/engine.h"
#include "sluice/inbox.h"
#include "sluice/thread_client.h"
#include "sluice/version.h"

#endif  // SLUICE_SLUICE_H_
