import Formats

/// What only a worker knows of a product that it runs. It publishes it on the product's
/// observations port, a compacted topic in which the last record of a key counts, about once a
/// second while it changes.
package enum Observation: Hashable, Sendable {
  case instance(InstanceObservation)
  case partition(PartitionObservation)

  /// The record's key: who tells, or what it is about, so that a partition that moves has one
  /// record.
  package var key: String {
    switch self {
    case .instance(let instance): "instance/\(instance.instance)"
    case .partition(let place): "journal/\(place.journal)/\(place.partition)"
    }
  }

  package var json: JSONValue {
    switch self {
    case .instance(let instance): instance.json
    case .partition(let place): place.json
    }
  }

  /// Nil for a record that this version cannot read.
  package init?(_ json: JSONValue) {
    if let instance = InstanceObservation(json) {
      self = .instance(instance)
    } else if let place = PartitionObservation(json) {
      self = .partition(place)
    } else {
      return nil
    }
  }
}

/// How a product is doing in one instance of its domain's worker.
package struct InstanceObservation: Hashable, Sendable {
  package static let kind = "Instance"
  /// So often an instance tells that it is there, though nothing changes.
  package static let aliveMs: Int64 = 10_000

  package var instance: String
  /// `starting`, `restoring`, `running`, `waiting` or `stopped`.
  package var phase: String
  /// Why it waits or has stopped.
  package var reason: String?
  /// 64 hexadecimal digits.
  package var logic: String
  /// Of records, since the instance started. Over all instances the first, with those that were
  /// released, is the sum of the next five: one may apply what another has read.
  package var read: Int64 = 0
  package var applied: Int64 = 0
  package var filtered: Int64 = 0
  package var redelivered: Int64 = 0
  package var quarantined: Int64 = 0
  /// Waiting for a link; below zero where more went on than began to wait.
  package var held: Int64 = 0
  /// Came back from quarantine, so that they are once more in one of the five; and stay there.
  package var released: Int64 = 0
  package var discarded: Int64 = 0
  /// Records at event and state ports.
  package var published: Int64 = 0
  package var commits: Int64 = 0
  package var aborts: Int64 = 0
  /// From closing a turn to its commit, in milliseconds.
  package var commitP50Ms: Double?
  package var commitP99Ms: Double?
  /// Milliseconds since 1970.
  package var lastCommitMs: Int64?
  package var startedMs: Int64
  package var observedMs: Int64

  package init(
    instance: String, phase: String, logic: String, startedMs: Int64, observedMs: Int64
  ) {
    self.instance = instance
    self.phase = phase
    self.logic = logic
    self.startedMs = startedMs
    self.observedMs = observedMs
  }

  /// Whether it is the same but for when it was seen.
  package func isAsBefore(_ other: InstanceObservation) -> Bool {
    var copy = self
    copy.observedMs = other.observedMs
    return copy == other
  }
}

/// A journal partition and its state, as the instance that owns it has them.
package struct PartitionObservation: Hashable, Sendable {
  package static let kind = "JournalPartition"

  package var journal: String
  package var partition: Int32
  package var instance: String
  package var logic: String
  /// The offset of the first journal block that is not applied.
  package var position: Int64
  /// Rows of tables, without remembered event ids.
  package var stateRows: Int64
  /// Of the state's files, and of what is in memory.
  package var fileBytes: Int64
  package var memoryBytes: Int64
  package var held: [Held]
  /// How many wait behind one of their key that is in quarantine, and since when the first does.
  package var waiting: Int64
  package var waitingSinceMs: Int64?
  package var observedMs: Int64

  /// Events that are identified by one identifier, and those of them that wait for a link.
  package struct Held: Hashable, Sendable {
    package let identifier: String
    package let count: Int64
    /// How many are identified, or wait to be, since the journal began.
    package let asked: Int64
    /// When the first that waits was taken in, in milliseconds since 1970; nil: none does.
    package let sinceMs: Int64?
    package init(identifier: String, count: Int64, asked: Int64, sinceMs: Int64?) {
      self.identifier = identifier
      self.count = count
      self.asked = asked
      self.sinceMs = sinceMs
    }

    /// Of all events that are identified, the part that waits: from 0 to 1.
    package var share: Double { asked > 0 ? Double(count) / Double(asked) : 0 }
  }

  package init(
    journal: String, partition: Int32, instance: String, logic: String, position: Int64,
    stateRows: Int64, fileBytes: Int64, memoryBytes: Int64, held: [Held] = [],
    waiting: Int64 = 0, waitingSinceMs: Int64? = nil,
    observedMs: Int64
  ) {
    self.waiting = waiting
    self.waitingSinceMs = waitingSinceMs
    self.held = held
    self.journal = journal
    self.partition = partition
    self.instance = instance
    self.logic = logic
    self.position = position
    self.stateRows = stateRows
    self.fileBytes = fileBytes
    self.memoryBytes = memoryBytes
    self.observedMs = observedMs
  }

  /// Whether it is the same but for when it was seen.
  package func isAsBefore(_ other: PartitionObservation) -> Bool {
    var copy = self
    copy.observedMs = other.observedMs
    return copy == other
  }
}

