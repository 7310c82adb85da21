import Engine
import Formats
import Kafka
import Product
import Records
import State
import Worker

/// What must hold when a run is over: the promises of the design, read off the simulated broker and
/// disks.
struct Checks {
  let run: Run
  private let plan: ProductPlan
  var shape: Shape { run.given.shape }
  var broker: SimulatedBroker { run.simulation.broker }
  var definition: ProductDefinition { run.definition }

  init(_ run: Run) throws(PlanFailure) {
    self.run = run
    plan = try ProductPlan(run.definition, entriesMax: run.given.shape.entriesMax)
  }

  func check() {
    var reference = Reference(shape, clockFault: run.clockFault)
    if definition.journals.isEmpty {
      checkDirect(&reference)
    } else {
      let isChained = definition.journals.map { !$0.handovers.isEmpty }
      for number in isChained.indices where !isChained[number] { checkJournal(number, &reference) }
      for number in isChained.indices where isChained[number] { checkChained(number, &reference) }
      checkIntake(&reference)
    }
    checkOutputs(reference)
    checkQuarantine(reference)
    run.checkSettlements(reference)
    if definition.journals.isEmpty { return }
    let again = Recomputation(plan, broker) { run.fail($0) }
    checkBytes(again)
    checkDisks(again)
    checkLastStates()
  }

  func source(_ input: Int, _ partition: Int, _ offset: Int) -> String {
    "\(definition.inputs[input].topic)/\(partition)/\(offset)"
  }

  /// All that was fed, with where it lies.
  private func each(_ body: (GeneratedInput, _ input: Int, _ partition: Int, _ offset: Int) -> Void)
  {
    for (number, partitions) in run.fed.enumerated() {
      for (partition, all) in partitions.enumerated() {
        for (offset, input) in all.enumerated() { body(input, number, partition, offset) }
      }
    }
  }

  private func checkDirect(_ reference: inout Reference) {
    var taken: [(GeneratedInput, String)] = []
    each { taken.append(($0, source($1, $2, $3))) }
    for (input, source) in taken { reference.take(input, from: source) }
  }

  func key(of journal: Int) -> Shape.Key {
    Shape.Key(rawValue: definition.journals[journal].name) ?? .account
  }

  private func isTaken(_ kind: Shape.Kind, by journal: Int) -> Bool {
    run.isTaken(kind, by: journal)
  }

  // MARK: The journal

  /// Every event is in the journal once, in its source's order; the reference reads it.
  private func checkJournal(_ number: Int, _ reference: inout Reference) {
    let journal = definition.journals[number]
    let key = key(of: number)
    var seen: Set<String> = []
    for partition in 0..<Int(journal.partitions) {
      let events = events(of: journal, partition)
      var last: [String: Int] = [:]
      for case .event(let event) in events where event.control == nil {
        let parts = event.source.split(separator: "/")
        let place = parts.dropLast().joined(separator: "/")
        let offset = Int(parts.last ?? "") ?? -1
        if !seen.insert(event.source).inserted { run.fail("\(event.source) is journaled twice") }
        if offset <= last[place] ?? -1 { run.fail("\(event.source) is journaled out of order") }
        last[place] = offset
      }
      reference.read(
        events, of: key, partition,
        tells: { kind in !(0..<number).contains { isTaken(kind, by: $0) } },
        ports: { shape.ports[$0].journal(definition) == number },
        inputs: definition.clockInputs(ofJournal: number))
    }
    each { input, number2, partition, offset in
      let source = source(number2, partition, offset)
      // Of links only those of its own system.
      let isWanted = input.kind != .Linked || input.system == shape.system
      let belongs =
        input.intakeReason(shape) == nil && isWanted
        && (input.isDeletion ? shape.undoes(inJournalOf: key) : isTaken(input.kind, by: number))
      if belongs != seen.contains(source) {
        run.fail(
          belongs ? "\(source) is missing in journal \(key)" : "\(source) is in journal \(key)")
      }
    }
  }

