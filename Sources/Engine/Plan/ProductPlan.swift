import Formats
import Product
import Records

/// A product, compiled: decode plans, programs, ports. Made once; owned by one thread, as it also
/// holds the memory that its programs work in.
package final class ProductPlan {
  package let definition: ProductDefinition
  /// One for each output, in the order of the definition.
  package let ports: [PortTemplate]
  package let logicDigest: LogicDigest
  /// What the topics take; to be set before the first record.
  package var limits: Limits {
    get { limitsNow }
    set { limitsNow = newValue }
  }
  private var limitsNow = Limits()

  let inputs: Lent<InputPlan>
  let tables: Lent<TablePlan>
  let joins: Lent<JoinPlan>
  /// By journal: what is made of rows that change, in the order in which it has to be made.
  let changes: [Lent<ChangePlan>]
  let workbench: Workbench
  let journalPartitions: ContiguousArray<Int32>
  /// By journal: the inputs by whose actual times its clock goes; none where it needs no clock.
  let clockInputs: ContiguousArray<Set<Int>>
  package let isClocked: Bool
  let stopsOnError: Bool
  /// Whether events wait behind one of their key that is in quarantine.
  let holdsKeys: Bool
  /// Whether links that change are repaired.
  let repairs: Bool
  let futureMsMax: Int64
  /// What an event takes more in a chained journal, at most.
  let handoverBytesMax: Int

  /// - Parameter entriesMax: how many values a column may hold, where that is to be met sooner than
  ///   products do: in simulations.
  package init(_ definition: ProductDefinition, entriesMax: Int? = nil) throws(PlanFailure) {
    self.definition = definition
    logicDigest = ByteView.lending(definition.logicDigest) { LogicDigest($0) } ?? .none
    ports = definition.outputs.enumerated().map { PortTemplate(definition, $1, ordinal: $0) }
    let portPlans = ContiguousArray(
      definition.outputs.enumerated().map { PortPlan($1, ordinal: $0) })
    let tables = try TableCompiler(
      definition: definition, ports: portPlans, entriesMax: entriesMax ?? RowLayout.entriesMax
    ).compile()
    var joins: [JoinPlan] = []
    for (number, join) in definition.joins.enumerated() {
      var compiler = EventCompiler(
        definition, .pairs(stream: join.name), tables: tables, ports: portPlans)
      joins.append(
        try compiler.compilePairs(
          of: number, from: joins.last?.slotEnd ?? Variable.end,
          entriesMax: entriesMax ?? RowLayout.entriesMax))
    }
    self.joins = Lent(ContiguousArray(joins))
    var inputs: ContiguousArray<InputPlan> = []
    var slotCount = joins.last?.slotEnd ?? Variable.end
    for (number, input) in definition.inputs.enumerated() {
      var events: ContiguousArray<EventPlan> = []
      for event in input.events.indices {
        var compiler = EventCompiler(
          definition, .event(EventReference(input: number, event: event)), tables: tables,
          ports: portPlans, joins: joins)
        let plan = try compiler.compile()
        slotCount = max(slotCount, plan.slotEnd)
        events.append(plan)
      }
      inputs.append(InputPlan(input, events: events))
    }
    var changes = definition.journals.map { _ in [] as ContiguousArray<ChangePlan> }
    let firstChange = slotCount
    for table in definition.changedTables {
      var compiler = EventCompiler(
        definition, .changes(table: definition.tables[table].name), tables: tables,
        ports: portPlans)
      let plan = try compiler.compileChanges(of: table, from: firstChange)
      slotCount = max(slotCount, plan.slotEnd)
      changes[definition.tables[table].journal].append(plan)
    }
    self.changes = changes.map { Lent($0) }
    if tables.count + inputs.count > Spaces.max {
      throw PlanFailure("a product has at most \(Spaces.max) tables and inputs")
    }
    if tables.count + JoinPlan.sides * joins.count > Int(UInt8.max) {
      throw PlanFailure("a product has at most \(UInt8.max) tables and sides of joins")
    }
    self.inputs = Lent(inputs)
    self.tables = Lent(tables)
    journalPartitions = ContiguousArray(definition.journals.map(\.partitions))
    clockInputs = ContiguousArray(
      definition.journals.indices.map { definition.clockInputs(ofJournal: $0) })
    isClocked = clockInputs.contains { !$0.isEmpty }
    stopsOnError = definition.onError == .stop
    holdsKeys = definition.order == .holdKey
    repairs = definition.identifications.contains { $0.repairableMs != nil }
    futureMsMax = definition.futureMsMax
    let isChained = definition.journals.contains { !$0.handovers.isEmpty }
    handoverBytesMax = isChained ? JournalEvent.originBytesMax + Ingest.keyBytesMax : 0
    workbench = Workbench(
      eventSlots: slotCount, rowSlotCount: tables.map(\.slotEnd).max() ?? Variable.end,
      ports: ports.count, entriesMax: entriesMax ?? RowLayout.entriesMax)
  }
}

extension PortTemplate {
  init(_ definition: ProductDefinition, _ output: OutputDefinition, ordinal: Int) {
    var headers: [Header] = []
    if output.envelope == .cloudevents {
      let address = "\(definition.domain)/\(definition.name)#\(output.port)@\(output.major)"
      let type = "\(definition.domain).\(definition.name).\(output.port).v\(output.major)"
      headers = CloudEventsTemplate(source: address, type: type, contentType: nil).headers.map {
        Header(name: Array($0.name.utf8), value: Array($0.value.utf8))
      }
    }
    self.init(
      ordinal: ordinal, name: output.port, major: output.major, topic: output.topic,
      partitions: output.partitions, isState: output.isState, constantHeaders: headers)
  }
}
