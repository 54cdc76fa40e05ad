// Preloaded into a Node process: lets one call that the addon makes fail, as it does when the system has run out.
// OPENSSL_ASYNC_FAULT=KIND:N names it: the Nth call of that kind whose caller is the addon, or OpenSSL on its behalf; N
// is 0 for all of them. Whatever Node itself asks for succeeds.
//
// On stderr it says "fault: hit" when it comes to that.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

enum Kind {
  kNone,
  kSmall,
  kLarge,
  kBytes,
  kString,
  kMalloc,
  kOpenSSL,
  kMmap,
  kThread,
  kEventfd,
  kEpollCreate,
  kEpollCtl,
  kPipe,
  kOpen
};
static const char* const kNames[] = {"none",    "small", "large",          "bytes",   "string",       "malloc",
                                     "openssl", "mmap",  "pthread_create", "eventfd", "epoll_create", "epoll_ctl",
                                     "pipe",    "open"};

struct Range {
  uintptr_t begin;
  uintptr_t end;
};

static enum Kind wanted = kNone;
static long wanted_number = 0;
static atomic_long seen = 0;
static _Atomic(uintptr_t) addon_begin = 0;
static _Atomic(uintptr_t) addon_end = 0;
static struct Range cxx_library = {0, 0};
static struct Range program = {0, 0};
static struct Range libraries[64];
static int library_count = 0;
// OpenSSL's allocators, by which its calls are known.
static struct Range allocators[3];
static __thread int busy = 0;

static void* Next(const char* name) { return dlsym(RTLD_NEXT, name); }

static int FindModule(struct dl_phdr_info* info, size_t size, void* argument) {
  (void)size;
  (void)argument;
  const char* name = info->dlpi_name == NULL ? "" : info->dlpi_name;
  struct Range range = {UINTPTR_MAX, 0};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    const uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    const uintptr_t end = begin + info->dlpi_phdr[i].p_memsz;
    if (begin < range.begin) range.begin = begin;
    if (end > range.end) range.end = end;
  }
  if (strstr(name, "openssl_async.node") != NULL) {
    addon_end = range.end;
    addon_begin = range.begin;
  } else if (name[0] == '\0' && program.end == 0) {
    program = range;
  } else if (library_count < (int)(sizeof(libraries) / sizeof(libraries[0]))) {
    libraries[library_count++] = range;
  }
  if (strstr(name, "libstdc++.so") != NULL) cxx_library = range;
  return 0;
}

static int Contains(struct Range range, const void* address) {
  return (uintptr_t)address >= range.begin && (uintptr_t)address < range.end;
}

static int IsAddon(const void* address) {
  const struct Range range = {addon_begin, addon_end};
  return range.begin != 0 && Contains(range, address);
}

// Counts a call of the wanted kind; true when it is the one that fails.
static int Fails(enum Kind kind) {
  if (kind != wanted) return 0;
  if (wanted_number == 0) return 1;
  if (atomic_fetch_add(&seen, 1) + 1 != wanted_number) return 0;
  static const char text[] = "fault: hit\n";
  const ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
  (void)written;
  return 1;
}

static _Unwind_Reason_Code Visit(struct _Unwind_Context* context, void* argument) {
  int* result = argument;
  const void* address = (const void*)_Unwind_GetIP(context);
  if (IsAddon(address)) {
    *result = 1;
    return _URC_END_OF_STACK;
  }
  if (Contains(program, address)) return wanted == kOpenSSL ? _URC_NO_REASON : _URC_END_OF_STACK;
  for (int i = 0; i < library_count; ++i) {
    if (Contains(libraries[i], address)) return _URC_NO_REASON;
  }
  return _URC_END_OF_STACK;  // JavaScript's code belongs to no file: from there on others asked
}

// Whether the addon is among those who called, with nobody in between who may do as he likes.
static int IsOnStack(void) {
  if (addon_begin == 0 || busy) return 0;
  int result = 0;
  busy = 1;
  _Unwind_Backtrace(&Visit, &result);
  busy = 0;
  return result;
}

static int IsForAddon(const void* caller) {
  if (wanted != kOpenSSL) return 0;
  int is_openssl = 0;
  for (size_t i = 0; i < sizeof(allocators) / sizeof(allocators[0]); ++i) {
    is_openssl = is_openssl || Contains(allocators[i], caller);
  }
  return is_openssl && IsOnStack();
}

__attribute__((constructor)) static void Start(void) {
  const char* fault = getenv("OPENSSL_ASYNC_FAULT");
  const char* colon = fault == NULL ? NULL : strchr(fault, ':');
  if (colon == NULL) return;
  const char* const functions[] = {"CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_realloc"};
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
    const Dl_info none = {0};
    Dl_info info = none;
    ElfW(Sym)* symbol = NULL;
    void* function = dlsym(RTLD_DEFAULT, functions[i]);
    if (function == NULL || dladdr1(function, &info, (void**)&symbol, RTLD_DL_SYMENT) == 0) continue;
    allocators[i].begin = (uintptr_t)function;
    allocators[i].end = (uintptr_t)function + (symbol == NULL ? 0 : symbol->st_size);
  }
  dl_iterate_phdr(&FindModule, NULL);
  wanted_number = strtol(colon + 1, NULL, 10);
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i) {
    const size_t length = strlen(kNames[i]);
    if ((size_t)(colon - fault) == length && strncmp(fault, kNames[i], length) == 0) wanted = (enum Kind)i;
  }
}

void* dlopen(const char* path, int flags) {
  void* (*const real)(const char*, int) = Next("dlopen");
  void* handle = real(path, flags);
  if (path != NULL && strstr(path, "openssl_async.node") != NULL && addon_begin == 0) {
    library_count = 0;
    dl_iterate_phdr(&FindModule, NULL);
  }
  return handle;
}

