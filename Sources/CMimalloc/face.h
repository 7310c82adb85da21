// mimalloc's settings, which have other names from version 2.1 on.
#include <mimalloc.h>

/// How long memory is kept before it goes back to the system, unless the environment says it.
static inline void weft_keep_memory_for(long milliseconds) {
#if MI_MALLOC_VERSION >= 210
  mi_option_set_default(mi_option_purge_delay, milliseconds);
#else
  mi_option_set_default(mi_option_decommit_delay, milliseconds);
  mi_option_set_default(mi_option_segment_decommit_delay, 2 * milliseconds);
#endif
}
