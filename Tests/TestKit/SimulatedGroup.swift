import Kafka
import Records

/// A consumer group's coordinator: static members, cooperative rebalances in rounds, generations,
/// and members that are thought dead while they live.
package final class SimulatedGroup {
  static let sessionMs: Int64 = 10_000

  final class Member {
    let instance: String
    var id: String
    var client: SimulatedConsumer
    /// What the last round gave it.
    var assigned: Set<NamedPartition> = []
    /// What it had when it joined this round.
    var claimed: Set<NamedPartition> = []
    var hasJoined = false

    init(instance: String, id: String, client: SimulatedConsumer) {
      self.instance = instance
      self.id = id
      self.client = client
    }
  }

  private unowned let broker: SimulatedBroker
  private(set) var members: [Member] = []
  private(set) var generation = 0
  private(set) var isStable = true
  /// All topics that members read.
  package var topics: [String] = []
  private var idsGiven = 0

  init(_ broker: SimulatedBroker) { self.broker = broker }

  private var simulation: Simulation { broker.simulation }

  func member(_ client: SimulatedConsumer) -> Member? {
    members.first { $0.client === client && $0.id == client.memberId }
  }

  /// Whether offsets may be committed under a member's id and generation.
  func refusal(id: String?, generation given: Int) -> KafkaError? {
    if simulation.plants.contains(.generationUnchecked) { return nil }
    guard let id else { return nil }
    let code: KafkaErrorCode
    if !members.contains(where: { $0.id == id }) {
      code = .unknownMember
    } else if given != generation {
      code = .illegalGeneration
    } else {
      return nil
    }
    return KafkaError(code: code, operation: "send offsets", requiresAbort: true)
  }

  // MARK: Coming and going

  /// A client asks for its place. One of an instance's name that is there already is put out.
  func join(_ client: SimulatedConsumer, _ instance: String) {
    idsGiven += 1
    let id = "\(instance)-\(idsGiven)"
    if let known = members.first(where: { $0.instance == instance }) {
      if known.client !== client { known.client.putOut() }
      known.id = id
      known.client = client
      client.take(id: id, generation: generation)
      simulation.note("\(id) comes back")
      if isStable {
        // It is handed what the group has for it, and nothing is divided anew.
        client.sync(known.assigned, generation: generation)
      } else {
        known.claimed = []
        known.hasJoined = true
        finishIfAll()
      }
      return
    }
    let member = Member(instance: instance, id: id, client: client)
    members.append(member)
    client.take(id: id, generation: -1)
    simulation.note("\(id) joins")
    rebalance()
  }

  /// A member sends no heartbeats for now; if it stays so, it is forgotten.
  func fellSilent(_ process: SimulatedProcess) {
    simulation.after(SimulatedGroup.sessionMs) { [self] in
      guard let since = process.silentSinceMs,
        simulation.nowMs - since >= SimulatedGroup.sessionMs
      else { return }
      remove { $0.client.process === process }
    }
  }

  /// A client was closed. A static member says nothing when it goes.
  func closed(_ client: SimulatedConsumer) {
    simulation.after(SimulatedGroup.sessionMs) { [self] in remove { $0.client === client } }
  }

  private func remove(_ isGone: (Member) -> Bool) {
    let gone = members.filter(isGone)
    if gone.isEmpty { return }
    members.removeAll { member in gone.contains { $0 === member } }
    for member in gone { simulation.note("\(member.id) is forgotten") }
    rebalance()
  }

  /// The group was deleted.
  func empty() {
    members.removeAll()
    isStable = true
  }

  /// A live member is thought dead.
  func forget(_ process: SimulatedProcess) { remove { $0.client.process === process } }

  func hang(_ process: SimulatedProcess) {
    for member in members where member.client.process === process { member.client.hangs = true }
  }

  // MARK: Rounds

  /// Begins a round: every member has to join again.
  func rebalance() {
    if members.isEmpty {
      isStable = true
      return
    }
    isStable = false
    for member in members { member.hasJoined = false }
    for member in members { askToJoin(member) }
  }

  private func askToJoin(_ member: Member) {
    simulation.after(Int64(simulation.random.below(40))) { [weak self] in
      self?.joinAgain(member.client)
    }
  }

  /// The client's own thread answers the coordinator, unless it waits for its owner's answer to the
  /// last round, or stands still.
  func joinAgain(_ client: SimulatedConsumer) {
    guard !isStable, let member = member(client), !member.hasJoined, client.canJoin else { return }
    if client.process.frozenUntilMs > simulation.nowMs {
      let left = client.process.frozenUntilMs - simulation.nowMs
      simulation.after(left) { [weak self] in self?.joinAgain(client) }
      return
    }
    member.hasJoined = true
    member.claimed = client.owned
    finishIfAll()
  }

  private func finishIfAll() {
    if isStable || members.isEmpty || members.contains(where: { !$0.hasJoined }) { return }
    generation += 1
    isStable = true
    divide()
    simulation.note(
      "generation \(generation): "
        + members.map {
          "\($0.id) \($0.assigned.map { "\($0.topic)/\($0.partition.value)" }.sorted())"
        }
        .joined(separator: ", "))
    for member in members { member.client.sync(member.assigned, generation: generation) }
    simulation.wakeAll()
  }

  /// Gives every partition to a member: mostly to whom it belonged, sometimes to any. What another
  /// still holds is given only in the round after that one has let it go.
  private func divide() {
    var holder: [NamedPartition: Member] = [:]
    for member in members { for at in member.claimed { holder[at] = member } }
    var loads: [String: Int] = [:]
    let all = partitions
    let fair = (all.count + members.count - 1) / members.count
    let isWild = simulation.random.percent(25)
    var target: [NamedPartition: Member] = [:]
    for at in all {
      if !isWild, let known = holder[at], loads[known.id, default: 0] < fair {
        target[at] = known
        loads[known.id, default: 0] += 1
      }
    }
    for at in all where target[at] == nil {
      let least = members.min { loads[$0.id, default: 0] < loads[$1.id, default: 0] }
      guard let least else { continue }
      let member = isWild ? members[simulation.random.below(members.count)] : least
      target[at] = member
      loads[member.id, default: 0] += 1
    }
    for member in members {
      member.assigned = Set(
        all.filter { target[$0] === member && (holder[$0] == nil || holder[$0] === member) })
    }
  }

  private var partitions: [NamedPartition] {
    topics.flatMap { topic in
      (0..<broker.partitions(of: topic)).map {
        NamedPartition(topic: topic, partition: Partition(Int32($0)))
      }
    }
  }

  package var description: GroupDescription {
    GroupDescription(
      isStable: isStable,
      members: members.map {
        GroupMember(
          memberId: $0.id,
          partitions: $0.assigned.sorted {
            ($0.topic, $0.partition.value) < ($1.topic, $1.partition.value)
          })
      })
  }
}