// --- Memory

// Where the addon's own `new` ends; see src-native/base/memory.cc, which has the limit between small and large.
void* NewNoThrow(size_t size, const void* tag) __asm__("_ZnwmRKSt9nothrow_t");
void* NewNoThrow(size_t size, const void* tag) {
  static void* (*real)(size_t, const void*) = NULL;
  if (real == NULL) real = Next("_ZnwmRKSt9nothrow_t");
  const enum Kind kind = size >= 64 * 1024 ? kLarge : kSmall;
  if (wanted == kind && IsAddon(__builtin_return_address(0)) && Fails(kind)) return NULL;
  busy = 1;  // it calls New(), which is not a string's then
  void* const memory = real(size, tag);
  busy = 0;
  return memory;
}

// Inputs and outputs.
void* NewArrayNoThrow(size_t size, const void* tag) __asm__("_ZnamRKSt9nothrow_t");
void* NewArrayNoThrow(size_t size, const void* tag) {
  static void* (*real)(size_t, const void*) = NULL;
  if (real == NULL) real = Next("_ZnamRKSt9nothrow_t");
  if (wanted == kBytes && IsAddon(__builtin_return_address(0)) && Fails(kBytes)) return NULL;
  busy = 1;
  void* const memory = real(size, tag);
  busy = 0;
  return memory;
}

// Strings, whose code is in the C++ library.
void* New(size_t size) __asm__("_Znwm");
void* New(size_t size) {
  static void* (*real)(size_t) = NULL;
  if (real == NULL) real = Next("_Znwm");
  if (wanted == kString && Contains(cxx_library, __builtin_return_address(0)) && IsOnStack() && Fails(kString)) {
    void (*const throw_bad_alloc)(void) = Next("_ZSt17__throw_bad_allocv");
    throw_bad_alloc();
  }
  return real(size);
}

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);

static int MemoryFails(const void* caller) {
  if (wanted == kMalloc) return IsAddon(caller) && Fails(kMalloc);
  return IsForAddon(caller) && Fails(kOpenSSL);
}

void* malloc(size_t size) {
  if (MemoryFails(__builtin_return_address(0))) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  if (MemoryFails(__builtin_return_address(0))) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_calloc(count, size);
}

void* realloc(void* block, size_t size) {
  if (MemoryFails(__builtin_return_address(0))) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(block, size);
}

int posix_memalign(void** block, size_t alignment, size_t size) {
  if (MemoryFails(__builtin_return_address(0))) return ENOMEM;
  *block = __libc_memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}

// --- What the kernel gives

#define FAIL_IF(kind, error, result)                         \
  if (IsAddon(__builtin_return_address(0)) && Fails(kind)) { \
    errno = (error);                                         \
    return (result);                                         \
  }

void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  static void* (*real)(void*, size_t, int, int, int, off_t) = NULL;
  if (real == NULL) real = Next("mmap");
  FAIL_IF(kMmap, ENOMEM, MAP_FAILED)
  return real(address, length, protection, flags, fd, offset);
}

void* mmap64(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  static void* (*real)(void*, size_t, int, int, int, off_t) = NULL;
  if (real == NULL) real = Next("mmap64");
  FAIL_IF(kMmap, ENOMEM, MAP_FAILED)
  return real(address, length, protection, flags, fd, offset);
}

// std::thread's call comes from the C++ library, which Node does not start threads with.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) {
  static int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) = NULL;
  if (real == NULL) real = Next("pthread_create");
  const void* caller = __builtin_return_address(0);
  if ((IsAddon(caller) || Contains(cxx_library, caller)) && Fails(kThread)) return EAGAIN;
  return real(thread, attributes, body, argument);
}

int eventfd(unsigned int count, int flags) {
  static int (*real)(unsigned int, int) = NULL;
  if (real == NULL) real = Next("eventfd");
  FAIL_IF(kEventfd, EMFILE, -1)
  return real(count, flags);
}

int epoll_create1(int flags) {
  static int (*real)(int) = NULL;
  if (real == NULL) real = Next("epoll_create1");
  FAIL_IF(kEpollCreate, EMFILE, -1)
  return real(flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event* event) {
  static int (*real)(int, int, int, struct epoll_event*) = NULL;
  if (real == NULL) real = Next("epoll_ctl");
  if (operation != EPOLL_CTL_DEL) {
    FAIL_IF(kEpollCtl, ENOMEM, -1)
  }
  return real(epoll, operation, fd, event);
}

int pipe(int ends[2]) {
  static int (*real)(int*) = NULL;
  if (real == NULL) real = Next("pipe");
  FAIL_IF(kPipe, EMFILE, -1)
  return real(ends);
}

int pipe2(int ends[2], int flags) {
  static int (*real)(int*, int) = NULL;
  if (real == NULL) real = Next("pipe2");
  FAIL_IF(kPipe, EMFILE, -1)
  return real(ends, flags);
}

int open(const char* path, int flags, ...) {
  static int (*real)(const char*, int, ...) = NULL;
  if (real == NULL) real = Next("open");
  va_list rest;
  va_start(rest, flags);
  const int mode = va_arg(rest, int);
  va_end(rest);
  FAIL_IF(kOpen, EMFILE, -1)
  return real(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  static int (*real)(const char*, int, ...) = NULL;
  if (real == NULL) real = Next("open64");
  va_list rest;
  va_start(rest, flags);
  const int mode = va_arg(rest, int);
  va_end(rest);
  FAIL_IF(kOpen, EMFILE, -1)
  return real(path, flags, mode);
}
