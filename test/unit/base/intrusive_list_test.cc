// SPDX-License-Identifier: Apache-2.0
#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "base/prng.h"

namespace sluice::base {
namespace {

struct Item {
  int id = 0;
  ListNode node;
  ListNode other_node;
};
using List = IntrusiveList<Item, &Item::node>;
using OtherList = IntrusiveList<Item, &Item::other_node>;

std::vector<int> ids(List& list) {
  std::vector<int> result;
  for (const Item& item : list) result.push_back(item.id);
  return result;
}

TEST(IntrusiveList, keeps_the_order_of_both_ends) {
  Item a{1, {}, {}}, b{2, {}, {}}, c{3, {}, {}}, d{4, {}, {}};
  List list;
  list.push_back(b);
  list.push_back(d);
  list.push_front(a);
  list.insert_before(d, c);
  EXPECT_EQ(ids(list), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.back(), &d);
  EXPECT_EQ(list.count(), 4u);
  EXPECT_EQ(list.pop_front(), &a);
  EXPECT_FALSE(List::contains(a));
  EXPECT_TRUE(List::contains(b));
}

TEST(IntrusiveList, rotates) {
  Item a{1, {}, {}}, b{2, {}, {}}, c{3, {}, {}};
  List list;
  list.rotate();
  list.push_back(a);
  list.rotate();
  EXPECT_EQ(ids(list), (std::vector<int>{1}));
  list.push_back(b);
  list.push_back(c);
  list.rotate();
  EXPECT_EQ(ids(list), (std::vector<int>{2, 3, 1}));
  EXPECT_EQ(list.count(), 3u);
}

TEST(IntrusiveList, is_null_at_both_ends_when_empty) {
  List list;
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, allows_erasing_the_current_element_in_a_loop) {
  std::vector<Item> items(10);
  List list;
  for (int i = 0; i < 10; ++i) {
    items[static_cast<size_t>(i)].id = i;
    list.push_back(items[static_cast<size_t>(i)]);
  }
  for (Item& item : list) {
    if (item.id % 2 == 0) list.erase(item);
  }
  EXPECT_EQ(ids(list), (std::vector<int>{1, 3, 5, 7, 9}));
}

TEST(IntrusiveList, members_are_independent) {
  Item a;
  List list;
  OtherList other;
  list.push_back(a);
  other.push_back(a);
  list.erase(a);
  EXPECT_EQ(other.front(), &a);
  EXPECT_FALSE(a.node.linked());
  EXPECT_TRUE(a.other_node.linked());
}

TEST(IntrusiveList, links_stay_with_the_address) {
  Item a{1, {}, {}};
  List list;
  list.push_back(a);
  const Item copy = a;
  EXPECT_FALSE(copy.node.linked());
  a = Item();
  EXPECT_TRUE(a.node.linked());
  EXPECT_EQ(ids(list), std::vector<int>{0});
}

TEST(IntrusiveList, matches_a_model_under_random_use) {
  Prng prng(2);
  std::vector<Item> items(40);
  for (size_t i = 0; i < items.size(); ++i) items[i].id = static_cast<int>(i);
  List list;
  std::deque<int> model;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = items[prng.uniform(items.size())];
    const auto position = std::find(model.begin(), model.end(), item.id);
    ASSERT_EQ(List::contains(item), position != model.end());
    if (position != model.end()) {
      model.erase(position);
      list.erase(item);
    } else if (prng.chance_ppm(500'000)) {
      model.push_back(item.id);
      list.push_back(item);
    } else {
      model.push_front(item.id);
      list.push_front(item);
    }
    ASSERT_EQ(list.count(), model.size());
    ASSERT_EQ(list.single(), model.size() == 1);
    ASSERT_EQ(list.empty(), model.empty());
    if (step % 64 == 0) {
      ASSERT_EQ(ids(list), std::vector<int>(model.begin(), model.end()));
    }
  }
}

}  // namespace
}  // namespace sluice::base
