// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_CONTAINER_OF_H_
#define SLUICE_BASE_CONTAINER_OF_H_

#include <bit>
#include <cstddef>

namespace sluice::base {

// The object whose data member `field` is `*member`, as in container_of(node, &Rpc::timer).
// It costs one subtraction: in the Itanium ABI, the only one supported, a pointer to a data member
// is the member's offset.
template <class T, class Member>
inline T* container_of(Member* member, Member T::*field) {
  static_assert(sizeof(field) == sizeof(ptrdiff_t));
  return reinterpret_cast<T*>(reinterpret_cast<char*>(member) - std::bit_cast<ptrdiff_t>(field));
}

template <class T, class Member>
inline const T* container_of(const Member* member, Member T::*field) {
  return container_of(const_cast<Member*>(member), field);
}

}  // namespace sluice::base

#endif  // SLUICE_BASE_CONTAINER_OF_H_
