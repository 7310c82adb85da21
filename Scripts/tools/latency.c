// How soon an event comes out. One process sends orders and reads what comes out of whatever stands
// between the two topics; another is the limit: librdkafka alone, closing transactions by age.
// usage: latency measure BOOTSTRAP INPUT OUTPUT EVENTS_PER_SECOND SECONDS WARM_UP_SECONDS
//        latency copy BOOTSTRAP direct|journal INPUT JOURNAL OUTPUT COMMIT_AGE_MS
// `copy` runs until SIGTERM; with `journal` each turn writes blocks of 64 KiB first, waits until
// they are acknowledged, and publishes then, in the same transaction.
#include "order.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { batch_max = 1000, block_bytes_max = 64 << 10, turn_events_max = 100000 };

static volatile sig_atomic_t stopped;
static void on_signal(int number) { (void)number, stopped = 1; }

struct copy {
  rd_kafka_t *producer, *consumer;
  rd_kafka_topic_t *journal, *output;
  int partitions;
  rd_kafka_message_t *held[turn_events_max];
  int open;
  int64_t next[PARTITIONS_MAX];
  struct samples commits;
};

static void journal_turn(struct copy *copy) {
  static char block[block_bytes_max];
  for (int p = 0; p < copy->partitions; p++) {
    size_t used = 0;
    for (int i = 0; i < copy->open; i++) {
      const rd_kafka_message_t *m = copy->held[i];
      if (m->partition != p) continue;
      if (used + m->len > block_bytes_max)
        publish(copy->producer, copy->journal, p, NULL, 0, block, used), used = 0;
      memcpy(block + used, m->payload, m->len);
      used += m->len;
    }
    if (used) publish(copy->producer, copy->journal, p, NULL, 0, block, used);
  }
  rd_kafka_flush(copy->producer, 10000);
}

static void close_turn(struct copy *copy, const char *input) {
  double began = clock_now();
  if (copy->journal) journal_turn(copy);
  for (int i = 0; i < copy->open; i++) {
    rd_kafka_message_t *m = copy->held[i];
    publish(copy->producer, copy->output, m->partition, m->key, m->key_len, m->payload, m->len);
    rd_kafka_message_destroy(m);
  }
  commit_with_offsets(copy->producer, copy->consumer, input, copy->next, copy->partitions);
  add_sample(&copy->commits, 1e3 * (clock_now() - began));
  copy->open = 0;
}

static int run_copy(char **arguments) {
  static struct copy copy;
  const char *bootstrap = arguments[0], *input = arguments[2];
  bool journaled = !strcmp(arguments[1], "journal");
  double age = number_argument(arguments[5], "COMMIT_AGE_MS") / 1e3;
  char name[64];
  snprintf(name, sizeof name, "limit-latency-%d-%ld", getpid(), (long)time(NULL));
  copy.producer = transactional_producer(bootstrap, name, "lz4", "1");
  if (journaled) copy.journal = warm_topic(copy.producer, arguments[3], NULL);
  copy.output = warm_topic(copy.producer, arguments[4], NULL);
  warm_topic(copy.producer, input, &copy.partitions);
  copy.consumer = assigned_consumer(bootstrap, name, input, copy.partitions, RD_KAFKA_OFFSET_END);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(copy.consumer);
  signal(SIGTERM, on_signal);
  fprintf(stderr, "ready\n");
  double first = 0;
  while (!stopped) {
    // The first record is waited for, the rest of what is there is taken at once.
    rd_kafka_message_t *batch[batch_max];
    ssize_t got = 0;
    if ((batch[0] = rd_kafka_consume_queue(queue, copy.open ? 1 : 5))) {
      ssize_t more = rd_kafka_consume_batch_queue(queue, 0, batch + 1, batch_max - 1);
      got = more > 0 ? more + 1 : 1;
    }
    for (ssize_t i = 0; i < got; i++) {
      rd_kafka_message_t *m = batch[i];
      if (m->err) {
        rd_kafka_message_destroy(m);
        continue;
      }
      if (!copy.open) must(rd_kafka_begin_transaction(copy.producer), "begin"), first = clock_now();
      copy.next[m->partition] = m->offset + 1;
      copy.held[copy.open++] = m;
    }
    rd_kafka_poll(copy.producer, 0);
    bool full = copy.open > turn_events_max - batch_max;
    if (copy.open && (full || clock_now() - first >= age)) close_turn(&copy, input);
  }
  printf(
      "{\"commit_p50_ms\":%.1f,\"commit_p99_ms\":%.1f,\"rss_mb\":%.0f,\"cpu_s\":%.2f}\n",
      percentile(&copy.commits, 0.5), percentile(&copy.commits, 0.99), peak_rss_mb(), cpu_now());
  fflush(stdout);
  _exit(0);
}

