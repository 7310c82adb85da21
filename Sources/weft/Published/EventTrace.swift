import Diagnostics
import Engine
import Formats
import Kafka
import Mesh
import Product
import Records

/// Where an event is in a product: in its inputs, its journals, its ports, its quarantine.
struct EventTrace {
  /// An event in a journal: it was taken in, or handed on to a chained journal.
  struct Journaled {
    /// Where a chained journal has the event from, and by which global ids it was known then.
    struct Origin {
      let journal: String
      let partition: Int32
      let block: Int64
      let index: Int
      let ids: [String]
      /// Its link has changed: what was handed on before is taken back, or said anew as of these
      /// ids; nil: it was handed on for the first time.
      let isTakenBack: Bool?
    }
    let journal: CatalogProduct.Topic
    let partition: Int32
    let block: Int64
    let index: Int
    let recordedMs: Int64
    let input: CatalogProduct.Topic?
    let sourcePartition: Int32
    let sourceOffset: Int64
    /// Nil where ingest has written it.
    let origin: Origin?
    /// Whether an earlier one of the input in the same partition has the id, and nothing at the
    /// ports comes from this one: under the same key it has no effect, unless the horizon was over.
    var isRedelivered: Bool
    /// Whether the group has committed the journal beyond it.
    let isApplied: Bool
    /// It comes from this place in quarantine, as an operator says.
    let releasedFrom: Int64?
    /// Whether it takes back the record of the id.
    let isRetraction: Bool
  }

  /// A record of an input that is still to be taken in. Its bytes hold the id; whether as the id,
  /// the product's files would say.
  struct Waiting {
    let input: CatalogProduct.Topic
    let partition: Int32
    let offset: Int64
    /// How many offsets of its partition come before it.
    let behind: Int64
  }

  /// A record at a port, or in quarantine.
  struct Published {
    let port: String
    let topic: String
    let record: ReadRecord
    /// Otherwise it only holds the event's id somewhere, perhaps as another field.
    var isCertain = true
  }

  let id: String
  private(set) var waiting: [Waiting] = []
  private(set) var journaled: [Journaled] = []
  private(set) var published: [Published] = []
  private(set) var quarantined: [Published] = []
  /// Ports whose records do not say which event they come from (`envelope: bare`).
  private(set) var silentPorts: [String] = []

  private let product: CatalogProduct
  private let settings: ClientSettings

  init(_ id: String, _ found: PublishedProduct) {
    self.id = id
    product = found.product
    settings = found.settings
  }

  /// Whether nothing of it was found.
  var isNowhere: Bool {
    waiting.isEmpty && journaled.isEmpty && published.isEmpty && quarantined.isEmpty
  }

  /// Reads journals, then ports and quarantine, all of them, and where the event is in none, what
  /// the inputs have that was not taken in; `progress` is told what is read.
  mutating func find(_ broker: Broker, _ progress: (String) -> Void) throws {
    for journal in product.journals {
      try broker.run { admin, deadline in
        try search(journal, admin, deadline, progress)
      }
    }
    for port in product.ports {
      try broker.run { _, deadline in try searchPort(port, deadline, progress) }
    }
    try broker.run { _, deadline in try searchQuarantine(deadline, progress) }
    for input in product.inputs where isNowhere {
      try broker.run { admin, deadline in try searchInput(input, admin, deadline, progress) }
    }
  }

  /// What is in an input behind the position that the group has committed.
  private mutating func searchInput(
    _ input: CatalogProduct.Topic, _ admin: Admin, _ deadline: Deadline,
    _ progress: (String) -> Void
  ) throws {
    let whole = try TopicReader(settings: settings, topic: input.topic, from: .latest, deadline)
    let partitions = (0..<Int32(clamping: whole.partitionCount)).map { Partition($0) }
    let committed = try admin.committed(by: product.group, input.topic, partitions, deadline)
    let id = id
    var found: [Waiting] = []
    var records = 0
    for (partition, position) in zip(partitions, committed) {
      let start = position.offset ?? Offset(0)
      let reader = try TopicReader(
        settings: settings, topic: input.topic, partitions: [partition], from: .offset(start),
        deadline)
      try reader.readToEnd(silenceMilliseconds: ReadVerb.silenceMs) { batch in
        for at in 0..<batch.count {
          guard let value = batch.value(at: at), EventTrace.holds(value, id) else { continue }
          let offset = batch.offset(at: at)
          found.append(
            Waiting(
              input: input, partition: partition.value, offset: offset.value,
              behind: offset.value - start.value))
        }
        records += batch.count
        progress("\(input.topic): \(records) records")
      }
    }
    waiting += found
  }

