// The limit for `map`: librdkafka alone copies a topic to another in transactions; nothing is read
// in the values. With BYTES and DROP it publishes as much as `map` does: the floor under it.
// usage: passthrough BOOTSTRAP INPUT OUTPUT EVENTS EVENTS_PER_TRANSACTION CODEC HEADERS
//          [BYTES DROP]
//   HEADERS  so many CloudEvents attributes on every record (0 to 6)
//   BYTES    only the beginning of each value;  DROP  every DROP-th record is left out
#include "client.h"

enum { batch_max = 2000, headers_max = 6 };

struct job {
  rd_kafka_t *producer, *consumer;
  rd_kafka_topic_t *output;
  rd_kafka_headers_t *attributes;
  size_t bytes_max;
  long drop, seen, taken, open;
  int64_t next[PARTITIONS_MAX];
  struct samples commits;
};

/// What CloudEvents' binary mode writes, in typical lengths; the first `count` of them.
static rd_kafka_headers_t *attributes(int count) {
  static const char *const each[headers_max][2] = {
      {"ce_id", "2-48151623-42-0"},
      {"ce_time", "2023-11-14T22:13:20.123Z"},
      {"ce_specversion", "1.0"},
      {"ce_source", "/bench/orders/orders"},
      {"ce_type", "bench.orders.orders.v1"},
      {"ce_recordedtime", "2023-11-14T22:13:21.456Z"}};
  rd_kafka_headers_t *made = rd_kafka_headers_new((size_t)count);
  for (int i = 0; i < count; i++) rd_kafka_header_add(made, each[i][0], -1, each[i][1], -1);
  return made;
}

static void publish_with_headers(struct job *job, const rd_kafka_message_t *m, size_t size) {
  rd_kafka_headers_t *copy = rd_kafka_headers_copy(job->attributes);
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        job->producer, RD_KAFKA_V_RKT(job->output), RD_KAFKA_V_PARTITION(m->partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(m->key, m->key_len),
        RD_KAFKA_V_VALUE(m->payload, size), RD_KAFKA_V_HEADERS(copy), RD_KAFKA_V_END);
    if (!error) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) FAIL("produce: %s", rd_kafka_err2str(error));
    rd_kafka_poll(job->producer, 10);
  }
}

static void copy(struct job *job, const rd_kafka_message_t *m) {
  job->next[m->partition] = m->offset + 1;
  job->taken++, job->open++;
  if (job->drop && ++job->seen % job->drop == 0) return;
  size_t size = m->len < job->bytes_max ? m->len : job->bytes_max;
  if (job->attributes)
    publish_with_headers(job, m, size);
  else
    publish(job->producer, job->output, m->partition, m->key, m->key_len, m->payload, size);
}

int main(int count, char **arguments) {
  if (count != 8 && count != 10)
    FAIL("usage: passthrough BOOTSTRAP INPUT OUTPUT EVENTS EVENTS_PER_TRANSACTION CODEC HEADERS"
         " [BYTES DROP]");
  const char *bootstrap = arguments[1], *input = arguments[2];
  long events = number_argument(arguments[4], "EVENTS");
  long turn = number_argument(arguments[5], "EVENTS_PER_TRANSACTION");
  long headers = number_argument(arguments[7], "HEADERS");
  if (headers > headers_max || !turn) FAIL("HEADERS are at most 6, a transaction at least 1");
  char name[64];
  snprintf(name, sizeof name, "limit-map-%d-%ld", getpid(), (long)time(NULL));
  struct job job = {.bytes_max = SIZE_MAX};
  if (count == 10) {
    job.bytes_max = (size_t)number_argument(arguments[8], "BYTES");
    job.drop = number_argument(arguments[9], "DROP");
  }
  int partitions;
  job.producer = transactional_producer(bootstrap, name, arguments[6], "5");
  job.output = warm_topic(job.producer, arguments[3], NULL);
  warm_topic(job.producer, input, &partitions);
  if (headers) job.attributes = attributes((int)headers);
  job.consumer = assigned_consumer(bootstrap, name, input, partitions, 0);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(job.consumer);

  rd_kafka_message_t *messages[batch_max];
  double began = 0, cpu_began = 0;
  must(rd_kafka_begin_transaction(job.producer), "begin");
  while (job.taken < events) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 20, messages, batch_max);
    if (got > 0 && !job.taken) began = clock_now(), cpu_began = cpu_now();
    for (ssize_t i = 0; i < got; i++) {
      if (!messages[i]->err) copy(&job, messages[i]);
      rd_kafka_message_destroy(messages[i]);
    }
    rd_kafka_poll(job.producer, 0);
    if (job.open < turn && job.taken < events) continue;
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
