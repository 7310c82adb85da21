// Writes the bench's orders, keyed by order number; the key's hash chooses the partition.
#include "order.h"

static const char usage[] =
    "usage: orders BOOTSTRAP TOPIC COUNT [options]\n"
    "  --seed N       what is drawn is drawn from it (1)\n"
    "  --customers N  so many place orders, each as likely as another (20000)\n"
    "  --each-first   the first orders are of one customer each, so that all have ordered\n"
    "  --rate N       orders a second; as fast as it goes without\n"
    "  --granted      go on as far as standard input allows: a line is how many orders there may\n"
    "                 be in all by then; its end is the end, before COUNT as well";

static long refused;

static void on_report(rd_kafka_t *of, const rd_kafka_message_t *message, void *opaque) {
  (void)of, (void)opaque;
  if (message->err) refused++;
}

struct wish {
  long count;
  uint64_t seed;
  double rate;
  bool granted;
};

static struct wish read_options(int count, char **arguments) {
  if (count < 4) FAIL("%s", usage);
  struct wish wish = {.count = number_argument(arguments[3], "COUNT"), .seed = 1};
  for (int at = 4; at < count; at++) {
    const char *name = arguments[at];
    if (!strcmp(name, "--each-first")) {
      each_first = true;
    } else if (!strcmp(name, "--granted")) {
      wish.granted = true;
    } else {
      if (at + 1 == count) FAIL("%s", usage);
      long value = number_argument(arguments[++at], name);
      if (!strcmp(name, "--seed")) wish.seed = (uint64_t)value;
      else if (!strcmp(name, "--customers")) customers = (unsigned)value;
      else if (!strcmp(name, "--rate")) wish.rate = (double)value;
      else FAIL("%s", usage);
    }
  }
  if (!customers) FAIL("orders: no customers");
  return wish;
}

/// Waits until order `number` may be written; false when there will be no more.
static bool is_granted(long number, rd_kafka_t *producer) {
  static long granted = 0;
  char line[64];
  while (number >= granted) {
    rd_kafka_poll(producer, 0);
    if (!fgets(line, sizeof line, stdin)) return false;
    line[strcspn(line, "\n")] = 0;
    granted = number_argument(line, "standard input");
  }
  return true;
}

int main(int count, char **arguments) {
  struct wish wish = read_options(count, arguments);
  const char *pairs[] = {
      "enable.idempotence", "true", "linger.ms", "50", "batch.size", "500000",
      "queue.buffering.max.messages", "1000000", "partitioner", "murmur2_random", NULL};
  rd_kafka_conf_t *conf = settings(arguments[1], pairs);
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, conf);
  rd_kafka_topic_t *topic = warm_topic(producer, arguments[2], NULL);
  double bytes = 0, began = clock_now();
  long written = 0;
  for (; written < wish.count; written++) {
    if (wish.granted && !is_granted(written, producer)) break;
    char value[order_bytes_max], key[24];
    int size = write_order(value, &wish.seed, written, -1);
    int key_size = snprintf(key, sizeof key, "%ld", written);
    publish(producer, topic, RD_KAFKA_PARTITION_UA, key, (size_t)key_size, value, (size_t)size);
    bytes += size;
    if (written % 2000 == 0) rd_kafka_poll(producer, 0);
    if (wish.rate > 0 && written % 500 == 0) {
      double ahead = (double)written / wish.rate - (clock_now() - began);
      if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
    }
  }
  rd_kafka_flush(producer, 300000);
  long left = rd_kafka_outq_len(producer);
  printf(
      "{\"written\":%ld,\"refused\":%ld,\"left\":%ld,\"bytes_each\":%.1f}\n", written, refused,
      left, written ? bytes / (double)written : 0.0);
  return refused || left;
}
