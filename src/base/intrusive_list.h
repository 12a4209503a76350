// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_INTRUSIVE_LIST_H_
#define SLUICE_BASE_INTRUSIVE_LIST_H_

#include <cstddef>

#include "base/check.h"
#include "base/container_of.h"

namespace sluice::base {

// The links of one list membership. They belong to the object's address, not to its value: a copy
// starts unlinked, and assigning to a linked object (to reset it, say) leaves its links alone.
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) {}
  ListNode& operator=(const ListNode&) { return *this; }

  bool linked() const { return next_ != nullptr; }

 private:
  template <class T, ListNode T::*member>
  friend class IntrusiveList;

  ListNode* next_ = nullptr;
  ListNode* prev_ = nullptr;
};

// A doubly linked list through a ListNode member of T. It keeps no count, so that one costs two
// pointers. It owns nothing: an object must be erased before it dies, and the list must be empty,
// or its objects dead, when the list dies.
template <class T, ListNode T::*member>
class IntrusiveList {
 public:
  // Remembers the element after the current one, so that the current one may be erased in a loop.
  class Iterator {
   public:
    T& operator*() const { return *owner(node_); }
    T* operator->() const { return owner(node_); }
    Iterator& operator++() {
      node_ = next_;
      next_ = node_->next_;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.node_ == b.node_; }

   private:
    friend class IntrusiveList;
    explicit Iterator(ListNode* node) : node_(node), next_(node->next_) {}

    ListNode* node_;
    ListNode* next_;
  };

  IntrusiveList() { head_.next_ = head_.prev_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next_ == &head_; }
  // Exactly one element.
  bool single() const { return !empty() && head_.next_ == head_.prev_; }
  // Walks over all of them.
  size_t count() const {
    size_t found = 0;
    for (const ListNode* node = head_.next_; node != &head_; node = node->next_) ++found;
    return found;
  }

  // Whether the element is in a list; it can only be in one list of this member at a time.
  static bool contains(const T& element) { return (element.*member).linked(); }

  // The ends, or nullptr when the list is empty.
  T* front() { return empty() ? nullptr : owner(head_.next_); }
  T* back() { return empty() ? nullptr : owner(head_.prev_); }

  void push_front(T& element) { link(&(element.*member), head_.next_); }
  void push_back(T& element) { link(&(element.*member), &head_); }
  // Puts the element in front of `position`, which is in this list.
  void insert_before(T& position, T& element) {
    SLUICE_DCHECK(contains(position));
    link(&(element.*member), &(position.*member));
  }

  // Takes the first element off; nullptr when the list is empty.
  T* pop_front() {
    T* const element = front();
    if (element != nullptr) erase(*element);
    return element;
  }

  // Puts the first element, where there are several, behind the last.
  void rotate() {
    if (T* const element = pop_front()) push_back(*element);
  }

  // Takes off an element of this list.
  void erase(T& element) {
    ListNode* const node = &(element.*member);
    SLUICE_DCHECK(node->linked());
    node->prev_->next_ = node->next_;
    node->next_->prev_ = node->prev_;
    node->next_ = node->prev_ = nullptr;
  }

  Iterator begin() { return Iterator(head_.next_); }
  Iterator end() { return Iterator(&head_); }

 private:
  static T* owner(ListNode* node) { return container_of(node, member); }

  void link(ListNode* node, ListNode* successor) {
    SLUICE_DCHECK(!node->linked());
    node->next_ = successor;
    node->prev_ = successor->prev_;
    successor->prev_->next_ = node;
    successor->prev_ = node;
  }

  ListNode head_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_INTRUSIVE_LIST_H_
