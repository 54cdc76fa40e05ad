// A doubly linked list whose links live in its elements: no allocation, and removal from the middle in O(1).
#pragma once

#include <cassert>
#include <cstddef>

namespace openssl_async {

template <typename T>
class IntrusiveList;

// An element derives from ListNode<itself> and is on at most one list at a time.
template <typename T>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { assert(list_ == nullptr); }

  bool linked() const { return list_ != nullptr; }

 private:
  friend class IntrusiveList<T>;
  IntrusiveList<T>* list_ = nullptr;
  T* previous_ = nullptr;
  T* next_ = nullptr;
};

template <typename T>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_ == nullptr; }
  size_t size() const { return size_; }
  T* front() const { return head_; }
  T* Next(T* element) const { return Node(element).next_; }

  void PushBack(T* element) {
    ListNode<T>& node = Node(element);
    assert(node.list_ == nullptr);
    node.list_ = this;
    node.previous_ = tail_;
    node.next_ = nullptr;
    (tail_ == nullptr ? head_ : Node(tail_).next_) = element;
    tail_ = element;
    ++size_;
  }

  void PushFront(T* element) {
    ListNode<T>& node = Node(element);
    assert(node.list_ == nullptr);
    node.list_ = this;
    node.previous_ = nullptr;
    node.next_ = head_;
    (head_ == nullptr ? tail_ : Node(head_).previous_) = element;
    head_ = element;
    ++size_;
  }

  T* PopFront() {
    T* element = head_;
    if (element != nullptr) Remove(element);
    return element;
  }

  void Remove(T* element) {
    ListNode<T>& node = Node(element);
    assert(node.list_ == this);
    (node.previous_ == nullptr ? head_ : Node(node.previous_).next_) = node.next_;
    (node.next_ == nullptr ? tail_ : Node(node.next_).previous_) = node.previous_;
    node.list_ = nullptr;
    node.previous_ = node.next_ = nullptr;
    --size_;
  }

 private:
  static ListNode<T>& Node(T* element) { return *element; }

  T* head_ = nullptr;
  T* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace openssl_async
