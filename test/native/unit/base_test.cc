#include <fcntl.h>

#include <memory>
#include <string>

#include "base/intrusive_list.h"
#include "base/result.h"
#include "support.h"

namespace openssl_async::testing {

namespace {

struct Element : ListNode<Element> {
  explicit Element(int number) : value(number) {}
  int value;
};

std::vector<int> Values(const IntrusiveList<Element>& list) {
  std::vector<int> values;
  for (Element* element = list.front(); element != nullptr; element = list.Next(element)) {
    values.push_back(element->value);
  }
  return values;
}

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("a list keeps the order in which elements were pushed at either end") {
    Element first(1), second(2), third(3);
    IntrusiveList<Element> list;
    CHECK(list.empty());
    CHECK(list.PopFront() == nullptr);
    list.PushBack(&second);
    list.PushBack(&third);
    list.PushFront(&first);
    CHECK(Values(list) == std::vector<int>{1, 2, 3});
    CHECK(list.size() == 3);
    CHECK(list.PopFront() == &first);
    CHECK_FALSE(first.linked());
    CHECK(list.PopFront() == &second);
    CHECK(list.PopFront() == &third);
    CHECK(list.empty());
    CHECK(list.front() == nullptr);
  }

  TEST_CASE("an element can be removed from the head, the middle and the tail, and pushed again") {
    for (int removed = 0; removed < 3; ++removed) {
      CAPTURE(removed);
      Element elements[] = {Element(0), Element(1), Element(2)};
      IntrusiveList<Element> list;
      for (Element& element : elements) list.PushBack(&element);
      list.Remove(&elements[removed]);
      std::vector<int> expected = {0, 1, 2};
      expected.erase(expected.begin() + removed);
      CHECK(Values(list) == expected);
      CHECK(list.size() == 2);
      list.PushBack(&elements[removed]);
      expected.push_back(removed);
      CHECK(Values(list) == expected);
      while (list.PopFront() != nullptr) {
      }
    }
  }

  TEST_CASE("a popped element may go to another list") {
    Element element(7);
    IntrusiveList<Element> from;
    IntrusiveList<Element> to;
    from.PushBack(&element);
    to.PushFront(from.PopFront());
    CHECK(from.empty());
    CHECK(to.front() == &element);
    to.Remove(&element);
  }

  TEST_CASE("a result is a value or the error") {
    Result<std::unique_ptr<int>> value(std::make_unique<int>(5));
    REQUIRE(value.ok());
    CHECK(*value.value() == 5);
    const std::unique_ptr<int> taken = std::move(value.value());
    CHECK(*taken == 5);

    const Result<std::unique_ptr<int>> error(Error{"ERR_X", "why", {"line"}});
    REQUIRE_FALSE(error.ok());
    CHECK(std::string(error.error().code) == "ERR_X");
    CHECK(error.error().message == "why");
    CHECK(error.error().openssl_errors == std::vector<std::string>{"line"});

    const Result<void> nothing;
    CHECK(nothing.ok());
    const Result<void> refused(Error{"ERR_Y", "", {}});
    REQUIRE_FALSE(refused.ok());
    CHECK(std::string(refused.error().code) == "ERR_Y");
  }

  TEST_CASE("an fd is closed by its owner, once, and follows a move") {
    const auto is_open = [](int fd) { return fcntl(fd, F_GETFD) != -1; };
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    UniqueFd writer(ends[1]);
    {
      UniqueFd reader(ends[0]);
      UniqueFd moved(std::move(reader));
      CHECK_FALSE(reader.valid());  // NOLINT(bugprone-use-after-move): that is the point
      CHECK(moved.get() == ends[0]);
      CHECK(is_open(ends[0]));
      writer = std::move(moved);
      CHECK_FALSE(is_open(ends[1]));
      CHECK(is_open(ends[0]));
    }
    writer.reset();
    CHECK_FALSE(is_open(ends[0]));
    CHECK_FALSE(writer.valid());
    writer.reset();
  }
}

}  // namespace openssl_async::testing