  private func events(of journal: JournalDefinition, _ partition: Int) -> [Reference.Entry] {
    var all: [Reference.Entry] = []
    for (offset, record) in broker.applied(journal.topic, partition) {
      ByteView.lending(record.value ?? []) { bytes in
        do {
          let block = try JournalBlock(bytes)
          if block.digest != plan.logicDigest {
            run.fail("\(journal.topic)/\(partition)/\(offset) is of other logic")
          }
          if block.kind == .ticks {
            all.append(.ticks(try ticks(of: block), recordedMs: block.recordedMs))
            return
          }
          var events = block.events
          var index = 0
          while try events.next() {
            let event = events.event
            let place = Int(event.offset.value)
            let list = run.fed[event.input][Int(event.partition.value)]
            let control = events.control.map {
              Reference.Control($0.quarantine.value, isDiscard: $0.action == .discard)
            }
            if place == Run.nowhere, let control {
              all.append(.event(.nothing(control, recordedMs: block.recordedMs)))
              continue
            }
            if place >= list.count { run.fail("an event that nobody fed"); continue }
            all.append(
              .event(
                Reference.Taken(
                  list[place], from: source(event.input, Int(event.partition.value), place),
                  recordedMs: block.recordedMs,
                  at: "\(journal.name)/\(partition)/\(offset)/\(index)", control: control)))
            index += 1
          }
        } catch {
          run.fail("\(journal.topic)/\(partition)/\(offset): \(error)")
        }
      }
    }
    return all
  }

  private func ticks(of block: JournalBlock) throws(JournalBlockFailure) -> [ReferenceClock.Tick] {
    var all: [ReferenceClock.Tick] = []
    var ticks = block.ticks
    while let tick = try ticks.next() {
      all.append(
        ReferenceClock.Tick(
          source: "\(tick.input)/\(tick.partition.value)", input: tick.input, isRead: tick.isRead,
          shownMs: tick.shownMs, isAtEnd: tick.isAtEnd))
    }
    return all
  }

  /// What ingest itself refuses.
  private func checkIntake(_ reference: inout Reference) {
    var refused: [(String, String)] = []
    each { input, number, partition, offset in
      guard let reason = input.intakeReason(shape) else { return }
      let isJournaled = definition.journals.indices.contains { isTaken(input.kind, by: $0) }
      if ["missing-key", "too-large"].contains(reason) && !isJournaled { return }
      let isWanted = input.kind != .Linked || input.system == shape.system
      if reason == "missing-key" && !isWanted { return }
      refused.append((source(number, partition, offset), reason))
    }
    for (source, reason) in refused { reference.refuse(source, reason) }
  }

  // MARK: What was published

  private func checkOutputs(_ reference: Reference) {
    for output in definition.outputs {
      var found: [String: [Reference.Published]] = [:]
      var places: [String: Int] = [:]
      var ids: Set<String> = []
      let originals = originals(output)
      for partition in 0..<broker.partitions(of: output.topic) {
        for (offset, record) in broker.committed(output.topic, partition) {
          let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
          let place = "\(output.topic)/\(partition)/\(offset)"
          if places.updateValue(partition, forKey: key) ?? partition != partition {
            run.fail("\(place): key \(key) is in two partitions")
          }
          let expected = ByteView.lending(placing(key, output)) {
            partitionOf($0, Int32(broker.partitions(of: output.topic)))
          }
          if Int(expected) != partition { run.fail("\(place): \(key) belongs elsewhere") }
          let id = record.headers.last { $0.name == "ce_id" }?.value
          if !isDirectOrNew(id, &ids) { run.fail("\(place): ce_id is missing or not new") }
          var fields = record.value.map { FlatJSON.fields($0) ?? ["?": "not flat JSON"] }
          if let operation = record.text(of: "ce_op") { fields?["ce_op"] = operation }
          if let id = record.text(of: "ce_corrects") {
            fields?["ce_corrects"] = originals[id] ?? "nothing"
          }
          found[group(key, id, output), default: []].append(fields)
        }
      }
      compare(output.port, found, reference.published[output.port] ?? [:])
    }
  }

  /// By `ce_id`: the ids that records of an event port have in their content, and whose they are,
  /// but for those that take others back.
  private func originals(_ output: OutputDefinition) -> [String: String] {
    if output.isState { return [:] }
    var all: [String: String] = [:]
    for partition in 0..<broker.partitions(of: output.topic) {
      for (_, record) in broker.committed(output.topic, partition) {
        if record.text(of: "ce_op") == "retract" { continue }
        guard let id = record.text(of: "ce_id"), let value = record.value else { continue }
        let fields = FlatJSON.fields(value) ?? [:]
        all[id] = (fields["id"] ?? "") + (fields["who"] ?? "")
        if shape.relinks { all[id]? += Reference.lineText(fields) }
      }
    }
    return all
  }

