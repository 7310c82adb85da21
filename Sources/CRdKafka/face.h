// The C shim over librdkafka: what Swift cannot call by itself (varargs) or must not run by itself
// (a callback on librdkafka's own threads), as fixed-arity functions. No logic. Each function says
// who owns what.
#ifndef WEFT_CRDKAFKA_H
#define WEFT_CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdint.h>

// Produces one record to a partition of a topic handle, with a timestamp, with headers or without.
// - value and key are copied; NULL is "none" (a tombstone, no key), a pointer with length 0 is
//   "empty".
// - timestamp: milliseconds since 1970, or 0 for librdkafka's own clock.
// - headers: NULL, or a list that librdkafka owns from here on if the call succeeds. On failure it
//   stays the caller's.
// - tag: given back in the delivery report and to the acknowledgement interceptor.
static inline rd_kafka_resp_err_t weft_produce(
    rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, const void *value,
    size_t value_length, const void *key, size_t key_length, int64_t timestamp,
    rd_kafka_headers_t *headers, void *tag) {
  if (headers)
    return rd_kafka_producev(
        client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)value, value_length),
        RD_KAFKA_V_KEY(key, key_length), RD_KAFKA_V_TIMESTAMP(timestamp),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);
  return rd_kafka_producev(
      client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)value, value_length),
      RD_KAFKA_V_KEY(key, key_length), RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE(tag),
      RD_KAFKA_V_END);
}

// For rd_kafka_queue_cb_event_enable: runs on librdkafka's threads when a queue stops being empty,
// and ends the wait on the queue that is its opaque, which must outlive the setting.
static inline void weft_end_wait(rd_kafka_t *client, void *queue) {
  (void)client;
  rd_kafka_queue_yield((rd_kafka_queue_t *)queue);
}
static inline void weft_wake_for(rd_kafka_queue_t *filled, rd_kafka_queue_t *waiting) {
  rd_kafka_queue_cb_event_enable(filled, weft_end_wait, waiting);
}
static inline void weft_wake_no_more(rd_kafka_queue_t *filled) {
  rd_kafka_queue_cb_event_enable(filled, NULL, NULL);
}

// Where acknowledged offsets are kept: a fixed array that librdkafka's threads write and the
// client's owner reads. The owner allocates it, keeps it until the client is destroyed, and frees
// it afterwards. A record whose tag is n (1 to capacity) stores its offset in offsets[n - 1]; tag 0
// stores nothing.
typedef struct weft_acknowledgements {
  // weft_offset_pending, weft_offset_failed, or the offset (negative if librdkafka knows none)
  int64_t *offsets;
  int64_t capacity;
  int32_t any;  // 1 once any record at all was acknowledged or has failed
} weft_acknowledgements;

enum { weft_offset_pending = -9000, weft_offset_failed = -9001 };

static inline int64_t weft_acknowledged_offset(const weft_acknowledgements *all, int64_t index) {
  return __atomic_load_n(&all->offsets[index], __ATOMIC_ACQUIRE);
}
static inline void weft_acknowledgement_clear(weft_acknowledgements *all, int64_t index) {
  __atomic_store_n(&all->offsets[index], weft_offset_pending, __ATOMIC_RELEASE);
}
static inline int32_t weft_acknowledged_any(const weft_acknowledgements *all) {
  return __atomic_load_n(&all->any, __ATOMIC_ACQUIRE);
}
static inline void weft_acknowledged_none(weft_acknowledgements *all) {
  __atomic_store_n(&all->any, 0, __ATOMIC_RELEASE);
}

// Runs on librdkafka's threads, for every record: it may only store. The record stays librdkafka's.
static inline rd_kafka_resp_err_t weft_on_acknowledgement(
    rd_kafka_t *client, rd_kafka_message_t *record, void *opaque) {
  (void)client;
  weft_acknowledgements *all = (weft_acknowledgements *)opaque;
  if (!__atomic_load_n(&all->any, __ATOMIC_RELAXED))
    __atomic_store_n(&all->any, 1, __ATOMIC_RELEASE);
  int64_t tag = (int64_t)(intptr_t)record->_private;
  if (tag > 0 && tag <= all->capacity)
    __atomic_store_n(
        &all->offsets[tag - 1], record->err ? weft_offset_failed : record->offset,
        __ATOMIC_RELEASE);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}
static inline rd_kafka_resp_err_t weft_on_new(
    rd_kafka_t *client, const rd_kafka_conf_t *configuration, void *opaque, char *error,
    size_t error_length) {
  (void)configuration, (void)error, (void)error_length;
  return rd_kafka_interceptor_add_on_acknowledgement(
      client, "weft", weft_on_acknowledgement, opaque);
}
// Has the client made from this configuration store its acknowledgements in `all`, which must
// outlive that client.
static inline rd_kafka_resp_err_t weft_store_acknowledgements(
    rd_kafka_conf_t *configuration, weft_acknowledgements *all) {
  return rd_kafka_conf_interceptor_add_on_new(configuration, "weft", weft_on_new, all);
}

#endif
