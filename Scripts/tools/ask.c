// Asks a cluster, question by question: what the suite steers by.
// usage: ask BOOTSTRAP
//
// One question a line on standard input, one answer a line on standard output, as JSON:
//   create TOPIC PARTITIONS           {"ok":true}; one that exists is left as it is
//   leaders TOPIC                     {"leaders":[NODE,…],"in_sync":[COUNT,…],"replicas":[COUNT,…]}
//   ends TOPIC                        {"ends":[OFFSET,…]}, without regard to transactions
//   group GROUP                       {"state":…,"coordinator":NODE,"members":[{"id":…,
//                                      "instance":…,"client":…,"partitions":COUNT},…]}
//   owners GROUP TOPIC                {"state":…,"owners":[INSTANCE,…]}, by partition; nobody: ""
//   committed GROUP TOPIC PARTITIONS  {"committed":[OFFSET,…]} (-1001: none)
// What cannot be answered is {"error":TEXT}.
#include "client.h"

enum { timeout_ms = 10000, words_max = 4 };

static rd_kafka_t *asking;

static void print_error(const char *text) { printf("{\"error\":\"%s\"}\n", text); }

/// Runs one admin call to its end; NULL when it failed, and then that was said.
static rd_kafka_event_t *await(rd_kafka_queue_t *queue) {
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
  if (event && !rd_kafka_event_error(event)) return event;
  print_error(event ? rd_kafka_err2str(rd_kafka_event_error(event)) : "no answer in time");
  if (event) rd_kafka_event_destroy(event);
  return NULL;
}

static void create(const char *topic, int partitions) {
  char why[256];
  rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof why);
  if (!wanted) return print_error(why);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(asking);
  rd_kafka_CreateTopics(asking, &wanted, 1, NULL, queue);
  rd_kafka_event_t *event = await(queue);
  if (event) {
    size_t count;
    const rd_kafka_topic_result_t **each =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t error = count ? rd_kafka_topic_result_error(each[0]) : 0;
    if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      print_error(rd_kafka_err2str(error));
    else
      puts("{\"ok\":true}");
    rd_kafka_event_destroy(event);
  }
  rd_kafka_NewTopic_destroy(wanted);
  rd_kafka_queue_destroy(queue);
}

static void leaders(const char *name) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(asking, name, NULL);
  const struct rd_kafka_metadata *found;
  rd_kafka_resp_err_t error = rd_kafka_metadata(asking, 0, topic, &found, timeout_ms);
  rd_kafka_topic_destroy(topic);
  if (error) return print_error(rd_kafka_err2str(error));
  const struct rd_kafka_metadata_topic *t = &found->topics[0];
  if (t->err || !t->partition_cnt) {
    print_error(t->err ? rd_kafka_err2str(t->err) : "no partitions yet");
    return rd_kafka_metadata_destroy(found);
  }
  printf("{\"leaders\":[");
  for (int p = 0; p < t->partition_cnt; p++)
    printf("%s%d", p ? "," : "", t->partitions[p].leader);
  printf("],\"in_sync\":[");
  for (int p = 0; p < t->partition_cnt; p++)
    printf("%s%d", p ? "," : "", t->partitions[p].isr_cnt);
  printf("],\"replicas\":[");
  for (int p = 0; p < t->partition_cnt; p++)
    printf("%s%d", p ? "," : "", t->partitions[p].replica_cnt);
  puts("]}");
  rd_kafka_metadata_destroy(found);
}

static void ends(const char *topic) {
  const struct rd_kafka_metadata *found;
  rd_kafka_topic_t *handle = rd_kafka_topic_new(asking, topic, NULL);
  rd_kafka_resp_err_t error = rd_kafka_metadata(asking, 0, handle, &found, timeout_ms);
  rd_kafka_topic_destroy(handle);
  if (error) return print_error(rd_kafka_err2str(error));
  int count = found->topics[0].err ? 0 : found->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(found);
  if (!count || count > PARTITIONS_MAX) return print_error("no partitions yet, or too many");
  int64_t high[PARTITIONS_MAX], low;
  for (int p = 0; p < count; p++) {
    error = rd_kafka_query_watermark_offsets(asking, topic, p, &low, &high[p], timeout_ms);
    if (error) return print_error(rd_kafka_err2str(error));
  }
  printf("{\"ends\":[");
  for (int p = 0; p < count; p++) printf("%s%lld", p ? "," : "", (long long)high[p]);
  puts("]}");
}

/// What the member was given; NULL for nothing.
static const rd_kafka_topic_partition_list_t *partitions_of(
    const rd_kafka_MemberDescription_t *member) {
  const rd_kafka_MemberAssignment_t *has = rd_kafka_MemberDescription_assignment(member);
  return has ? rd_kafka_MemberAssignment_partitions(has) : NULL;
}

static void print_members(const rd_kafka_ConsumerGroupDescription_t *group) {
  size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(group, i);
    const rd_kafka_topic_partition_list_t *list = partitions_of(m);
    const char *instance = rd_kafka_MemberDescription_group_instance_id(m);
    printf(
        "%s{\"id\":\"%s\",\"instance\":\"%s\",\"client\":\"%s\",\"partitions\":%d}", i ? "," : "",
        rd_kafka_MemberDescription_consumer_id(m), instance ? instance : "",
        rd_kafka_MemberDescription_client_id(m), list ? list->cnt : 0);
  }
}

