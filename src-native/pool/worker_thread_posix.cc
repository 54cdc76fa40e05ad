#include <pthread.h>
#include <csignal>

#include <exception>
#include <utility>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "pool/worker_thread.h"

namespace openssl_async {

std::thread StartWorkerThread(std::function<void()> body) {
  // A thread inherits its creator's blocked signals.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread(std::move(body));
  } catch (const std::exception&) {
    // Out of threads or memory: the caller does without.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void NameWorkerThread(const char* name) {
#ifdef __APPLE__
  pthread_setname_np(name);
#else
  pthread_setname_np(pthread_self(), name);
#endif
}

void LowerWorkerPriority() {
#if defined(__linux__)
  constexpr int kNice = 10;
  // Linux has priorities by thread, though POSIX speaks of processes.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
#elif defined(__APPLE__)
  pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

void OnFork(const ForkHandlers& handlers) { pthread_atfork(handlers.before, handlers.in_parent, handlers.in_child); }

bool OtherThreadsHaveEnded() { return false; }

}  // namespace openssl_async
