// Publishes records to topics, each to the partition that is asked for: what the suite feeds with.
// usage: publish BOOTSTRAP TOPIC...
//
// Standard input is a row of frames, numbers little-endian:
//   topic u8 (its place among the arguments), partition i32, timestamp i64 (ms; 0: now), key
//   length i32, value length i32 (-1: null), then key and value.
// The producer is idempotent, so a partition holds the frames in their order, each once, through
// failures of brokers. Exit code 0: every record was acknowledged; 1: some were not.
#include "client.h"

enum { topics_max = 16, bytes_max = 8 << 20 };

struct frame {
  uint8_t topic;
  int32_t partition;
  int64_t timestamp;
  int32_t key_size, value_size;
} __attribute__((packed));

static long acknowledged, refused;

static void on_report(rd_kafka_t *of, const rd_kafka_message_t *message, void *opaque) {
  (void)of, (void)opaque;
  if (!message->err)
    acknowledged++;
  else if (!refused++)
    fprintf(stderr, "publish: %s\n", rd_kafka_err2str(message->err));
}

static bool read_whole(void *to, size_t size) {
  size_t got = fread(to, 1, size, stdin);
  if (got && got < size) FAIL("publish: the input ends inside a frame");
  return got == size;
}

static void produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, const struct frame *f,
                    char *bytes) {
  void *key = f->key_size < 0 ? NULL : bytes;
  size_t key_size = f->key_size < 0 ? 0 : (size_t)f->key_size;
  void *value = f->value_size < 0 ? NULL : bytes + key_size;
  size_t value_size = f->value_size < 0 ? 0 : (size_t)f->value_size;
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(f->partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
        RD_KAFKA_V_VALUE(value, value_size), RD_KAFKA_V_TIMESTAMP(f->timestamp), RD_KAFKA_V_END);
    if (!error) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) FAIL("publish: %s", rd_kafka_err2str(error));
    rd_kafka_poll(producer, 50);
  }
}

int main(int count, char **arguments) {
  if (count < 3 || count > topics_max + 2) FAIL("usage: publish BOOTSTRAP TOPIC...");
  const char *pairs[] = {
      "enable.idempotence", "true", "linger.ms", "5", "message.timeout.ms", "180000",
      "queue.buffering.max.messages", "200000", "message.max.bytes", "10000000",
      "compression.codec", "lz4", "log_level", "3", NULL};
  rd_kafka_conf_t *conf = settings(arguments[1], pairs);
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, conf);
  rd_kafka_topic_t *topics[topics_max];
  int partitions[topics_max];
  for (int i = 2; i < count; i++)
    topics[i - 2] = warm_topic(producer, arguments[i], &partitions[i - 2]);
  static char bytes[bytes_max];
  struct frame f;
  long frames = 0;
  while (read_whole(&f, sizeof f)) {
    size_t size = (size_t)(f.key_size > 0 ? f.key_size : 0);
    size += (size_t)(f.value_size > 0 ? f.value_size : 0);
    if (f.topic >= count - 2 || f.partition >= partitions[f.topic] || size > bytes_max)
      FAIL("publish: frame %ld is not one", frames);
    if (size && !read_whole(bytes, size)) FAIL("publish: the input ends inside a frame");
    produce(producer, topics[f.topic], &f, bytes);
    if (++frames % 100 == 0) rd_kafka_poll(producer, 0);
  }
  rd_kafka_flush(producer, 180000);
  printf("{\"frames\":%ld,\"acknowledged\":%ld,\"refused\":%ld}\n", frames, acknowledged, refused);
  return acknowledged != frames;
}
