// What a consumer group has not taken yet: `pending [options] GROUP TOPIC...`
//
// Counts the records a read_committed reader still finds behind the group's committed offsets, over
// all partitions of the topics; a topic that ends in `*` means every topic that begins so. Control
// records (a transaction's markers) are no records, so a group that is through has 0 pending,
// whatever its offsets say. A partition where a transaction is still open counts as one more: a
// broker may show committed offsets before the markers of the same commit, and what lies behind them
// is yet to be taken. Joins no group and creates no topic.
//
// With --wait N it asks again until nothing is pending, N seconds at the longest, and prints each
// new count; without, it prints the count once.
// Exit code 0: nothing pending; 1: something; 2: usage; 4: the broker does not answer.
#define _POSIX_C_SOURCE 200809L
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { timeout_ms = 10000, list_max = 4096, pause_ms = 100 };

static void usage(void) {
  fputs("usage: pending [--bootstrap HOST:PORT] [--wait SECONDS] GROUP TOPIC...\n", stderr);
  exit(2);
}

static void check(rd_kafka_resp_err_t error, const char *doing) {
  if (!error) return;
  fprintf(stderr, "pending: %s: %s\n", doing, rd_kafka_err2str(error));
  exit(4);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static rd_kafka_t *reader(const char *bootstrap, const char *group, const char *isolation) {
  const char *const properties[][2] = {
      {"bootstrap.servers", bootstrap},        {"group.id", group},
      {"isolation.level", isolation},          {"enable.auto.commit", "false"},
      {"enable.partition.eof", "true"},        {"auto.offset.reset", "earliest"},
      {"allow.auto.create.topics", "false"},   {"fetch.wait.max.ms", "10"},
  };
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
    if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], error, sizeof error)) {
      fprintf(stderr, "pending: %s\n", error);
      exit(2);
    }
  }
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!client) {
    fprintf(stderr, "pending: %s\n", error);
    exit(4);
  }
  rd_kafka_poll_set_consumer(client);
  return client;
}

static bool named(const char *topic, char **patterns, int count) {
  for (int i = 0; i < count; i++) {
    size_t length = strlen(patterns[i]);
    if (length && patterns[i][length - 1] == '*' ? !strncmp(topic, patterns[i], length - 1)
                                                 : !strcmp(topic, patterns[i]))
      return true;
  }
  return false;
}

// Every partition of the topics, at the group's committed offset.
static rd_kafka_topic_partition_list_t *committed(rd_kafka_t *client, char **patterns, int count) {
  const struct rd_kafka_metadata *metadata;
  check(rd_kafka_metadata(client, 1, NULL, &metadata, timeout_ms), "topics");
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(list_max);
  for (int i = 0; i < metadata->topic_cnt; i++) {
    const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
    if (!named(topic->topic, patterns, count)) continue;
    for (int p = 0; p < topic->partition_cnt; p++)
      rd_kafka_topic_partition_list_add(list, topic->topic, p);
  }
  rd_kafka_metadata_destroy(metadata);
  if (list->cnt) check(rd_kafka_committed(client, list, timeout_ms), "committed offsets");
  return list;
}

// Reads what lies behind the committed offsets, and counts it. `ends` is a client that sees where
// the partitions end; `client` itself sees only where their first open transaction begins.
static int64_t pending(rd_kafka_t *client, rd_kafka_t *ends, char **patterns, int count) {
  rd_kafka_topic_partition_list_t *all = committed(client, patterns, count);
  rd_kafka_topic_partition_list_t *open = rd_kafka_topic_partition_list_new(all->cnt + 1);
  for (int i = 0; i < all->cnt; i++) {
    rd_kafka_topic_partition_t *one = &all->elems[i];
    int64_t low, high;
    check(rd_kafka_query_watermark_offsets(
              ends, one->topic, one->partition, &low, &high, timeout_ms), "end offsets");
    int64_t from = one->offset < low ? low : one->offset;
    if (from >= high) continue;
    one = rd_kafka_topic_partition_list_add(open, one->topic, one->partition);
    one->offset = from;
    one->opaque = (void *)(intptr_t)high;
  }
  int64_t records = 0;
  int left = open->cnt;
  if (left) check(rd_kafka_assign(client, open), "assign");
  for (double deadline = seconds() + 30; left && seconds() < deadline;) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
    if (!message) continue;
    if (!message->err) records++;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      const char *topic = rd_kafka_topic_name(message->rkt);
      rd_kafka_topic_partition_t *one =
          rd_kafka_topic_partition_list_find(open, topic, message->partition);
      if (one && message->offset < (int64_t)(intptr_t)one->opaque) records++;
      left--;
    }
    rd_kafka_message_destroy(message);
  }
  rd_kafka_assign(client, NULL);
  rd_kafka_topic_partition_list_destroy(open);
  rd_kafka_topic_partition_list_destroy(all);
  return records + left;  // a partition that did not answer counts as one
}

int main(int count, char **arguments) {
  const char *bootstrap = getenv("KAFKA_BOOTSTRAP");
  double wait = 0;
  int at = 1;
  for (; at + 1 < count && !strncmp(arguments[at], "--", 2); at += 2) {
    char *value = arguments[at + 1], *end = value;
    if (!strcmp(arguments[at], "--bootstrap")) bootstrap = value, end += strlen(value);
    else if (!strcmp(arguments[at], "--wait")) wait = strtod(value, &end);
    else usage();
    if (end == value || *end) usage();
  }
  if (!bootstrap || count - at < 2) usage();
  rd_kafka_t *client = reader(bootstrap, arguments[at], "read_committed");
  rd_kafka_t *ends = reader(bootstrap, arguments[at], "read_uncommitted");
  double deadline = seconds() + wait;
  int64_t now, before = -1;
  while ((now = pending(client, ends, arguments + at + 1, count - at - 1)) > 0) {
    if (now != before) printf("%lld\n", (long long)now), fflush(stdout);
    before = now;
    if (seconds() >= deadline) break;
    nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000L}, NULL);
  }
  if (now == 0) puts("0");
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  rd_kafka_destroy(ends);
  return now ? 1 : 0;
}