  /// The key by which a record has its partition: of a row the journal's, with which its own key
  /// begins.
  private func placing(_ key: String, _ output: OutputDefinition) -> [UInt8] {
    guard output.isState, key.hasPrefix("[") else { return Array(key.utf8) }
    if self.key(of: output.journal).parts.count > 1 {
      // Of a window: all but its start.
      guard case .state(let table, _, _, _) = output.content,
        definition.tables[table].window != nil, let comma = key.lastIndex(of: ",")
      else { return Array(key.utf8) }
      return Array((key[..<comma] + "]").utf8)
    }
    return Array(key.utf8.dropFirst(2).prefix { $0 != UInt8(ascii: "\"") })
  }

  /// The key, at event ports with the journal's partition, with which a `ce_id` begins.
  private func group(_ key: String, _ id: [UInt8]?, _ output: OutputDefinition) -> String {
    if output.isState || shape.isDirect { return key }
    let text = String(decoding: id ?? [], as: UTF8.self)
    return "\(key)@\(text.prefix { $0 != "-" })"
  }

  /// A direct product's `ce_id` is the event's own, which comes again with a redelivery.
  private func isDirectOrNew(_ id: [UInt8]?, _ ids: inout Set<String>) -> Bool {
    guard let id else { return false }
    return shape.isDirect || ids.insert(String(decoding: id, as: UTF8.self)).inserted
  }

  private func compare(
    _ port: String, _ found: [String: [Reference.Published]],
    _ expected: [String: [Reference.Published]]
  ) {
    for key in Set(found.keys).union(expected.keys).sorted() {
      let is_ = found[key] ?? []
      let should = expected[key] ?? []
      // Within one input partition a direct product keeps the order; across them there is none.
      let isSame = shape.isDirect ? sorted(is_) == sorted(should) : is_ == should
      if isSame { continue }
      let place = zip(is_, should).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      let index = place ?? min(is_.count, should.count)
      run.fail(
        "\(port), key \(key): record \(index) is \(text(is_, index)), should be"
          + " \(text(should, index)) (\(is_.count) records, should be \(should.count))")
    }
  }

  private func sorted(_ list: [Reference.Published]) -> [String] {
    list.indices.map { text(list, $0) }.sorted()
  }

  private func text(_ list: [Reference.Published], _ index: Int) -> String {
    if index >= list.count { return "absent" }
    guard let fields = list[index] else { return "a tombstone" }
    return fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }

  /// So many bytes the quarantine has whole in any case.
  private static let wholeMax = 900_000

