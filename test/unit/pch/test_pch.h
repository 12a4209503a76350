// SPDX-License-Identifier: Apache-2.0
//
// What nearly every unit test includes, compiled once for each test program: parsing it is most of
// the time of compiling a test. Tests name what they use all the same.
#ifndef SLUICE_TEST_UNIT_PCH_TEST_PCH_H_
#define SLUICE_TEST_UNIT_PCH_TEST_PCH_H_

#include <gtest/gtest.h>

#include "base/precompiled.h"

#endif  // SLUICE_TEST_UNIT_PCH_TEST_PCH_H_
