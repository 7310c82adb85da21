// Publishes records to topics, each to the partition that is asked for: what the suite feeds with.
// usage: publish BOOTSTRAP TOPIC...
//
// Standard input is a row of frames, numbers little-endian:
//   topic u8 (its place among the arguments), partition i32, timestamp i64 (ms; 0: now), key
//   length i32, value length i32 (-1: null), then key and value.
// The producer is idempotent, so a partition holds the frames in their order, each once, through
// failures of brokers. A failure that ends such a producer (a leader that lost the state of its
// sequence numbers) ends nothing here: how many frames a partition holds is where it ends, and the
// rest goes out by a new one. So nobody else may write to these partitions, and they begin empty.
// Exit code 0: every record is in its partition; 1: some are not.
#include "client.h"

enum { topics_max = 16, bytes_max = 8 << 20, patience_ms = 180000 };

struct frame {
  uint8_t topic;
  int32_t partition;
  int64_t timestamp;
  int32_t key_size, value_size;
} __attribute__((packed));

/// The frames of one partition, kept to be sent again: each a frame with its bytes behind it.
struct lane {
  struct frame **frames;
  size_t count, room, sent;
};

static struct lane lanes[topics_max][PARTITIONS_MAX];
static int partitions[topics_max];
static char **names;
static int topic_count;
static rd_kafka_t *producer;
static rd_kafka_topic_t *topics[topics_max];
static long restarts;

static bool read_whole(void *to, size_t size) {
  size_t got = fread(to, 1, size, stdin);
  if (got && got < size) FAIL("publish: the input ends inside a frame");
  return got == size;
}

static size_t length(int32_t size) { return size < 0 ? 0 : (size_t)size; }

static void keep(struct lane *lane, const struct frame *f) {
  if (lane->count == lane->room) {
    lane->room = lane->room ? lane->room * 2 : 1024;
    lane->frames = realloc(lane->frames, lane->room * sizeof *lane->frames);
    if (!lane->frames) FAIL("out of memory");
  }
  size_t size = length(f->key_size) + length(f->value_size);
  struct frame *kept = malloc(sizeof *f + size);
  if (!kept) FAIL("out of memory");
  *kept = *f;
  if (size && !read_whole(kept + 1, size)) FAIL("publish: the input ends inside a frame");
  lane->frames[lane->count++] = kept;
}

/// Why a record was not delivered, the first time.
static void report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  static bool told;
  (void)client, (void)opaque;
  if (!message->err || message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
      message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || told)
    return;
  told = true;
  fprintf(stderr, "publish: a record of partition %d was not delivered: %s\n",
          message->partition, rd_kafka_err2str(message->err));
}

static void begin(const char *bootstrap) {
  const char *pairs[] = {
      "enable.idempotence", "true", "linger.ms", "5", "message.timeout.ms", "180000",
      "queue.buffering.max.messages", "200000", "message.max.bytes", "10000000",
      "compression.codec", "lz4", "log_level", "3", NULL};
  rd_kafka_conf_t *conf = settings(bootstrap, pairs);
  rd_kafka_conf_set_dr_msg_cb(conf, report);
  producer = client(RD_KAFKA_PRODUCER, conf);
  for (int t = 0; t < topic_count; t++)
    topics[t] = warm_topic(producer, names[t], &partitions[t]);
}

/// Where a partition ends, once that is the same twice in a row: what a leader took over is counted
/// as soon as the others have it too.
static size_t stored(int topic, int partition) {
  int64_t low = 0, high = 0, before = -1;
  for (double end = clock_now() + patience_ms / 1000.0; clock_now() < end; usleep(500000)) {
    if (rd_kafka_query_watermark_offsets(
            producer, names[topic], partition, &low, &high, 5000))
      continue;
    if (high == before) return (size_t)high;
    before = high;
  }
  FAIL("publish: nobody tells where %s, partition %d ends", names[topic], partition);
}

/// A new producer, from where the partitions end. What the old one had on its way arrives first.
static void begin_again(const char *bootstrap) {
  char why[256];
  if (rd_kafka_fatal_error(producer, why, sizeof why))
    fprintf(stderr, "publish: %s; going on with a new producer\n", why);
  if (++restarts > 20) FAIL("publish: one failure after the other");
  rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(producer, 1000);
  for (int t = 0; t < topic_count; t++) rd_kafka_topic_destroy(topics[t]);
  rd_kafka_destroy(producer);
  sleep(2);
  begin(bootstrap);
  for (int t = 0; t < topic_count; t++)
    for (int p = 0; p < partitions[t]; p++) {
      lanes[t][p].sent = stored(t, p);
      if (lanes[t][p].sent > lanes[t][p].count)
        FAIL("publish: somebody else writes to %s", names[t]);
    }
}

/// False when the producer has ended.
static bool send_rest(int topic, int partition) {
  struct lane *lane = &lanes[topic][partition];
  while (lane->sent < lane->count) {
    struct frame *f = lane->frames[lane->sent];
    char *bytes = (char *)(f + 1);
    size_t key_size = length(f->key_size), value_size = length(f->value_size);
    void *key = f->key_size < 0 ? NULL : bytes;
    void *value = f->value_size < 0 ? NULL : bytes + key_size;
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_RKT(topics[topic]), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
        RD_KAFKA_V_VALUE(value, value_size), RD_KAFKA_V_TIMESTAMP(f->timestamp), RD_KAFKA_V_END);
    if (!error)
      lane->sent++;
    else if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL)
      rd_kafka_poll(producer, 50);
    else if (error == RD_KAFKA_RESP_ERR__FATAL)
      return false;
    else
      FAIL("publish: %s", rd_kafka_err2str(error));
  }
  return true;
}

static bool send_all(void) {
  for (int t = 0; t < topic_count; t++)
    for (int p = 0; p < partitions[t]; p++)
      if (!send_rest(t, p)) return false;
  return true;
}

/// How many frames are in their partitions, when all that can be done for it is done.
static long finish(const char *bootstrap) {
  for (;;) {
    bool whole = send_all();
    if (whole) rd_kafka_flush(producer, patience_ms);
    if (whole && rd_kafka_fatal_error(producer, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    begin_again(bootstrap);
  }
  long acknowledged = 0;
  for (int t = 0; t < topic_count; t++)
    for (int p = 0; p < partitions[t]; p++) acknowledged += (long)stored(t, p);
  return acknowledged;
}

int main(int count, char **arguments) {
  if (count < 3 || count > topics_max + 2) FAIL("usage: publish BOOTSTRAP TOPIC...");
  names = arguments + 2;
  topic_count = count - 2;
  begin(arguments[1]);
  struct frame f;
  long frames = 0;
  while (read_whole(&f, sizeof f)) {
    size_t size = length(f.key_size) + length(f.value_size);
    if (f.topic >= topic_count || f.partition < 0 || f.partition >= partitions[f.topic] ||
        size > bytes_max)
      FAIL("publish: frame %ld is not one", frames);
    keep(&lanes[f.topic][f.partition], &f);
    if (!send_rest(f.topic, f.partition)) {
      begin_again(arguments[1]);
      // Should that one end too, the next frame tells.
      send_all();
    }
    if (++frames % 100 == 0) rd_kafka_poll(producer, 0);
  }
  long acknowledged = finish(arguments[1]);
  printf("{\"frames\":%ld,\"acknowledged\":%ld,\"restarts\":%ld}\n", frames, acknowledged,
         restarts);
  return acknowledged != frames;
}
