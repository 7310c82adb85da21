// The C shim over librdkafka: what Swift cannot call by itself (varargs, macros), as fixed-arity functions. No logic.
#ifndef WEFT_CRDKAFKA_H
#define WEFT_CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#endif
