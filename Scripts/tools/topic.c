// Creates topics that are not there yet: `topic [options] NAME...`
//
// For the operational topics, which belong to the sources of a mesh: `weft apply` makes only its
// own. A topic that exists is left as it is.
// Exit code 0: all of them exist now; 1: one was refused; 2: usage; 4: the broker does not answer.
#define _POSIX_C_SOURCE 200809L
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { timeout_ms = 30000, names_max = 64, settings_max = 16 };

static void usage(void) {
  fputs(
      "usage: topic [--bootstrap HOST:PORT] [--partitions N] [--set NAME=VALUE] TOPIC...\n"
      "  --partitions  of a topic that is made (default 4)\n"
      "  --set         a setting of a topic that is made, such as retention.ms=-1\n",
      stderr);
  exit(2);
}

static rd_kafka_t *client_of(const char *bootstrap) {
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, error, sizeof error);
  rd_kafka_conf_set(conf, "log_level", "2", error, sizeof error);
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (!client) {
    fprintf(stderr, "topic: %s\n", error);
    exit(4);
  }
  return client;
}

// 0, 1 or 4, as the program ends.
static int create(rd_kafka_t *client, rd_kafka_NewTopic_t **topics, size_t count) {
  rd_kafka_AdminOptions_t *options =
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  char error[512];
  rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, error, sizeof error);
  rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, error, sizeof error);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
  rd_kafka_CreateTopics(client, topics, count, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 5000);
  int code = 0;
  if (!event || rd_kafka_event_error(event)) {
    fprintf(stderr, "topic: %s\n", event ? rd_kafka_event_error_string(event) : "no answer");
    code = 4;
  } else {
    size_t answers;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &answers);
    for (size_t i = 0; i < answers; i++) {
      rd_kafka_resp_err_t answer = rd_kafka_topic_result_error(results[i]);
      if (!answer || answer == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
      fprintf(stderr, "topic: %s: %s\n", rd_kafka_topic_result_name(results[i]),
              rd_kafka_topic_result_error_string(results[i]));
      code = 1;
    }
  }
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  return code;
}

int main(int count, char **arguments) {
  const char *bootstrap = getenv("KAFKA_BOOTSTRAP");
  char *settings[settings_max];
  int set = 0, at = 1;
  long partitions = 4;
  for (; at + 1 < count && !strncmp(arguments[at], "--", 2); at += 2) {
    char *value = arguments[at + 1], *end = value;
    if (!strcmp(arguments[at], "--bootstrap")) bootstrap = value;
    else if (!strcmp(arguments[at], "--partitions")) {
      partitions = strtol(value, &end, 10);
      if (*end || partitions < 1 || partitions > 10000) usage();
    } else if (!strcmp(arguments[at], "--set")) {
      if (set == settings_max || !strchr(value, '=')) usage();
      settings[set++] = value;
    } else usage();
  }
  if (!bootstrap || at >= count || count - at > names_max) usage();
  for (int i = 0; i < set; i++) *strchr(settings[i], '=') = 0;
  rd_kafka_t *client = client_of(bootstrap);
  rd_kafka_NewTopic_t *topics[names_max];
  char error[512];
  for (int i = at; i < count; i++) {
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(arguments[i], (int)partitions, -1, error, sizeof error);
    if (!topic) {
      fprintf(stderr, "topic: %s: %s\n", arguments[i], error);
      return 1;
    }
    for (int s = 0; s < set; s++)
      rd_kafka_NewTopic_set_config(topic, settings[s], settings[s] + strlen(settings[s]) + 1);
    topics[i - at] = topic;
  }
  int code = create(client, topics, (size_t)(count - at));
  rd_kafka_NewTopic_destroy_array(topics, (size_t)(count - at));
  rd_kafka_destroy(client);
  return code;
}
