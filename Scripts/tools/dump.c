// Reads topics from their beginning and writes every record that it sees to standard output.
// usage: dump BOOTSTRAP read_committed|read_uncommitted SECONDS TOPIC...
//
// Reads to the end that each partition had when it began: the very end, so with read_committed it
// waits for transactions that are open there, SECONDS at the longest. SECONDS 0: goes on until
// SIGTERM. Frames, numbers little-endian:
//   topic u8 (its place among the arguments), partition i32, offset i64, timestamp i64 (ms),
//   key length i32, value length i32 (-1: null), headers u16, then key and value; then each header
//   as name length u16, value length i32 (-1: null), name, value.
// Exit code 0: all was read; 1: not, and standard error says what is missing.
#include "client.h"
#include <signal.h>

enum { topics_max = 32, batch_max = 1000 };

struct frame {
  uint8_t topic;
  int32_t partition;
  int64_t offset, timestamp;
  int32_t key_size, value_size;
  uint16_t headers;
} __attribute__((packed));

struct end {
  int topic, partition;
  int64_t offset;
  bool reached;
};

static volatile sig_atomic_t stopped;
static void on_signal(int number) { (void)number, stopped = 1; }

static const char *bootstrap;
static char **names;
static int name_count;

static rd_kafka_t *reader(const char *isolation) {
  char group[64];
  snprintf(group, sizeof group, "suite-dump-%d", getpid());
  const char *pairs[] = {
      "group.id", group, "enable.auto.commit", "false", "enable.auto.offset.store", "false",
      "isolation.level", isolation, "enable.partition.eof", "true", "log_level", "3",
      "socket.nagle.disable", "true", "auto.offset.reset", "earliest", NULL};
  rd_kafka_t *made = client(RD_KAFKA_CONSUMER, settings(bootstrap, pairs));
  rd_kafka_poll_set_consumer(made);
  return made;
}

/// The ends of all partitions, found without regard to transactions.
static struct end *find_ends(rd_kafka_topic_partition_list_t *all, int *count) {
  rd_kafka_t *asking = reader("read_uncommitted");
  struct end *ends = calloc((size_t)name_count * PARTITIONS_MAX, sizeof *ends);
  *count = 0;
  for (int t = 0; t < name_count; t++) {
    int partitions;
    warm_topic(asking, names[t], &partitions);
    for (int p = 0; p < partitions; p++) {
      int64_t low, high;
      rd_kafka_resp_err_t error =
          rd_kafka_query_watermark_offsets(asking, names[t], p, &low, &high, 20000);
      if (error) FAIL("dump: %s %d: %s", names[t], p, rd_kafka_err2str(error));
      rd_kafka_topic_partition_list_add(all, names[t], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
      ends[(*count)++] = (struct end){t, p, high, high <= low};
    }
  }
  rd_kafka_destroy(asking);
  return ends;
}

static int place_of(const char *topic) {
  for (int t = 0; t < name_count; t++)
    if (!strcmp(names[t], topic)) return t;
  FAIL("dump: a record of %s was not asked for", topic);
}

static void write_record(const rd_kafka_message_t *m) {
  rd_kafka_timestamp_type_t kind;
  rd_kafka_headers_t *headers = NULL;
  size_t count = rd_kafka_message_headers(m, &headers) ? 0 : rd_kafka_header_cnt(headers);
  struct frame f = {
      .topic = (uint8_t)place_of(rd_kafka_topic_name(m->rkt)), .partition = m->partition,
      .offset = m->offset, .timestamp = rd_kafka_message_timestamp(m, &kind),
      .key_size = m->key ? (int32_t)m->key_len : -1,
      .value_size = m->payload ? (int32_t)m->len : -1, .headers = (uint16_t)count};
  fwrite(&f, sizeof f, 1, stdout);
  if (m->key) fwrite(m->key, 1, m->key_len, stdout);
  if (m->payload) fwrite(m->payload, 1, m->len, stdout);
  for (size_t i = 0; i < count; i++) {
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    uint16_t name_size = (uint16_t)strlen(name);
    int32_t value_size = value ? (int32_t)size : -1;
    fwrite(&name_size, sizeof name_size, 1, stdout);
    fwrite(&value_size, sizeof value_size, 1, stdout);
    fwrite(name, 1, name_size, stdout);
    if (value) fwrite(value, 1, size, stdout);
  }
}

/// A reader's position, which counts control records too, came to `offset`.
static void came_to(struct end *ends, int count, const rd_kafka_message_t *m) {
  int topic = place_of(rd_kafka_topic_name(m->rkt));
  for (int i = 0; i < count; i++)
    if (ends[i].topic == topic && ends[i].partition == m->partition && m->offset >= ends[i].offset)
      ends[i].reached = true;
}

static bool all_reached(const struct end *ends, int count) {
  for (int i = 0; i < count; i++)
    if (!ends[i].reached) return false;
  return true;
}

int main(int count, char **arguments) {
  if (count < 5 || count > topics_max + 4)
    FAIL("usage: dump BOOTSTRAP read_committed|read_uncommitted SECONDS TOPIC...");
  bootstrap = arguments[1], names = arguments + 4, name_count = count - 4;
  double patience = (double)number_argument(arguments[3], "SECONDS");
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  static char buffer[1 << 20];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(16);
  int end_count;
  struct end *ends = find_ends(all, &end_count);
  rd_kafka_t *consumer = reader(arguments[2]);
  rd_kafka_resp_err_t error = rd_kafka_assign(consumer, all);
  if (error) FAIL("dump: assign: %s", rd_kafka_err2str(error));
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
  double until = clock_now() + patience;
  while (!stopped && (!patience || (!all_reached(ends, end_count) && clock_now() < until))) {
    rd_kafka_message_t *batch[batch_max];
    ssize_t got = 0;
    if ((batch[0] = rd_kafka_consume_queue(queue, 100))) {
      ssize_t more = rd_kafka_consume_batch_queue(queue, 0, batch + 1, batch_max - 1);
      got = more > 0 ? more + 1 : 1;
    }
    for (ssize_t i = 0; i < got; i++) {
      if (batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        came_to(ends, end_count, batch[i]);
      else if (!batch[i]->err)
        write_record(batch[i]);
      rd_kafka_message_destroy(batch[i]);
    }
  }
  fflush(stdout);
  if (!patience || all_reached(ends, end_count)) _exit(0);
  for (int i = 0; i < end_count; i++)
    if (!ends[i].reached)
      fprintf(
          stderr, "dump: %s %d: not read to its end at %lld\n", names[ends[i].topic],
          ends[i].partition, (long long)ends[i].offset);
  _exit(1);
}