  private mutating func search(
    _ journal: CatalogProduct.Topic, _ admin: Admin, _ deadline: Deadline,
    _ progress: (String) -> Void
  ) throws {
    let reader = try TopicReader(
      settings: settings, topic: journal.topic, from: .earliest, deadline)
    let partitions = (0..<Int32(clamping: reader.partitionCount)).map { Partition($0) }
    let committed = try admin.committed(by: product.group, journal.topic, partitions, deadline)
    var blocks = 0
    var found: [Journaled] = []
    var seen: Set<Int64> = []
    var released: Set<Int64> = []
    let (id, product) = (id, product)
    try reader.readToEnd(silenceMilliseconds: ReadVerb.silenceMs) { batch in
      for at in 0..<batch.count {
        guard let value = batch.value(at: at), let block = try? JournalBlock(value),
          block.kind != .ticks
        else { continue }
        let partition = batch.partition(at: at)
        let applied = committed[Int(partition.value)].offset ?? Offset(0)
        var events = block.events
        var index = 0
        while (try? events.next()) == true {
          let event = events.event
          if event.id?.text == id {
            // What is discarded stands there without its id.
            let releasedFrom = events.control?.quarantine.value
            let isKnown =
              if let releasedFrom {
                !released.insert(releasedFrom).inserted
              } else {
                event.origin == nil && !event.isRetraction
                  && !seen.insert(Int64(event.input) << 32 | Int64(partition.value)).inserted
              }
            found.append(
              Journaled(
                journal: journal, partition: partition.value, block: batch.offset(at: at).value,
                index: index, recordedMs: event.origin?.recordedMs ?? block.recordedMs,
                input: event.input < product.inputs.count ? product.inputs[event.input] : nil,
                sourcePartition: event.partition.value, sourceOffset: event.offset.value,
                origin: Journaled.Origin(event, product),
                isRedelivered: isKnown, isApplied: batch.offset(at: at) < applied,
                releasedFrom: releasedFrom, isRetraction: event.isRetraction))
          }
          index += 1
        }
      }
      blocks += batch.count
      progress("\(journal.topic): \(blocks) blocks")
    }
    journaled += found
  }

  /// A port's record of an event has its position in its id: `3-1024-17`, and a number behind it
  /// from the second on.
  private mutating func searchPort(
    _ port: PublishedPort, _ deadline: Deadline, _ progress: (String) -> Void
  ) throws {
    if journaled.isEmpty && !product.journals.isEmpty { return }
    let name = port.address(in: product.name)
    // Two journals have like positions. Where the catalog does not say yet of which one the port
    // is made, the recorded time, which is a record's own, tells most of them apart.
    let positions = journaled.enumerated().filter {
      port.journal == nil || $0.element.journal.name == port.journal
    }.map { index, event in
      (
        id: "\(event.partition)-\(event.block)-\(event.index)", recordedMs: event.recordedMs,
        index: index
      )
    }
    let isDirect = product.journals.isEmpty
    let id = id
    var found: [Published] = []
    var effective: Set<Int> = []
    var times: Set<Int64> = []
    var records = 0
    var withoutId = 0
    let reader = try TopicReader(settings: settings, topic: port.topic, from: .earliest, deadline)
    try reader.readToEnd(silenceMilliseconds: ReadVerb.silenceMs) { batch in
      for at in 0..<batch.count {
        var headers = batch.headers(at: at)
        var isFound: Bool?
        while let header = headers.next() {
          if header.name != CloudEventsHeader.id.view { continue }
          let text = header.value?.text ?? ""
          if isDirect {
            isFound = EventTrace.isRecord(text, of: id)
            if text == id { times.insert(batch.timestamp(at: at) ?? 0) }
            continue
          }
          let origin = positions.first {
            EventTrace.isRecord(text, of: $0.id) && batch.timestamp(at: at) == $0.recordedMs
              || EventTrace.isCorrection(text, of: $0.id)
          }
          if let origin { effective.insert(origin.index) }
          isFound = origin != nil
        }
        if isFound == nil { withoutId += 1 }
        if isFound == true {
          found.append(Published(port: name, topic: port.topic, record: ReadRecord(batch, at)))
        }
      }
      records += batch.count
      progress("\(port.topic): \(records) records")
    }
    // A direct product's ids are the events' own, of which one may look like another with a number:
    // all records of an event have its time.
    if isDirect { found.removeAll { !times.contains($0.record.timestampMs ?? 0) } }
    published += found
    for index in effective { journaled[index].isRedelivered = false }
    if records > 0 && withoutId == records { silentPorts.append(name) }
  }

