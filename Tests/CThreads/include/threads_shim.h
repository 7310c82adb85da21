// C11 threads over pthread, for runs under the thread sanitizer; see threads_shim.c.
#ifndef WEFT_THREADS_SHIM_H
#define WEFT_THREADS_SHIM_H
/// Whether the shim is compiled in. Referring to it also keeps the linker from leaving it out.
int weft_threads_shimmed(void);
#endif
