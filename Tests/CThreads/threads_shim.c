// The thread sanitizer knows pthread but not the C11 threads that librdkafka uses: it then sees no
// thread start and no lock, and dies. Under that sanitizer these definitions stand before those of
// the C library and lead to pthread, whose types glibc uses for the C11 ones. In every other build
// nothing of this is compiled.
#include "threads_shim.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_THREADS_SHIM 1
#endif
#endif

#ifdef WEFT_THREADS_SHIM
#include <errno.h>
#include <pthread.h>
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

int weft_threads_shimmed(void) { return 1; }
#else
int weft_threads_shimmed(void) { return 0; }
#endif
