// What the thread sanitizer cannot see, as it happens in libraries that it was not built into.
// Under it these definitions stand before those of the libraries; in every other build nothing of
// this is compiled.
//
// - It knows pthread but not the C11 threads that librdkafka uses: it then sees no thread start and
//   no lock, and dies. They lead to pthread, whose types glibc uses for the C11 ones.
// - Swift's Mutex is inlined, and seen, until somebody has to wait: that is a call into
//   libswiftSynchronization, and what the lock guards looks unguarded.
// - A block that is handed to a queue is freed by whoever lets it go last, as counted by atomics of
//   libBlocksRuntime.
#define _GNU_SOURCE
#include "threads_shim.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_THREADS_SHIM 1
#endif
#endif

#ifdef WEFT_THREADS_SHIM
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a C11 mutex is not a pthread one");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a C11 condition is not a pthread one");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a C11 thread is not a pthread one");

typedef struct start { thrd_start_t body; void *argument; } start;

static void *run(void *argument) {
  start mine = *(start *)argument;
  free(argument);
  return (void *)(intptr_t)mine.body(mine.argument);
}
static int result(int error) {
  switch (error) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    default: return thrd_error;
  }
}
int thrd_create(thrd_t *thread, thrd_start_t body, void *argument) {
  start *mine = malloc(sizeof *mine);
  if (!mine) return thrd_nomem;
  mine->body = body;
  mine->argument = argument;
  int error = pthread_create((pthread_t *)thread, NULL, run, mine);
  if (error) free(mine);
  return result(error);
}
int thrd_join(thrd_t thread, int *value) {
  void *answer = NULL;
  int error = pthread_join((pthread_t)thread, &answer);
  if (value) *value = (int)(intptr_t)answer;
  return result(error);
}
int thrd_detach(thrd_t thread) { return result(pthread_detach((pthread_t)thread)); }
_Noreturn void thrd_exit(int value) { pthread_exit((void *)(intptr_t)value); }
int mtx_init(mtx_t *mutex, int kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (kind & mtx_recursive) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  int error = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result(error);
}
int mtx_lock(mtx_t *mutex) { return result(pthread_mutex_lock((pthread_mutex_t *)mutex)); }
int mtx_trylock(mtx_t *mutex) { return result(pthread_mutex_trylock((pthread_mutex_t *)mutex)); }
int mtx_timedlock(mtx_t *mutex, const struct timespec *until) {
  return result(pthread_mutex_timedlock((pthread_mutex_t *)mutex, until));
}
int mtx_unlock(mtx_t *mutex) { return result(pthread_mutex_unlock((pthread_mutex_t *)mutex)); }
void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy((pthread_mutex_t *)mutex); }
int cnd_init(cnd_t *condition) {
  return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}
int cnd_signal(cnd_t *condition) {
  return result(pthread_cond_signal((pthread_cond_t *)condition));
}
int cnd_broadcast(cnd_t *condition) {
  return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}
int cnd_wait(cnd_t *condition, mtx_t *mutex) {
  return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}
int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  return result(
      pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}
void cnd_destroy(cnd_t *condition) { pthread_cond_destroy((pthread_cond_t *)condition); }
void call_once(once_flag *flag, void (*body)(void)) {
  pthread_once((pthread_once_t *)flag, body);
}

// Swift's Mutex where it has to wait, by Swift 6.3's symbols. The word is the owner's thread, 0 if
// it is free. As nobody notes here that he waits, letting go never comes to the second one.
__attribute__((swiftcall)) void weft_mutex_lock_slow(
    uint32_t thread, __attribute__((swift_context)) uint32_t *word)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
__attribute__((swiftcall)) void weft_mutex_lock_slow(
    uint32_t thread, __attribute__((swift_context)) uint32_t *word) {
  uint32_t free = 0;
  while (!__atomic_compare_exchange_n(
      word, &free, thread, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    free = 0;
    sched_yield();
  }
}
__attribute__((swiftcall)) void weft_mutex_unlock_slow(
    __attribute__((swift_context)) uint32_t *word)
    __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
__attribute__((swiftcall)) void weft_mutex_unlock_slow(
    __attribute__((swift_context)) uint32_t *word) {
  __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}

// Whatever anyone did with a block comes before its end.
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void _Block_release(const void *block) {
  static void (*release)(const void *);
  void (*found)(const void *) = __atomic_load_n(&release, __ATOMIC_ACQUIRE);
  if (!found) {
    *(void **)&found = dlsym(RTLD_NEXT, "_Block_release");
    __atomic_store_n(&release, found, __ATOMIC_RELEASE);
  }
  __tsan_release((void *)(uintptr_t)block);
  __tsan_acquire((void *)(uintptr_t)block);
  found(block);
}

int weft_threads_shimmed(void) { return 1; }
#else
int weft_threads_shimmed(void) { return 0; }
#endif
