// What the tools that measure and prove share: clients with the settings that the measurements are
// about, a clock, the process's own processor time, and percentiles. Header only: each tool is one
// C file.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/// Every topic of the bench has so many partitions; a tool may read fewer.
#define PARTITIONS_MAX 16

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

static inline double seconds_of(struct timespec at) { return at.tv_sec + at.tv_nsec * 1e-9; }

static inline double clock_now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return seconds_of(at);
}

/// User and system time of this process with all its threads.
static inline double cpu_now(void) {
  struct timespec at;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return seconds_of(at);
}

/// Largest resident size so far, in MB of 10^6 bytes.
static inline double peak_rss_mb(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024.0 / 1e6;
}

static inline long number_argument(const char *text, const char *name) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno || end == text || *end || value < 0) FAIL("%s: `%s` is not a number", name, text);
  return value;
}

// Properties as a NULL-terminated list: name, value, name, value, NULL.
static inline rd_kafka_conf_t *settings(const char *bootstrap, const char *const *pairs) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  char why[256];
  if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof why)) FAIL("%s", why);
  for (; *pairs; pairs += 2)
    if (rd_kafka_conf_set(conf, pairs[0], pairs[1], why, sizeof why)) FAIL("%s", why);
  return conf;
}

static inline rd_kafka_t *client(rd_kafka_type_t kind, rd_kafka_conf_t *conf) {
  char why[256];
  rd_kafka_t *made = rd_kafka_new(kind, conf, why, sizeof why);
  if (!made) FAIL("%s", why);
  return made;
}

static inline void must(rd_kafka_error_t *error, const char *what) {
  if (error) FAIL("%s: %s", what, rd_kafka_error_string(error));
}

/// A topic handle whose metadata is there, so that the first produce does not wait for it.
static inline rd_kafka_topic_t *warm_topic(rd_kafka_t *of, const char *name, int *partitions) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(of, name, NULL);
  const struct rd_kafka_metadata *found;
  rd_kafka_resp_err_t error = rd_kafka_metadata(of, 0, topic, &found, 15000);
  if (error) FAIL("%s: %s", name, rd_kafka_err2str(error));
  if (found->topic_cnt != 1 || found->topics[0].err || found->topics[0].partition_cnt < 1)
    FAIL("%s: no such topic", name);
  if (found->topics[0].partition_cnt > PARTITIONS_MAX) FAIL("%s: too many partitions", name);
  if (partitions) *partitions = found->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(found);
  return topic;
}

/// A transactional producer as the jobs use it: large batches, quick retries, errors reported only.
static inline rd_kafka_t *transactional_producer(
    const char *bootstrap, const char *id, const char *codec, const char *linger_ms) {
  const char *pairs[] = {
      "transactional.id", id, "compression.codec", codec, "linger.ms", linger_ms,
      "batch.num.messages", "10000", "retry.backoff.ms", "5", "socket.nagle.disable", "true",
      "queue.buffering.max.messages", "1000000", "delivery.report.only.error", "true", NULL};
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, settings(bootstrap, pairs));
  must(rd_kafka_init_transactions(producer, 30000), "init_transactions");
  return producer;
}

/// A consumer with all partitions of one topic assigned by hand, from `offset` on.
static inline rd_kafka_t *assigned_consumer(
    const char *bootstrap, const char *group, const char *topic, int partitions, int64_t offset) {
  const char *pairs[] = {
      "group.id", group, "enable.auto.commit", "false", "enable.auto.offset.store", "false",
      "isolation.level", "read_committed", "socket.nagle.disable", "true",
      "fetch.message.max.bytes", "4194304", NULL};
  rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, settings(bootstrap, pairs));
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; p++)
    rd_kafka_topic_partition_list_add(all, topic, p)->offset = offset;
  rd_kafka_resp_err_t error = rd_kafka_assign(consumer, all);
  if (error) FAIL("assign: %s", rd_kafka_err2str(error));
  rd_kafka_topic_partition_list_destroy(all);
  return consumer;
}

/// Back-pressure is the queue's: a full one is polled until it takes the record.
static inline void publish(
    rd_kafka_t *producer, rd_kafka_topic_t *topic, int partition, const void *key, size_t key_size,
    const void *value, size_t value_size) {
  while (rd_kafka_produce(
      topic, partition, RD_KAFKA_MSG_F_COPY, (void *)value, value_size, key, key_size, NULL)) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      FAIL("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(producer, 10);
  }
}

/// Sends the positions `next` (0: nothing read) of `topic` and commits; returns how long it took.
static inline double commit_with_offsets(
    rd_kafka_t *producer, rd_kafka_t *consumer, const char *topic, const int64_t *next,
    int partitions) {
  double began = clock_now();
  rd_kafka_topic_partition_list_t *positions = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; p++)
    if (next[p]) rd_kafka_topic_partition_list_add(positions, topic, p)->offset = next[p];
  rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
  must(rd_kafka_send_offsets_to_transaction(producer, positions, group, 30000), "send_offsets");
  must(rd_kafka_commit_transaction(producer, -1), "commit");
  rd_kafka_consumer_group_metadata_destroy(group);
  rd_kafka_topic_partition_list_destroy(positions);
  return clock_now() - began;
}

/// Samples that grow as needed, in milliseconds.
struct samples {
  double *values;
  size_t count, room;
};

static inline void add_sample(struct samples *to, double value) {
  if (to->count == to->room) {
    to->room = to->room ? to->room * 2 : 4096;
    to->values = realloc(to->values, to->room * sizeof(double));
    if (!to->values) FAIL("out of memory");
  }
  to->values[to->count++] = value;
}

static inline int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/// Sorts; 0 when there are none.
static inline double percentile(struct samples *of, double share) {
  if (!of->count) return 0;
  qsort(of->values, of->count, sizeof(double), ascending);
  size_t at = (size_t)(share * (double)of->count);
  return of->values[at < of->count ? at : of->count - 1];
}

/// A small generator whose sequence is its seed's alone (SplitMix64, Steele et al., 2014).
static inline uint64_t random_next(uint64_t *state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static inline unsigned random_below(uint64_t *state, unsigned bound) {
  return (unsigned)(random_next(state) % bound);
}
