// Publishes NDJSON files to topics: `feed [options] TOPIC=FILE...`
//
// A line is KEY<TAB>VALUE: the bytes before the first TAB are the record's key, those after it its
// value. No TAB: the value is null (a tombstone). A TAB and nothing after it: the value is empty.
// Nothing before the TAB: the record has no key. With --values a line is a value, all of it, and no
// record has a key. Lines keep their order; the files are read side by
// side, each at its share, as domains of a mesh publish at the same time.
//
// Keys go to the partition where Java producers put them (murmur2), the producer is idempotent.
// Exit code 0: every record was acknowledged; 1: some were not, or a file cannot be read; 2: usage.
#define _POSIX_C_SOURCE 200809L
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { inputs_max = 64, flush_ms = 60000 };

struct input {
  const char *topic;
  const char *path;
  FILE *file;
  int64_t size;  // bytes of the file
  int64_t read;  // bytes of it that were sent on
  bool ended;
};

struct settings {
  const char *bootstrap;
  double rate;    // records a second over all files; 0: as fast as it goes
  int64_t loops;  // how often the files are published; 0: until a signal
  bool values;    // lines are values without keys
  bool quiet;
};

static struct {
  int64_t sent;
  int64_t failed;
  rd_kafka_resp_err_t first_error;
} delivered;

static volatile sig_atomic_t stopped;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void usage(void) {
  fputs(
      "usage: feed [OPTIONS] TOPIC=FILE...   lines KEY<TAB>VALUE\n"
      "  --values     lines are values, without keys\n"
      "  --bootstrap  the broker (default: $KAFKA_BOOTSTRAP)\n"
      "  --rate       records a second over all files (default: as fast as it goes)\n"
      "  --loop       how often the files are published (default 1; 0: until Ctrl-C)\n"
      "  --quiet      no progress\n",
      stderr);
  exit(2);
}

// Only failures are reported (delivery.report.only.error).
static void report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client, (void)opaque;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  if (delivered.failed++ == 0) delivered.first_error = message->err;
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque) {
  (void)client, (void)opaque;
  fprintf(stderr, "\nfeed: %s (%s)\n", reason, rd_kafka_err2name((rd_kafka_resp_err_t)code));
}

static rd_kafka_t *producer(const char *bootstrap) {
  static const char *const properties[][2] = {
      {"enable.idempotence", "true"},
      {"partitioner", "murmur2_random"},
      {"compression.codec", "lz4"},
      {"linger.ms", "5"},
      {"socket.nagle.disable", "true"},
      {"message.max.bytes", "64000000"},  // what is too large, the topic says
      {"queue.buffering.max.messages", "50000"},
      {"delivery.report.only.error", "true"},
      {"message.timeout.ms", "60000"},
      {"topic.metadata.propagation.max.ms", "3000"},  // a topic that is not there, is said soon
      {"log_level", "3"},
  };
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
    if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], error, sizeof error)) {
      fprintf(stderr, "feed: %s\n", error);
      exit(1);
    }
  }
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, error, sizeof error);
  rd_kafka_conf_set_dr_msg_cb(conf, report);
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (!client) {
    fprintf(stderr, "feed: %s\n", error);
    exit(1);
  }
  return client;
}

// The file that is furthest behind the others; NULL when all have ended.
static struct input *next_input(struct input *inputs, int count) {
  struct input *behind = NULL;
  double least = 2;
  for (int i = 0; i < count; i++) {
    double share = inputs[i].size ? (double)inputs[i].read / (double)inputs[i].size : 1;
    if (inputs[i].ended || share >= least) continue;
    least = share;
    behind = &inputs[i];
  }
  return behind;
}

static void publish(
    rd_kafka_t *client, const char *topic, char *line, size_t length, bool is_value) {
  char *tab = is_value ? NULL : memchr(line, '\t', length);
  size_t key_length = tab ? (size_t)(tab - line) : is_value ? 0 : length;
  void *key = key_length ? line : NULL;
  void *value = tab ? tab + 1 : is_value ? line : NULL;
  size_t value_length = tab ? length - key_length - 1 : is_value ? length : 0;
  for (;;) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE(value, value_length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && !stopped) {
      rd_kafka_poll(client, 100);
      continue;
    }
    if (error && delivered.failed++ == 0) delivered.first_error = error;
    break;
  }
  delivered.sent++;
}