  private func checkQuarantine(_ reference: Reference) {
    var found: [String] = []
    for (offset, record) in broker.committed(definition.names.quarantineTopic, 0) {
      func header(_ name: String) -> String {
        record.headers.last { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
          ?? "?"
      }
      let input = definition.inputs.firstIndex { $0.topic == header("weft_topic") }
      let partition = Int(header("weft_partition")) ?? -1
      let place = Int(header("weft_offset")) ?? -1
      if header("weft_settles") != "?" { continue }
      found.append(
        "\(header("weft_topic"))/\(partition)/\(place) \(header("weft_reason"))")
      guard let input, run.fed[input].indices.contains(partition),
        run.fed[input][partition].indices.contains(place)
      else {
        run.fail("quarantine/\(offset) says that it comes from nowhere")
        continue
      }
      let original = run.fed[input][partition][place].value
      if original == record.value { continue }
      // One too large for the quarantine is cut, and says how long it was.
      if let original, original.count > Checks.wholeMax, let kept = record.value,
        kept.count > Checks.wholeMax / 2, original.starts(with: kept),
        header("weft_length") == "\(original.count)"
      {
        continue
      }
      run.fail("quarantine/\(offset) has not the original bytes")
    }
    let expected = reference.quarantined.sorted()
    found.sort()
    if found == expected { return }
    run.fail("quarantine has \(found), should have \(expected)")
  }

  /// Whatever the turns, the crashes and the number of instances were: the journal gives the bytes.
  private func checkBytes(_ again: Recomputation) {
    for output in definition.outputs {
      let found = (0..<broker.partitions(of: output.topic)).flatMap { partition in
        broker.committed(output.topic, partition).map { Recomputation.text($0.record, partition) }
      }.sorted()
      let should = again.records[output.topic] ?? []
      guard found != should else { continue }
      let place = zip(found, should).first { $0.0 != $0.1 }
      run.fail(
        "\(output.topic) has not the bytes that its journal gives: \(place?.0 ?? "absent"), should be"
          + " \(place?.1 ?? "absent")")
    }
  }

  // MARK: States

  /// A state on disk is behind or equal, and from its stamp on the journal makes of it what it
  /// makes of an empty one. Every state that anybody has written is looked at, whoever that was.
  private func checkDisks(_ again: Recomputation) {
    let disk = run.simulation.disk
    disk.intercept = nil
    for directory in disk.directories {
      // Nobody has opened or read it since, or it would have been thrown away.
      if disk.damaged.contains(directory) || disk.unreadable.contains(directory) { continue }
      // It is of a journal that is no more. Whoever opens it throws it away, but nobody has.
      if run.hasMadeAnew && !run.written.contains(directory) { continue }
      guard let name = directory.split(separator: "/").last.map(String.init),
        let dash = name.lastIndex(of: "-"), let partition = Int(name[name.index(after: dash)...]),
        let number = definition.journals.firstIndex(where: { $0.name == name[..<dash] })
      else {
        run.fail("\(directory) is of no journal partition")
        continue
      }
      let at = NamedPartition(
        topic: definition.journals[number].topic, partition: Partition(Int32(partition)))
      do {
        try checkDisk(directory, number, at, again)
      } catch {
        run.fail("\(directory) cannot be opened: \(error)")
      }
    }
  }

  private func checkDisk(
    _ directory: String, _ number: Int, _ at: NamedPartition, _ again: Recomputation
  ) throws(StoreFailure) {
    let store = try RowStore(
      directory: directory, memory: StateMemory(bytes: StateMemory.bytesMin),
      on: run.simulation.disk)
    // Opened, and never written, or written before anything was committed.
    guard let stamp = store.moment?.stamp, stamp != .empty else { return }
    guard let entry = broker.offsets[at] else {
      run.fail("\(directory) is of a partition of which nothing is committed")
      return
    }
    if stamp.incarnation != OffsetMetadata(entry.metadata).incarnation {
      run.fail("\(directory) is of another making of the journal")
    }
    if stamp.digest != plan.logicDigest { run.fail("\(directory) is of other logic") }
    if stamp.position.value > entry.offset {
      run.fail("\(directory) is at \(stamp.position.value), ahead of \(entry.offset)")
    }
    if !run.failures.isEmpty { return }
    let digest = digest(number, at, PartitionState(store), to: entry.offset)
    let fresh = again.digests[number][Int(at.partition.value)]
    if digest != fresh { run.fail("\(directory) is not what the journal gives") }
  }

  /// Who left in order with a partition, as the last one who had it, has brought all that is
  /// committed of it to disk.
  private func checkLastStates() {
    let disk = run.simulation.disk
    for (number, journal) in definition.journals.enumerated() {
      for partition in 0..<journal.partitions {
        let at = NamedPartition(topic: journal.topic, partition: Partition(partition))
        guard let holder = run.simulation.holders[at], holder.reason == .drained,
          holder.leftWith.contains(at), let end = broker.offsets[at]?.offset
        else { continue }
        let directory = run.files(holder.instance, holder.machine).directory(
          definition, journal: number, at.partition)
        // A state of which a row could not be read is not written, nor one that the disk refuses:
        // the next start has more to apply.
        let isOutOfUse = disk.damaged.contains(directory) || disk.unreadable.contains(directory)
        if isOutOfUse || run.refused.contains(directory) { continue }
        let store = try? RowStore(
          directory: directory, memory: StateMemory(bytes: StateMemory.bytesMin), on: disk)
        let position = store?.moment?.stamp.position.value ?? 0
        if position != end {
          run.fail("\(directory) is at \(position), but was left in order at \(end)")
        }
      }
    }
  }

  private func digest(
    _ journal: Int, _ at: NamedPartition, _ state: PartitionState,
    to end: Int64
  ) -> StateDigest {
    let apply = Apply(plan, journal: journal, partition: at.partition, state: state)
    let start = state.stamp.position.value
    for (offset, record) in broker.committed(at.topic, Int(at.partition.value))
    where offset >= start && offset < end {
      state.begin()
      let applied = ByteView.lending(record.value ?? []) {
        apply.apply(bytes: $0, at: Offset(offset), publishing: nil)
      }
      if case .applied = applied {} else { run.fail("a block that does not apply: \(applied)") }
      state.commit(
        Stamp(generation: 0, digest: plan.logicDigest, position: Offset(offset + 1)))
    }
    return state.contentDigest()
  }
}

func partitionOf(_ key: ByteView, _ count: Int32) -> Int32 {
  partition(ofKey: key, among: count).value
}

extension Shape.EventPort {
  /// The journal whose apply publishes it.
  func journal(_ definition: ProductDefinition) -> Int? {
    definition.outputs.first { $0.port == name }?.journal
  }
}
