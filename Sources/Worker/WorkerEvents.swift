import Engine
import Kafka
import Observability
import Records
import State

// What a worker says; one type a message.

struct RulesDisabled: LogEvent {
  static let name = "unsafe-rules-disabled"
  let rules: [String]
  var level: LogLevel { .error }
  var message: String {
    "UNSAFE: rules that exactly-once rests on are switched off by \(UnsafeSettings.variable);"
      + " records will be lost or counted twice"
  }
  var fields: [LogField] { [LogField("rules", rules.joined(separator: ","))] }
}

struct ProductStarted: LogEvent {
  static let name = "product-started"
  let product: String, group: String, logic: String
  var level: LogLevel { .info }
  var message: String { "the product holds its instance and joins its group" }
  var fields: [LogField] {
    [LogField("product", product), LogField("group", group), LogField("logic", logic)]
  }
}

struct PartitionsTaken: LogEvent {
  static let name = "partitions-taken"
  let product: String, inputs: Int, journals: Int, behind: Int64
  var level: LogLevel { .info }
  var message: String {
    behind > 0 ? "partitions are assigned; state is re-applied first" : "partitions are assigned"
  }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("input_partitions", inputs),
      LogField("journal_partitions", journals), LogField("journal_offsets_behind", behind),
    ]
  }
}

struct PartitionsUnowned: LogEvent {
  static let name = "partitions-unowned"
  let product: String, partitions: [String]
  var level: LogLevel { .warning }
  var message: String { "partitions belong to no member; the group is made to divide them anew" }
  var fields: [LogField] {
    [LogField("product", product), LogField("partitions", partitions.joined(separator: ","))]
  }
}

struct NoPartitions: LogEvent {
  static let name = "no-partitions"
  let product: String
  var level: LogLevel { .warning }
  var message: String {
    "no partition is assigned to this instance: the group has not divided them yet, or it has more"
      + " instances than partitions and this one waits as a spare"
  }
  var fields: [LogField] { [LogField("product", product)] }
}

struct JournalSilent: LogEvent {
  static let name = "journal-silent"
  let product: String, topic: String, partition: Partition, seconds: Int64
  /// Whether an open transaction holds readers back; else the client hangs.
  let isHeld: Bool
  var level: LogLevel { .warning }
  var message: String {
    isHeld
      ? "an open transaction holds the journal back: input is taken, but not yet published. The broker"
        + " ends what a dead worker left when it times out; `kafka-transactions.sh` finds one that"
        + " hangs"
      : "no more of the journal comes, though there is more: nothing of it is applied or published;"
        + " the product reads its journal anew"
  }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("topic", topic),
      LogField("partition", Int(partition.value)), LogField("for_s", seconds),
    ]
  }
}

struct RecordsQuarantined: LogEvent {
  static let name = "records-quarantined"
  let product: String, records: Int64, last: QuarantineNote?
  var level: LogLevel { .warning }
  var message: String {
    "records could not be processed and are in quarantine; `weft quarantine list \(product)` shows"
      + " them"
  }
  var fields: [LogField] {
    var fields = [LogField("product", product), LogField("records", records)]
    if let last {
      fields += [
        LogField("last_reason", last.reason), LogField("last_topic", last.topic),
        LogField("last_partition", Int(last.partition)), LogField("last_offset", last.offset),
      ]
    }
    return fields
  }
}

struct ObservationsMissing: LogEvent {
  static let name = "observations-missing"
  let product: String, topic: String
  var level: LogLevel { .warning }
  var message: String {
    "the product's observations topic is not there, so `weft status` sees less; `weft apply` makes it"
  }
  var fields: [LogField] { [LogField("product", product), LogField("topic", topic)] }
}

struct StateRestored: LogEvent {
  static let name = "state-restored"
  let product: String, blocks: Int64, durationMs: Int64
  var level: LogLevel { .info }
  var message: String { "the state is where the journal was committed; inputs go on" }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("blocks", blocks),
      LogField("duration_ms", durationMs),
    ]
  }
}

struct StateRestoring: LogEvent {
  static let name = "state-restoring"
  let product: String, blocks: Int64, behind: Int64
  var level: LogLevel { .info }
  var message: String { "the journal is re-applied to the state; inputs wait" }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("blocks", blocks),
      LogField("journal_offsets_behind", behind),
    ]
  }
}