/// The group's description, in an event that the caller destroys; NULL when there is none, and then
/// that was said.
static const rd_kafka_ConsumerGroupDescription_t *describe(
    const char *name, rd_kafka_event_t **event) {
  rd_kafka_queue_t *queue = rd_kafka_queue_new(asking);
  rd_kafka_DescribeConsumerGroups(asking, &name, 1, NULL, queue);
  *event = await(queue);
  rd_kafka_queue_destroy(queue);
  if (!*event) return NULL;
  size_t count;
  const rd_kafka_ConsumerGroupDescription_t **each = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(*event), &count);
  const rd_kafka_error_t *error = count ? rd_kafka_ConsumerGroupDescription_error(each[0]) : NULL;
  if (count && !error) return each[0];
  print_error(error ? rd_kafka_error_string(error) : "no answer");
  rd_kafka_event_destroy(*event);
  return NULL;
}

static const char *state_of(const rd_kafka_ConsumerGroupDescription_t *group) {
  return rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group));
}

static void group(const char *name) {
  rd_kafka_event_t *event;
  const rd_kafka_ConsumerGroupDescription_t *found = describe(name, &event);
  if (!found) return;
  const rd_kafka_Node_t *node = rd_kafka_ConsumerGroupDescription_coordinator(found);
  printf(
      "{\"state\":\"%s\",\"coordinator\":%d,\"members\":[", state_of(found),
      node ? rd_kafka_Node_id(node) : -1);
  print_members(found);
  puts("]}");
  rd_kafka_event_destroy(event);
}

static void owners(const char *name, const char *topic) {
  rd_kafka_event_t *event;
  const rd_kafka_ConsumerGroupDescription_t *found = describe(name, &event);
  if (!found) return;
  const char *owner[PARTITIONS_MAX] = {NULL};
  int partitions;
  rd_kafka_topic_destroy(warm_topic(asking, topic, &partitions));
  size_t members = rd_kafka_ConsumerGroupDescription_member_count(found);
  for (size_t i = 0; i < members; i++) {
    const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(found, i);
    const rd_kafka_topic_partition_list_t *list = partitions_of(m);
    const char *instance = rd_kafka_MemberDescription_group_instance_id(m);
    for (int p = 0; list && p < list->cnt; p++) {
      const rd_kafka_topic_partition_t *one = &list->elems[p];
      if (!strcmp(one->topic, topic) && one->partition < partitions)
        owner[one->partition] = instance ? instance : rd_kafka_MemberDescription_consumer_id(m);
    }
  }
  printf("{\"state\":\"%s\",\"owners\":[", state_of(found));
  for (int p = 0; p < partitions; p++) printf("%s\"%s\"", p ? "," : "", owner[p] ? owner[p] : "");
  puts("]}");
  rd_kafka_event_destroy(event);
}

static void committed(const char *group, const char *topic, int partitions) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; p++) rd_kafka_topic_partition_list_add(list, topic, p);
  rd_kafka_ListConsumerGroupOffsets_t *wanted =
      rd_kafka_ListConsumerGroupOffsets_new(group, list);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(asking);
  rd_kafka_ListConsumerGroupOffsets(asking, &wanted, 1, NULL, queue);
  rd_kafka_event_t *event = await(queue);
  if (event) {
    size_t count;
    const rd_kafka_group_result_t **each = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    const rd_kafka_topic_partition_list_t *found =
        count ? rd_kafka_group_result_partitions(each[0]) : NULL;
    printf("{\"committed\":[");
    for (int p = 0; found && p < found->cnt; p++)
      printf("%s%lld", p ? "," : "", (long long)found->elems[p].offset);
    puts("]}");
    rd_kafka_event_destroy(event);
  }
  rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_destroy(queue);
}

static int split(char *line, char **words) {
  int count = 0;
  for (char *word = strtok(line, " \n"); word && count < words_max; word = strtok(NULL, " \n"))
    words[count++] = word;
  return count;
}

int main(int count, char **arguments) {
  if (count != 2) FAIL("usage: ask BOOTSTRAP");
  const char *pairs[] = {
      "group.id", "suite-ask", "isolation.level", "read_uncommitted", "log_level", "2", NULL};
  asking = client(RD_KAFKA_CONSUMER, settings(arguments[1], pairs));
  char line[1024], *words[words_max];
  while (fgets(line, sizeof line, stdin)) {
    int given = split(line, words);
    if (given == 3 && !strcmp(words[0], "create"))
      create(words[1], atoi(words[2]));
    else if (given == 2 && !strcmp(words[0], "leaders"))
      leaders(words[1]);
    else if (given == 2 && !strcmp(words[0], "ends"))
      ends(words[1]);
    else if (given == 2 && !strcmp(words[0], "group"))
      group(words[1]);
    else if (given == 3 && !strcmp(words[0], "owners"))
      owners(words[1], words[2]);
    else if (given == 4 && !strcmp(words[0], "committed"))
      committed(words[1], words[2], atoi(words[3]));
    else
      print_error("no such question");
    fflush(stdout);
  }
  _exit(0);
}