struct sender {
  const char *bootstrap, *topic;
  long rate;
  atomic_bool stop;
  atomic_long sent;
};

static void *send_orders(void *argument) {
  struct sender *sender = argument;
  const char *pairs[] = {
      "linger.ms", "1", "socket.nagle.disable", "true", "compression.codec", "lz4", NULL};
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, settings(sender->bootstrap, pairs));
  int partitions;
  rd_kafka_topic_t *topic = warm_topic(producer, sender->topic, &partitions);
  uint64_t seed = 7;
  double began = clock_now();
  for (long made = 0; !sender->stop;) {
    for (long due = (long)((clock_now() - began) * (double)sender->rate); made < due; made++) {
      char value[order_bytes_max], key[24];
      int size = write_order(value, &seed, made, (int64_t)(clock_now() * 1e6));
      int key_size = snprintf(key, sizeof key, "%ld", made);
      publish(
          producer, topic, (int)(made % partitions), key, (size_t)key_size, value, (size_t)size);
    }
    sender->sent = made;
    rd_kafka_poll(producer, 0);
    nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
  }
  rd_kafka_flush(producer, 5000);
  return NULL;
}

/// The number behind `"sent":`, or 0.
static double sent_at(const rd_kafka_message_t *m) {
  const char *at = memmem(m->payload, m->len, "\"sent\":", 7), *end = (char *)m->payload + m->len;
  int64_t us = 0;
  if (!at) return 0;
  for (at += 7; at < end && *at >= '0' && *at <= '9'; at++) us = us * 10 + (*at - '0');
  return (double)us / 1e6;
}

static int run_measure(char **arguments) {
  struct sender sender = {
      .bootstrap = arguments[0], .topic = arguments[1],
      .rate = number_argument(arguments[3], "EVENTS_PER_SECOND")};
  double seconds = number_argument(arguments[4], "SECONDS");
  double warm_up = number_argument(arguments[5], "WARM_UP_SECONDS");
  int partitions;
  const char *no_pairs[] = {NULL};
  rd_kafka_t *asking = client(RD_KAFKA_PRODUCER, settings(sender.bootstrap, no_pairs));
  warm_topic(asking, arguments[2], &partitions);
  rd_kafka_t *reader = assigned_consumer(
      sender.bootstrap, "latency-reader", arguments[2], partitions, RD_KAFKA_OFFSET_END);
  for (double until = clock_now() + 1; clock_now() < until;) {  // let the reader find the ends
    rd_kafka_message_t *m = rd_kafka_consumer_poll(reader, 20);
    if (m) rd_kafka_message_destroy(m);
  }
  pthread_t thread;
  pthread_create(&thread, NULL, send_orders, &sender);
  struct samples samples = {0};
  double began = clock_now(), end = began + warm_up + seconds;
  long before = 0;
  while (clock_now() < end) {
    if (!before && clock_now() - began >= warm_up) before = sender.sent;
    rd_kafka_message_t *m = rd_kafka_consumer_poll(reader, 20);
    if (!m) continue;
    double at = m->err ? 0 : sent_at(m);
    if (at && clock_now() - began >= warm_up) add_sample(&samples, 1e3 * (clock_now() - at));
    rd_kafka_message_destroy(m);
  }
  long sent = sender.sent - before;
  sender.stop = true;
  pthread_join(thread, NULL);
  if (!samples.count) FAIL("nothing came out of %s", arguments[2]);
  printf(
      "{\"events\":%zu,\"sent\":%ld,\"events_per_s\":%.0f,\"p50_ms\":%.1f,\"p90_ms\":%.1f,"
      "\"p99_ms\":%.1f,\"max_ms\":%.1f}\n",
      samples.count, sent, (double)samples.count / seconds, percentile(&samples, 0.50),
      percentile(&samples, 0.90), percentile(&samples, 0.99), percentile(&samples, 1.0));
  fflush(stdout);
  _exit(0);
}

int main(int count, char **arguments) {
  if (count == 8 && !strcmp(arguments[1], "measure")) return run_measure(arguments + 2);
  if (count == 8 && !strcmp(arguments[1], "copy")) return run_copy(arguments + 2);
  FAIL("usage: latency measure BOOTSTRAP INPUT OUTPUT EVENTS_PER_SECOND SECONDS WARM_UP_SECONDS\n"
       "       latency copy BOOTSTRAP direct|journal INPUT JOURNAL OUTPUT COMMIT_AGE_MS");
}
