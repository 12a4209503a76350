// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_EXPORT_H_
#define SLUICE_EXPORT_H_

// Marks what libsluice.so exports; everything else in it is hidden.
#define SLUICE_EXPORT __attribute__((visibility("default")))

#endif  // SLUICE_EXPORT_H_
