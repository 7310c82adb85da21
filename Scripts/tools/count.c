// The limit for `count`: orders are regrouped by customer into journal blocks, counted in a table,
// and one change record an order is published; input to journal to output in one transaction. No
// JSON is parsed: the three things needed are found by a search for their names.
// usage: count BOOTSTRAP INPUT JOURNAL OUTPUT EVENTS EVENTS_PER_TRANSACTION CODEC [CUSTOMERS]
// CUSTOMERS: so many there are at most (131072); a quarter of the table stays empty, or more.
#include "client.h"

enum { batch_max = 2000, block_bytes_max = 64 << 10, block_events_max = 1000 };

/// One event in a block: this, then the event's own bytes.
struct prefix {
  uint32_t length, partition;
  int64_t offset;
  uint32_t customer, cents;
};

struct block {
  char bytes[block_bytes_max];
  size_t used;
  int events;
};

/// A row is empty when it counts no orders.
struct row {
  uint32_t customer;
  int64_t orders, cents;
};

struct job {
  rd_kafka_t *producer, *consumer;
  rd_kafka_topic_t *journal, *output;
  int partitions;
  struct block blocks[PARTITIONS_MAX];
  struct row *rows;
  int row_bits;
  long taken, open;
  int64_t next[PARTITIONS_MAX];
  struct samples commits;
};

static struct job job;

static struct row *row_of(uint32_t customer) {
  uint32_t at = (customer * 2654435769u) >> (32 - job.row_bits);
  while (job.rows[at].orders && job.rows[at].customer != customer)
    at = (at + 1) & ((1u << job.row_bits) - 1);
  job.rows[at].customer = customer;
  return &job.rows[at];
}

/// A quarter of them at least stays empty.
static void make_rows(long customers) {
  for (job.row_bits = 1; 3L << job.row_bits < 4 * customers; job.row_bits++)
    if (job.row_bits == 31) FAIL("count: too many customers");
  job.rows = calloc((size_t)1 << job.row_bits, sizeof(struct row));
  if (!job.rows) FAIL("out of memory");
}

/// The digits behind `name`, with a decimal point left out; 0 when it is not there.
static uint32_t digits_after(const char *value, size_t size, const char *name, size_t name_size) {
  const char *at = memmem(value, size, name, name_size), *end = value + size;
  uint32_t number = 0;
  if (!at) return 0;
  for (at += name_size; at < end; at++) {
    if (*at >= '0' && *at <= '9')
      number = number * 10 + (uint32_t)(*at - '0');
    else if (*at != '.')
      break;
  }
  return number;
}

static int write_number(char *to, uint64_t value) {
  char reversed[24];
  int count = 0;
  do reversed[count++] = (char)('0' + value % 10);
  while (value /= 10);
  for (int i = 0; i < count; i++) to[i] = reversed[count - 1 - i];
  return count;
}

static int append(char *to, int at, const char *text, int size) {
  memcpy(to + at, text, (size_t)size);
  return at + size;
}

/// One change record: the row as it stands, `{"customer_id":7,"orders":3,"total":12.50}`.
static void publish_change(const struct row *row, int partition) {
  char key[24], value[128];
  int key_size = write_number(key, row->customer), at = append(value, 0, "{\"customer_id\":", 15);
  at = append(value, at, key, key_size);
  at = append(value, at, ",\"orders\":", 10);
  at += write_number(value + at, (uint64_t)row->orders);
  at = append(value, at, ",\"total\":", 9);
  at += write_number(value + at, (uint64_t)row->cents / 100);
  value[at++] = '.';
  value[at++] = (char)('0' + row->cents % 100 / 10);
  value[at++] = (char)('0' + row->cents % 10);
  value[at++] = '}';
  publish(job.producer, job.output, partition, key, (size_t)key_size, value, (size_t)at);
}

