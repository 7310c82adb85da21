import Engine
import Worker

/// What goes wrong, and at which call into the world.
package struct Fault: Sendable, Hashable {
  package enum Arrival: Sendable, Hashable {
    case done, never
    case late(byMs: Int64)
  }

  package enum Kind: Sendable, Hashable {
    /// The process dies; another takes its place after so long, here or on another machine.
    case crash(afterMs: Int64, elsewhere: Bool)
    /// It stands still for so long; should it be replaced meanwhile, it wakes to find that out.
    case freeze(forMs: Int64, replaced: Bool)
    /// It is asked to stop, as a deployment does.
    case stop(afterMs: Int64)
    /// It dies, and comes back with other files first.
    case edit(afterMs: Int64)
    case rebalance
    /// With nobody running, the journal, the ports and the group's offsets are made anew.
    case madeAnew(afterMs: Int64)
    /// The group thinks the process dead, which stands still for so long.
    case memberForgotten(standsForMs: Int64)
    case transactionTimedOut
    /// The next commit has no answer: it was done, or not, or is done so much later, should its
    /// producer's epoch last so long.
    case commitUnanswered(Arrival)
    /// The next transaction that it ends gets its markers twice. With a number, that costs it a
    /// connection, and they come when so many records of the one after it are written; without, it
    /// notices nothing, and they come right before that one's commit. Then it dies, or goes on.
    case markersAgain(afterRecords: Int?, dies: Bool)
    /// What the process sends next is not delivered, but for some of it.
    case deliveryFailed
    /// The process's reader of the journal hears nothing more, though there is more.
    case readerHangs
    /// The process's machine loses power, and with it what its disk has not synced.
    case powerLost(afterMs: Int64)
    /// A state on the process's machine cannot be read when it is opened next.
    case diskDamaged
    /// Some rows of one cannot be read, as of a file with a damaged block.
    case rowsDamaged
    /// No broker answers for so long.
    case brokersAway(forMs: Int64)
    /// The disk takes nothing for a while.
    case writesFail
  }

  package var call: Int
  package var kind: Kind
}