struct StateDiscarded: LogEvent {
  static let name = "state-discarded"
  let product: String, journal: String, partition: Partition, directory: String
  let objection: StateCheck.Objection
  var level: LogLevel { .warning }
  var message: String {
    "the state on disk \(objection.text); it is made anew from the journal"
  }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("topic", journal),
      LogField("partition", Int(partition.value)), LogField("directory", directory),
    ]
  }
}

extension StateCheck.Objection {
  /// As it goes on after "the state".
  var text: String {
    switch self {
    case .otherGeneration: "is of another build of the product"
    case .otherLogic: "was made by other logic than the product's files have"
    case .otherJournal: "is of another partition, or of a journal that was made anew since"
    case .ahead(let offset): "is ahead of what is committed, offset \(offset.value)"
    case .setElsewhere(let offset, _): "is not at offset \(offset.value), which somebody has set"
    case .damaged(let detail): "is damaged (\(detail))"
    }
  }
}

struct OffsetSetElsewhere: LogEvent {
  static let name = "offset-set-elsewhere"
  let product: String, topic: String, partition: Partition, offset: Offset
  var level: LogLevel { .warning }
  var message: String {
    "the offset of an input was not committed by a worker (kafka-consumer-groups?); it is gone on"
      + " from there: what lies before is not taken, and what was taken before only once where its"
      + " ids are still remembered"
  }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("topic", topic),
      LogField("partition", Int(partition.value)), LogField("offset", offset.value),
    ]
  }
}

struct MergesBehind: LogEvent {
  static let name = "state-merges-behind"
  let product: String, topic: String, partition: Partition, files: Int
  var level: LogLevel { .warning }
  var message: String {
    "the disk does not keep up with merging the state's files; the product takes in less until it"
      + " does"
  }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("topic", topic),
      LogField("partition", Int(partition.value)), LogField("files", files),
    ]
  }
}

struct StateNotWritten: LogEvent {
  static let name = "state-not-written"
  let product: String, topic: String, partition: Partition, failure: StoreFailure
  var level: LogLevel { .warning }
  var message: String {
    "a state could not be brought to disk before its partition went; nothing is lost, the next start"
      + " applies more: \(failure)"
  }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("topic", topic),
      LogField("partition", Int(partition.value)),
    ]
  }
}

struct TurnRolledBack: LogEvent {
  static let name = "turn-rolled-back"
  let product: String, reason: String
  var level: LogLevel { .warning }
  var message: String { "a turn was taken back; nothing of it is visible, it is done again" }
  var fields: [LogField] { [LogField("product", product), LogField("reason", reason)] }
}

struct ProducerRenewed: LogEvent {
  static let name = "producer-renewed"
  let product: String, reason: String
  var level: LogLevel { .warning }
  var message: String { "the producer is made anew and the committed offsets are read again" }
  var fields: [LogField] { [LogField("product", product), LogField("reason", reason)] }
}

struct ConnectionLost: LogEvent {
  static let name = "connection-lost"
  let product: String, reason: String
  var level: LogLevel { .info }
  var message: String { "a broker's connection was lost; the next turn has a producer of its own" }
  var fields: [LogField] { [LogField("product", product), LogField("reason", reason)] }
}

struct BrokersAway: LogEvent {
  static let name = "brokers-away"
  let product: String, bootstrap: String, reason: String, seconds: Int64
  var level: LogLevel { .warning }
  var message: String { "the brokers do not answer; the product keeps trying" }
  var fields: [LogField] {
    [
      LogField("product", product), LogField("bootstrap", bootstrap),
      LogField("reason", reason), LogField("for_s", seconds),
    ]
  }
}

struct ProductEnded: LogEvent {
  static let name = "product-stopped"
  let product: String, reason: StopReason
  var level: LogLevel { reason.exitCode == 0 ? .info : .error }
  var message: String { reason.message }
  var fields: [LogField] {
    [LogField("product", product), LogField("exit_code", Int(reason.exitCode))]
  }
}

struct KafkaSaid: LogEvent {
  static let name = "kafka-client"
  let product: String, line: ClientLogLine
  var level: LogLevel { line.level <= 3 ? .warning : .debug }
  var message: String { line.text }
  var fields: [LogField] {
    [LogField("product", product), LogField("facility", line.facility)]
  }
}
