import Formats
import Mesh
import Records
import Testing

/// What a worker publishes of itself, and the commands that show it without a broker.
@Suite struct PublishedTests {
  private func take(_ observations: inout Observations, _ observation: Observation) {
    ByteView.lending(observation.json.description) { observations.take(value: $0) }
  }

  @Test func `what is observed comes back as it was, and the last record of a key counts`() {
    var instance = InstanceObservation(
      instance: "0", phase: "waiting", logic: "00ff", startedMs: 5, observedMs: 7)
    instance.reason = "no broker answers"
    (instance.read, instance.applied, instance.quarantined) = (3, 2, 1)
    (instance.commitP50Ms, instance.lastCommitMs) = (1.5, 6)
    let place = PartitionObservation(
      journal: "claimId", partition: 3, instance: "0", logic: "00ff", position: 17,
      stateRows: 2451, fileBytes: 9, memoryBytes: 8,
      held: [.init(identifier: "patient", count: 2, asked: 8, sinceMs: 5)], observedMs: 7)
    var observations = Observations()
    take(&observations, .instance(instance))
    take(&observations, .partition(place))
    #expect(observations.instances == ["0": instance])
    #expect(observations.partitions.values.map(\.self) == [place])
    var moved = place
    moved.instance = "1"
    take(&observations, .partition(moved))
    #expect(observations.partitions.values.map(\.self) == [moved])
    #expect(Observation.partition(moved).key == Observation.partition(place).key)
  }

  @Test(arguments: ["", "no JSON", "{}", "{\"kind\":\"Instance\"}", "{\"kind\":\"Later\"}", "[]"])
  func `records that cannot be read are passed over`(text: String) {
    var observations = Observations()
    ByteView.lending(text) { observations.take(value: $0) }
    observations.take(value: nil)
    #expect(observations.instances.isEmpty && observations.partitions.isEmpty)
  }

  @Test func `explain shows the plan, and why`() throws {
    let outcome = try Weft(in: Repository.root).run([
      "explain", "claims", "--mesh", "Config/health",
    ])
    #expect(outcome.code == 0)
    for text in [
      "weft.claims.claims.journal.claimId, 12 partitions, fixed for its life",
      "ids in `eventId` are remembered for 7d", "charged: sum, decimal",
      "where event.kind == \"PAYMENT\" && has(event.payment)", "from claim-events.ClaimTransaction",
      "claims.claims.observations",
    ] {
      #expect(outcome.output.contains(text), "\(text)")
    }
  }

  @Test func `every reason that the engine gives is explained`() throws {
    var reasons: Set<String> = ["id-too-large"]
    for line in try Repository.files(in: "Sources/Engine").flatMap(\.lines) {
      reasons.formUnion(line.matches(of: /reason: "([a-z-]+)"/).map { String($0.1) })
    }
    for number in UInt8.min...UInt8.max {
      guard let reason = JSONFailure.Reason(rawValue: number) else { continue }
      reasons.insert("\(JSONFailure(reason, at: 0).code)")
    }
    #expect(reasons.count > 20)
    for reason in reasons.sorted() {
      let outcome = try Weft(in: Repository.root).run(["explain", reason])
      #expect(outcome.code == 0 && outcome.output.hasPrefix("\(reason): "), "\(outcome.all)")
    }
  }

  @Test func `what is no product or no state port is told before a broker is asked`() throws {
    let trace = try Weft(in: Repository.root).run([
      "status", "claims#claim", "--mesh", "Config/health",
    ])
    #expect(trace.code == 2 && trace.errors.contains("without a port"))
    let get = try Weft(in: Repository.root).run([
      "get", "claims#transactions", "k", "--mesh", "Config/health",
    ])
    #expect(get.code == 2 && get.errors.contains("is an event port"))
  }
}
