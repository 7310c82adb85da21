// Writes the bench's orders, keyed by order number; the key's hash chooses the partition.
// usage: orders BOOTSTRAP TOPIC COUNT [SEED [CUSTOMERS [RATE]]]
// RATE: orders a second; as fast as it goes without.
#include "order.h"

static long refused;

static void on_report(rd_kafka_t *of, const rd_kafka_message_t *message, void *opaque) {
  (void)of, (void)opaque;
  if (message->err) refused++;
}

int main(int count, char **arguments) {
  if (count < 4 || count > 7)
    FAIL("usage: orders BOOTSTRAP TOPIC COUNT [SEED [CUSTOMERS [RATE]]]");
  long wanted = number_argument(arguments[3], "COUNT");
  uint64_t seed = count > 4 ? (uint64_t)number_argument(arguments[4], "SEED") : 1;
  if (count > 5) customers = (unsigned)number_argument(arguments[5], "CUSTOMERS");
  double rate = count > 6 ? (double)number_argument(arguments[6], "RATE") : 0;
  if (!customers) FAIL("orders: no customers");
  const char *pairs[] = {
      "enable.idempotence", "true", "linger.ms", "50", "batch.size", "500000",
      "queue.buffering.max.messages", "1000000", "partitioner", "murmur2_random", NULL};
  rd_kafka_conf_t *conf = settings(arguments[1], pairs);
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, conf);
  rd_kafka_topic_t *topic = warm_topic(producer, arguments[2], NULL);
  double bytes = 0, began = clock_now();
  for (long i = 0; i < wanted; i++) {
    char value[order_bytes_max], key[24];
    int size = write_order(value, &seed, i, -1);
    int key_size = snprintf(key, sizeof key, "%ld", i);
    publish(producer, topic, RD_KAFKA_PARTITION_UA, key, (size_t)key_size, value, (size_t)size);
    bytes += size;
    if (i % 2000 == 0) rd_kafka_poll(producer, 0);
    if (rate > 0 && i % 500 == 0) {
      double ahead = (double)i / rate - (clock_now() - began);
      if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
    }
  }
  rd_kafka_flush(producer, 300000);
  long left = rd_kafka_outq_len(producer);
  printf(
      "{\"written\":%ld,\"refused\":%ld,\"left\":%ld,\"bytes_each\":%.1f}\n", wanted, refused, left,
      wanted ? bytes / (double)wanted : 0.0);
  return refused || left;
}
