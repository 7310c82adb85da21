// mimalloc's settings.
#include <mimalloc.h>