  /// Whether a record's id says that it corrects, at the time of a link, what an event has made
  /// before: `3-1024-17-c2`, and a number behind it for the second.
  private static func isCorrection(_ text: String, of id: String) -> Bool {
    guard text.hasPrefix(id + "-c") else { return false }
    return text.dropFirst(id.count + 2).split(separator: "-", omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isWholeNumber) }
  }

  /// Whether a record's id says that it is the first of an event, or with a number the n-th.
  private static func isRecord(_ text: String, of id: String) -> Bool {
    guard text.hasPrefix(id) else { return false }
    let rest = text.dropFirst(id.count)
    return rest.isEmpty
      || rest.first == "-" && rest.count > 1 && rest.dropFirst().allSatisfy(\.isWholeNumber)
  }

  /// Whether a record has a text or number that is just this; its bytes may be no JSON.
  private static func holds(_ bytes: ByteView, _ id: String) -> Bool {
    if let value = try? JSONValue(parsing: bytes) {
      return holds(value, id)
    }
    let quoted = Array("\"\(id)\"".utf8)
    return ByteView.lending(quoted) { quoted in
      var rest = bytes
      while let found = rest.firstIndex(of: quoted) {
        rest = rest.suffix(from: found + quoted.count)
        var next = 0
        while next < rest.count && rest[next] == UInt8(ascii: " ") { next += 1 }
        if next == rest.count || rest[next] != UInt8(ascii: ":") { return true }
      }
      return false
    }
  }

  private static func holds(_ value: JSONValue, _ id: String) -> Bool {
    switch value {
    case .string(let text), .number(let text): text == id
    case .array(let values): values.contains { holds($0, id) }
    case .object(let members): members.contains { holds($0.value, id) }
    case .null, .bool: false
    }
  }

  private mutating func searchQuarantine(_ deadline: Deadline, _ progress: (String) -> Void)
    throws
  {
    let topic = product.quarantineTopic
    let sources = Set(
      journaled.compactMap { event in
        event.input.map { "\($0.topic) \(event.sourcePartition) \(event.sourceOffset)" }
      })
    let id = id
    var found: [Published] = []
    var records = 0
    let reader = try TopicReader(settings: settings, topic: topic, from: .earliest, deadline)
    try reader.readToEnd(silenceMilliseconds: ReadVerb.silenceMs) { batch in
      for at in 0..<batch.count {
        let record = ReadRecord(batch, at)
        let source = ["weft_topic", "weft_partition", "weft_offset"].map {
          record.header($0) ?? ""
        }.joined(separator: " ")
        // One that could not be journaled is known by its bytes alone.
        let holdsId = batch.value(at: at).map { EventTrace.holds($0, id) } ?? false
        let isCertain = sources.contains(source)
        if isCertain || holdsId {
          found.append(
            Published(port: "quarantine", topic: topic, record: record, isCertain: isCertain))
        }
      }
      records += batch.count
      progress("\(topic): \(records) records")
    }
    quarantined += found
  }
}

extension EventTrace.Journaled.Origin {
  init?(_ event: JournalEvent, _ product: CatalogProduct) {
    guard let origin = event.origin else { return nil }
    let isKnown = origin.journal < product.journals.count
    journal = isKnown ? product.journals[origin.journal].name : "\(origin.journal)"
    partition = origin.partition.value
    block = origin.position.block.value
    index = Int(origin.position.index)
    var known = JournalIdentifiers(event.identifiers)
    var ids: [String] = []
    while let entry = known.next() { ids.append(entry.global.text) }
    self.ids = ids
    isTakenBack = origin.correction?.isTakenBack
  }
}

extension ReadRecord {
  func header(_ name: String) -> String? {
    headers.last { $0.name == name }?.value.flatMap(\.self)
  }
}