static void progress(const struct input *inputs, int count, double began, bool last) {
  static double shown;
  static bool terminal, asked;
  if (!asked) terminal = isatty(STDERR_FILENO), asked = true, shown = began;
  double now = seconds();
  if (!last && now - shown < (terminal ? 0.1 : 2)) return;
  shown = now;
  int64_t read = 0, size = 0;
  for (int i = 0; i < count; i++) read += inputs[i].read, size += inputs[i].size;
  double part = size ? (double)read / (double)size : 1;
  double rate = (double)delivered.sent / (now - began > 0.001 ? now - began : 0.001);
  char bar[31];
  for (int i = 0; i < 30; i++) bar[i] = i < (int)(part * 30 + 0.5) ? '#' : '.';
  bar[30] = 0;
  fprintf(stderr, "%s   [%s] %3d %%  %lld records, %.0f/s%s", terminal ? "\r" : "", bar,
          (int)(part * 100), (long long)delivered.sent, rate, terminal && !last ? " \033[K" : "\n");
}

// Once through all files.
static void feed(
    rd_kafka_t *client, struct input *inputs, int count, const struct settings *settings,
    double began) {
  char *line = NULL;
  size_t room = 0;
  for (int i = 0; i < count; i++) {
    rewind(inputs[i].file);
    inputs[i].read = 0;
    inputs[i].ended = inputs[i].size == 0;
  }
  for (struct input *input; !stopped && (input = next_input(inputs, count));) {
    ssize_t length = getline(&line, &room, input->file);
    if (length < 0) {
      input->ended = true;
      continue;
    }
    input->read += length;
    if (line[length - 1] == '\n') length--;
    if (length == 0) continue;
    publish(client, input->topic, line, (size_t)length, settings->values);
    if (settings->rate > 0) {
      double due = began + (double)delivered.sent / settings->rate;
      for (double left; !stopped && (left = due - seconds()) > 0;)
        rd_kafka_poll(client, left > 0.1 ? 100 : (int)(left * 1000) + 1);
    }
    if (delivered.sent % 64 == 0) {
      rd_kafka_poll(client, 0);
      if (!settings->quiet) progress(inputs, count, began, false);
    }
  }
  free(line);
}

static int open_inputs(char **arguments, int count, struct input *inputs) {
  if (count < 1 || count > inputs_max) usage();
  for (int i = 0; i < count; i++) {
    char *equals = strchr(arguments[i], '=');
    if (!equals || equals == arguments[i]) usage();
    *equals = 0;
    inputs[i] = (struct input){.topic = arguments[i], .path = equals + 1};
    inputs[i].file = fopen(inputs[i].path, "rb");
    if (!inputs[i].file || fseeko(inputs[i].file, 0, SEEK_END)) {
      perror(inputs[i].path);
      exit(1);
    }
    inputs[i].size = ftello(inputs[i].file);
  }
  return count;
}

int main(int count, char **arguments) {
  struct settings settings = {.bootstrap = getenv("KAFKA_BOOTSTRAP"), .loops = 1};
  int at = 1;
  for (; at < count && !strncmp(arguments[at], "--", 2); at++) {
    if (!strcmp(arguments[at], "--quiet") || !strcmp(arguments[at], "--values")) {
      *(arguments[at][2] == 'q' ? &settings.quiet : &settings.values) = true;
      continue;
    }
    if (at + 1 >= count) usage();
    char *value = arguments[at + 1], *end = value;
    if (!strcmp(arguments[at], "--bootstrap")) settings.bootstrap = value, end += strlen(value);
    else if (!strcmp(arguments[at], "--rate")) settings.rate = strtod(value, &end);
    else if (!strcmp(arguments[at], "--loop")) settings.loops = strtoll(value, &end, 10);
    else usage();
    if (end == value || *end || settings.rate < 0 || settings.loops < 0) usage();
    at++;
  }
  if (!settings.bootstrap || !*settings.bootstrap) usage();
  struct input inputs[inputs_max];
  int files = open_inputs(arguments + at, count - at, inputs);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  rd_kafka_t *client = producer(settings.bootstrap);
  double began = seconds();
  for (int64_t loop = 0; !stopped && (settings.loops == 0 || loop < settings.loops); loop++)
    feed(client, inputs, files, &settings, began);
  if (rd_kafka_flush(client, stopped ? 5000 : flush_ms)) {
    int left = rd_kafka_outq_len(client);
    fprintf(stderr, "feed: %d records were not acknowledged\n", left);
    delivered.failed += left;
  }
  if (!settings.quiet) progress(inputs, files, began, true);
  if (delivered.failed)
    fprintf(stderr, "feed: %lld of %lld records failed, the first with: %s\n",
            (long long)delivered.failed, (long long)delivered.sent,
            rd_kafka_err2str(delivered.first_error));
  rd_kafka_destroy(client);
  return delivered.failed ? 1 : 0;
}