// A stable form: other tools and later versions read it. Unknown members are ignored.

extension InstanceObservation {
  var json: JSONValue {
    .members([
      "kind": .string(InstanceObservation.kind), "instance": .string(instance),
      "phase": .string(phase), "reason": reason.map { .string($0) } ?? .null,
      "logicDigest": .string(logic), "read": .integer(read), "applied": .integer(applied),
      "filtered": .integer(filtered), "redelivered": .integer(redelivered),
      "quarantined": .integer(quarantined), "held": .integer(held),
      "released": .integer(released), "discarded": .integer(discarded),
      "published": .integer(published),
      "commits": .integer(commits), "aborts": .integer(aborts),
      "commitP50Ms": commitP50Ms.map { .double($0) } ?? .null,
      "commitP99Ms": commitP99Ms.map { .double($0) } ?? .null,
      "lastCommitMs": lastCommitMs.map { .integer($0) } ?? .null,
      "startedMs": .integer(startedMs), "observedMs": .integer(observedMs),
    ])
  }

  init?(_ json: JSONValue) {
    guard json["kind"]?.string == InstanceObservation.kind,
      let instance = json["instance"]?.string, let phase = json["phase"]?.string,
      let logic = json["logicDigest"]?.string, let started = json["startedMs"]?.int64,
      let observed = json["observedMs"]?.int64
    else { return nil }
    self.init(
      instance: instance, phase: phase, logic: logic, startedMs: started, observedMs: observed)
    reason = json["reason"]?.string
    read = json["read"]?.int64 ?? 0
    applied = json["applied"]?.int64 ?? 0
    filtered = json["filtered"]?.int64 ?? 0
    redelivered = json["redelivered"]?.int64 ?? 0
    quarantined = json["quarantined"]?.int64 ?? 0
    held = json["held"]?.int64 ?? 0
    released = json["released"]?.int64 ?? 0
    discarded = json["discarded"]?.int64 ?? 0
    published = json["published"]?.int64 ?? 0
    commits = json["commits"]?.int64 ?? 0
    aborts = json["aborts"]?.int64 ?? 0
    commitP50Ms = json["commitP50Ms"]?.double
    commitP99Ms = json["commitP99Ms"]?.double
    lastCommitMs = json["lastCommitMs"]?.int64
  }
}

extension PartitionObservation {
  var json: JSONValue {
    .members([
      "kind": .string(PartitionObservation.kind), "journal": .string(journal),
      "partition": .integer(Int64(partition)), "instance": .string(instance),
      "logicDigest": .string(logic), "position": .integer(position),
      "stateRows": .integer(stateRows), "fileBytes": .integer(fileBytes),
      "memoryBytes": .integer(memoryBytes), "held": .array(held.map(\.json)),
      "waiting": .integer(waiting),
      "waitingSinceMs": waitingSinceMs.map { .integer($0) } ?? .null,
      "observedMs": .integer(observedMs),
    ])
  }

  init?(_ json: JSONValue) {
    guard json["kind"]?.string == PartitionObservation.kind,
      let journal = json["journal"]?.string,
      let partition = json["partition"]?.int64.flatMap(Int32.init(exactly:)),
      let instance = json["instance"]?.string, let logic = json["logicDigest"]?.string,
      let position = json["position"]?.int64, let rows = json["stateRows"]?.int64,
      let fileBytes = json["fileBytes"]?.int64, let memoryBytes = json["memoryBytes"]?.int64,
      let observed = json["observedMs"]?.int64
    else { return nil }
    self.init(
      journal: journal, partition: partition, instance: instance, logic: logic,
      position: position, stateRows: rows, fileBytes: fileBytes, memoryBytes: memoryBytes,
      held: json["held"].all(Held.init) ?? [], waiting: json["waiting"]?.int64 ?? 0,
      waitingSinceMs: json["waitingSinceMs"]?.int64, observedMs: observed)
  }
}

extension PartitionObservation.Held {
  package var json: JSONValue {
    .members([
      "identifier": .string(identifier), "count": .integer(count), "asked": .integer(asked),
      "share": .double(share), "sinceMs": sinceMs.map { .integer($0) } ?? .null,
    ])
  }

  init?(_ json: JSONValue) {
    guard let identifier = json["identifier"]?.string, let count = json["count"]?.int64 else {
      return nil
    }
    self.init(
      identifier: identifier, count: count, asked: json["asked"]?.int64 ?? 0,
      sinceMs: json["sinceMs"]?.int64)
  }
}
