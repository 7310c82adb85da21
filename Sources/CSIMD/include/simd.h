#ifndef WEFT_CSIMD_H
#define WEFT_CSIMD_H
#include <stdint.h>
#endif
