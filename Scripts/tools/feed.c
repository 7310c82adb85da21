// Publishes NDJSON files to topics: `feed [options] TOPIC=FILE...`
//
// A line is KEY<TAB>VALUE: the bytes before the first TAB are the record's key, those after it its
// value. No TAB: the value is null (a tombstone). A TAB and nothing after it: the value is empty.
// Nothing before the TAB: the record has no key. With --values a line is a value, all of it, and no
// record has a key. Lines keep their order; the files are read side by
// side, each at its share, as domains of a mesh publish at the same time.
//
// Two mistakes are told instead of published: a document where a key is expected (--values was
// forgotten), and a key before a document under --values. A topic that is not there is not made.
//
// Keys go to the partition where Java producers put them (murmur2), the producer is idempotent.
// Exit code 0: every record was acknowledged; 1: some were not, a line looks wrong, a topic is not
// there, or a file cannot be read; 2: usage.
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
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

enum { inputs_max = 64, flush_ms = 60000, answer_ms = 30000 };

struct input {
  const char *topic;
  const char *path;
  FILE *file;
  int64_t size;  // bytes of the file
  int64_t read;  // bytes of it that were sent on
  int64_t line;  // of the file, from 1
  int64_t sent;  // records, over all loops
  int64_t tombstones;
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

static void print_usage(FILE *stream) {
  fputs(
      "usage: feed [OPTIONS] TOPIC=FILE...   lines KEY<TAB>VALUE; no TAB: a tombstone of that key\n"
      "  --values     lines are values, without keys\n"
      "  --bootstrap  the broker (default: $KAFKA_BOOTSTRAP)\n"
      "  --rate       records a second over all files (default: as fast as it goes)\n"
      "  --loop       how often the files are published (default 1; 0: until Ctrl-C)\n"
      "  --quiet      no progress\n",
      stream);
}

// What is wrong with the command line, and how it goes.
static void usage(const char *problem, const char *word) {
  fprintf(stderr, "feed: %s%s\n", problem, word);
  print_usage(stderr);
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
  fprintf(stderr, "feed: %s (%s)\n", reason, rd_kafka_err2name((rd_kafka_resp_err_t)code));
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

// Asks for all topics: asking for one by its name would make it, on a broker that makes topics
// unasked. Ends the program when one of those to feed is not there.
static void check_topics(
    rd_kafka_t *client, const char *bootstrap, const struct input *inputs, int count) {
  const struct rd_kafka_metadata *metadata;
  rd_kafka_resp_err_t error = rd_kafka_metadata(client, 1, NULL, &metadata, answer_ms);
  if (error) {
    fprintf(stderr, "feed: no broker answers at %s: %s\n", bootstrap, rd_kafka_err2str(error));
    exit(1);
  }
  bool all = true;
  for (int i = 0; i < count; i++) {
    bool there = false;
    for (int topic = 0; topic < metadata->topic_cnt && !there; topic++)
      there = !strcmp(metadata->topics[topic].topic, inputs[i].topic);
    if (there) continue;
    all = false;
    fprintf(
        stderr,
        "feed: there is no topic %s at %s; `weft apply --create-inputs` makes those of a product\n",
        inputs[i].topic, bootstrap);
  }
  rd_kafka_metadata_destroy(metadata);
  if (!all) exit(1);
}

// Whether a text begins as a JSON object does.
static bool is_document(const char *text, size_t length) {
  size_t at = 0;
  while (at < length && (text[at] == ' ' || text[at] == '\t')) at++;
  return at < length && text[at] == '{';
}

// What is wrong with a line, in a few words; NULL if it looks right.
static const char *suspicion(const char *line, size_t length, bool is_value) {
  const char *tab = memchr(line, '\t', length);
  if (!is_value)
    return !tab && is_document(line, length)
               ? "a document without a key and a TAB would be a key without a value; if lines are "
                 "values, add --values"
               : NULL;
  bool keyed = tab && tab > line && !is_document(line, length) &&
               is_document(tab + 1, length - (size_t)(tab + 1 - line));
  return keyed ? "there is a key and a TAB before the document; leave --values away" : NULL;
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

// Once through all files; false when a line looks wrong.
static bool feed(
    rd_kafka_t *client, struct input *inputs, int count, const struct settings *settings,
    double began) {
  char *line = NULL;
  const char *problem = NULL;
  size_t room = 0;
  for (int i = 0; i < count; i++) {
    rewind(inputs[i].file);
    inputs[i].read = inputs[i].line = 0;
    inputs[i].ended = inputs[i].size == 0;
  }
  for (struct input *input; !stopped && (input = next_input(inputs, count));) {
    ssize_t length = getline(&line, &room, input->file);
    if (length < 0) {
      input->ended = true;
      continue;
    }
    input->read += length;
    input->line++;
    if (line[length - 1] == '\n') length--;
    if (length == 0) continue;
    problem = suspicion(line, (size_t)length, settings->values);
    if (problem) {
      fprintf(stderr, "feed: %s:%lld: %s\n", input->path, (long long)input->line, problem);
      break;
    }
    input->sent++;
    if (!settings->values && !memchr(line, '\t', (size_t)length)) input->tombstones++;
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
  return !problem;
}

// A file of tombstones alone is more likely a file of something else.
static void tell_tombstones(const struct input *inputs, int count) {
  for (int i = 0; i < count; i++) {
    if (inputs[i].sent == 0 || inputs[i].tombstones < inputs[i].sent) continue;
    fprintf(
        stderr, "feed: all %lld records of %s are tombstones, as none of its lines has a TAB\n",
        (long long)inputs[i].sent, inputs[i].path);
  }
}

static int open_inputs(char **arguments, int count, struct input *inputs) {
  if (count < 1) usage("what to feed is missing", "");
  if (count > inputs_max) usage("too many files: ", arguments[inputs_max]);
  for (int i = 0; i < count; i++) {
    char *equals = strchr(arguments[i], '=');
    if (!equals || equals == arguments[i]) usage("this is no TOPIC=FILE: ", arguments[i]);
    *equals = 0;
    inputs[i] = (struct input){.topic = arguments[i], .path = equals + 1};
    inputs[i].file = fopen(inputs[i].path, "rb");
    if (!inputs[i].file || fseeko(inputs[i].file, 0, SEEK_END)) {
      fprintf(stderr, "feed: %s: %s\n", inputs[i].path, strerror(errno));
      exit(1);
    }
    inputs[i].size = ftello(inputs[i].file);
  }
  return count;
}

// The options, which stand before the files; the index of the first word behind them.
static int read_options(int count, char **arguments, struct settings *settings) {
  int at = 1;
  for (; at < count && arguments[at][0] == '-'; at++) {
    const char *option = arguments[at];
    if (!strcmp(option, "--help") || !strcmp(option, "-h")) {
      print_usage(stdout);
      exit(0);
    }
    if (!strcmp(option, "--quiet") || !strcmp(option, "--values")) {
      *(option[2] == 'q' ? &settings->quiet : &settings->values) = true;
      continue;
    }
    bool bootstrap = !strcmp(option, "--bootstrap"), rate = !strcmp(option, "--rate");
    if (!bootstrap && !rate && strcmp(option, "--loop")) usage("unknown option ", option);
    if (at + 1 >= count) usage("a value is missing behind ", option);
    char *value = arguments[++at], *end = value;
    if (bootstrap) settings->bootstrap = value, end += strlen(value);
    else if (rate) settings->rate = strtod(value, &end);
    else settings->loops = strtoll(value, &end, 10);
    if (end == value || *end || settings->rate < 0 || settings->loops < 0)
      usage("this is no number: ", value);
  }
  return at;
}

int main(int count, char **arguments) {
  struct settings settings = {.bootstrap = getenv("KAFKA_BOOTSTRAP"), .loops = 1};
  int at = read_options(count, arguments, &settings);
  if (!settings.bootstrap || !*settings.bootstrap)
    usage("it is not said where the broker is: ", "set KAFKA_BOOTSTRAP, or give --bootstrap");
  struct input inputs[inputs_max];
  int files = open_inputs(arguments + at, count - at, inputs);
  rd_kafka_t *client = producer(settings.bootstrap);
  check_topics(client, settings.bootstrap, inputs, files);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  double began = seconds();
  bool good = true;
  for (int64_t loop = 0; good && !stopped && (settings.loops == 0 || loop < settings.loops); loop++)
    good = feed(client, inputs, files, &settings, began);
  if (rd_kafka_flush(client, stopped ? 5000 : flush_ms)) {
    int left = rd_kafka_outq_len(client);
    fprintf(stderr, "feed: %d records were not acknowledged\n", left);
    delivered.failed += left;
  }
  if (!settings.quiet) progress(inputs, files, began, true);
  tell_tombstones(inputs, files);
  if (!good)
    fprintf(stderr, "feed: gave up there; %lld records were sent before\n",
            (long long)(delivered.sent - delivered.failed));
  if (delivered.failed)
    fprintf(stderr, "feed: %lld of %lld records failed, the first with: %s\n",
            (long long)delivered.failed, (long long)delivered.sent,
            rd_kafka_err2str(delivered.first_error));
  rd_kafka_destroy(client);
  return good && !delivered.failed ? 0 : 1;
}