/// One run of the simulation: all that it is made of. Its parts can be taken away one by one.
package struct Case: Sendable, Hashable {
  package var seed: UInt64
  package var shape: Shape
  package var inputs: [GeneratedInput]
  package var faults: [Fault]
  package var operations: [Operation]
  package var instances: Int
  package var turnRecords: Int
  package var turnAgeMs: Int64
  /// Bytes of output that a turn may have, and that it holds before it publishes some.
  package var turnOutputBytes: Int
  package var batchBytes: Int
  /// Bytes of own blocks after which their reader is held until the turn ends.
  package var holdBytes: Int
  /// How often journals with a clock are told of their sources.
  package var tickMs: Int64
  /// Bytes of rows that all states together may keep in memory.
  package var hotBytes: Int
  /// At the end Kafka has forgotten the group's offsets.
  package var forgetsOffsets: Bool

  package init(seed: UInt64) {
    self.seed = seed
    // Sixteen seeds share a product, as its files take longer to read than a run takes.
    var shapes = Random((seed / 16) &* 0x1000_0001)
    shape = Shape.generated(&shapes)
    var ofStreams = Random((seed / 16) &* 0x2000_0003)
    if ofStreams.percent(35) { shape.explode(&ofStreams) }
    if !shape.isDirect && ofStreams.percent(35) { shape.lookUp(&ofStreams) }
    if !shape.isDirect && ofStreams.percent(35) { shape.follow(&ofStreams) }
    if !shape.isDirect && ofStreams.percent(30) { shape.join(&ofStreams) }
    var ofWindows = Random((seed / 16) &* 0x4000_0009)
    shape.close(&ofWindows)
    shape.mask()
    var ofOrder = Random((seed / 16) &* 0x3000_0005)
    shape.holdsKeys =
      !shape.isDirect && shape.chainedJournals.isEmpty
      && !(shape.undoesDeletions && shape.tables.contains { $0.takesKept }) && ofOrder.percent(30)
    var random = Random(seed ^ 0x5EED)
    inputs = GeneratedInput.generated(
      shape, count: 5 + random.below(random.percent(20) ? 150 : 50), &random)
    if shape.explodes { GeneratedInput.addLines(to: &inputs) }
    var ofLinks = Random(seed ^ 0x11_4B5)
    let links = GeneratedInput.links(shape, among: inputs, &ofLinks)
    var ofRows = Random(seed ^ 0x2_0775)
    let others = links + GeneratedInput.kept(shape, among: inputs, &ofRows)
    if !others.isEmpty { inputs = (inputs + others).sorted { $0.atMs < $1.atMs } }
    var ofCorrections = Random(seed ^ 0xC0_44EC7)
    let corrections = GeneratedInput.corrections(shape, among: inputs, &ofCorrections)
    if !corrections.isEmpty { inputs = (inputs + corrections).sorted { $0.atMs < $1.atMs } }
    instances = 1 + random.below(3)
    turnRecords = random.pick([1, 5, 20, 1000])
    turnAgeMs = random.pick([1, 20, 100, 1000])
    let isTight = random.percent(40)
    turnOutputBytes = isTight ? random.pick([300, 3000]) : TurnMeter.outputBytesMax
    batchBytes = isTight ? random.pick([1, 500, 4000]) : OutputBatch.bytesMax
    var holds = Random(seed ^ 0x401D)
    holdBytes = holds.pick([1, 500, 128 << 10])
    var ticks = Random(seed ^ 0x71C5)
    tickMs = ticks.pick([20, 200, 1000])
    hotBytes = random.pick([400, 4000, 1 << 20])
    forgetsOffsets = random.percent(10)
    var ofOperators = Random(seed ^ 0x09E2_A702)
    operations = Operation.generated(shape, inputs, &ofOperators)
    faults = []
    // An undisturbed run takes a hundred to a few hundred calls, and each fault some more.
    let calls = random.pick([80, 400, 1500])
    for _ in 0..<random.below(random.percent(70) ? 8 : 20) {
      let kind = Case.fault(&random)
      // Early enough for most of the journal to come after it.
      let isEarly = if case .madeAnew = kind { true } else { false }
      faults.append(Fault(call: 1 + random.below(isEarly ? 150 : calls), kind: kind))
    }
  }

  private static func fault(_ random: inout Random) -> Fault.Kind {
    switch random.below(100) {
    case ..<22:
      .crash(
        afterMs: Int64(1 + random.below(random.percent(50) ? 200 : 15_000)),
        elsewhere: random.percent(40))
    case ..<42:
      .freeze(
        forMs: Int64(1 + random.below(random.percent(50) ? 500 : 25_000)),
        replaced: random.percent(50))
    case ..<52: .stop(afterMs: Int64(1 + random.below(3000)))
    case ..<57: .edit(afterMs: Int64(1 + random.below(500)))
    case ..<60: .powerLost(afterMs: Int64(1 + random.below(1000)))
    case ..<66: .rebalance
    case ..<70:
      .markersAgain(
        afterRecords: random.percent(70) ? 1 + random.below(8) : nil, dies: random.percent(70))
    case ..<77: .memberForgotten(standsForMs: Int64(random.below(2000)))
    case ..<84: .transactionTimedOut
    case ..<90:
      .commitUnanswered(
        random.pick([.done, .never, .late(byMs: Int64(random.below(2000)))]))
    case ..<92: .deliveryFailed
    case ..<93: .readerHangs
    case ..<94: .diskDamaged
    case ..<96: .rowsDamaged
    case ..<98: .madeAnew(afterMs: Int64(1 + random.below(2000)))
    case ..<99: .brokersAway(forMs: Int64(random.below(random.percent(50) ? 500 : 30_000)))
    default: .writesFail
    }
  }
}

extension Fault {
  package init(at call: Int, _ kind: Kind) {
    self.call = call
    self.kind = kind
  }
}