/// Publishes the block and applies it, as the turn that wrote it does.
static void close_block(int partition) {
  struct block *block = &job.blocks[partition];
  if (!block->events) return;
  publish(job.producer, job.journal, partition, NULL, 0, block->bytes, block->used);
  for (size_t at = 0; at < block->used;) {
    struct prefix event;
    memcpy(&event, block->bytes + at, sizeof event);
    struct row *row = row_of(event.customer);
    row->orders++;
    row->cents += event.cents;
    publish_change(row, partition);
    at += sizeof event + event.length;
  }
  block->used = 0, block->events = 0;
}

static void ingest(const rd_kafka_message_t *m) {
  job.next[m->partition] = m->offset + 1;
  job.taken++, job.open++;
  if (memmem(m->payload, m->len, "\"cancelled\"", 11)) return;
  struct prefix event = {
      .length = (uint32_t)m->len, .partition = (uint32_t)m->partition, .offset = m->offset,
      .customer = digits_after(m->payload, m->len, "\"customer\":{\"id\":", 17),
      .cents = digits_after(m->payload, m->len, "\"amount\":", 9)};
  int to = (int)(event.customer % (unsigned)job.partitions);
  struct block *block = &job.blocks[to];
  if (block->used + sizeof event + m->len > block_bytes_max || block->events == block_events_max)
    close_block(to);
  memcpy(block->bytes + block->used, &event, sizeof event);
  memcpy(block->bytes + block->used + sizeof event, m->payload, m->len);
  block->used += sizeof event + m->len, block->events++;
}

int main(int count, char **arguments) {
  if (count != 8 && count != 9)
    FAIL(
        "usage: count BOOTSTRAP INPUT JOURNAL OUTPUT EVENTS EVENTS_PER_TRANSACTION CODEC"
        " [CUSTOMERS]");
  const char *bootstrap = arguments[1], *input = arguments[2];
  long events = number_argument(arguments[5], "EVENTS");
  long turn = number_argument(arguments[6], "EVENTS_PER_TRANSACTION");
  make_rows(count > 8 ? number_argument(arguments[8], "CUSTOMERS") : 1 << 17);
  char name[64];
  int partitions;
  snprintf(name, sizeof name, "limit-count-%d-%ld", getpid(), (long)time(NULL));
  job.producer = transactional_producer(bootstrap, name, arguments[7], "5");
  job.journal = warm_topic(job.producer, arguments[3], &job.partitions);
  job.output = warm_topic(job.producer, arguments[4], NULL);
  warm_topic(job.producer, input, &partitions);
  job.consumer = assigned_consumer(bootstrap, name, input, partitions, 0);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(job.consumer);

  rd_kafka_message_t *messages[batch_max];
  double began = 0, cpu_began = 0;
  must(rd_kafka_begin_transaction(job.producer), "begin");
  while (job.taken < events) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 20, messages, batch_max);
    if (got > 0 && !job.taken) began = clock_now(), cpu_began = cpu_now();
    for (ssize_t i = 0; i < got; i++) {
      if (!messages[i]->err) ingest(messages[i]);
      rd_kafka_message_destroy(messages[i]);
    }
    rd_kafka_poll(job.producer, 0);
    if (job.open < turn && job.taken < events) continue;
    for (int p = 0; p < job.partitions; p++) close_block(p);
    add_sample(&job.commits, 1e3 * commit_with_offsets(
        job.producer, job.consumer, input, job.next, partitions));
    job.open = 0;
    if (job.taken < events) must(rd_kafka_begin_transaction(job.producer), "begin");
  }
  double wall = clock_now() - began, cpu = cpu_now() - cpu_began;
  printf(
      "{\"events\":%ld,\"events_per_s\":%.0f,\"events_per_cpu_s\":%.0f,\"rss_mb\":%.0f,"
      "\"commit_p50_ms\":%.1f,\"commit_p99_ms\":%.1f}\n",
      job.taken, job.taken / wall, job.taken / cpu, peak_rss_mb(),
      percentile(&job.commits, 0.50), percentile(&job.commits, 0.99));
  fflush(stdout);
  _exit(0);  // closing the clients is no part of what is measured
}
