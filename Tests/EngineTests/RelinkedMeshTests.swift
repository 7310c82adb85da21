import Foundation
import Product
import Records
import Testing

@testable import Engine

/// The example mesh, whose claims and labs correct what went out before its link came or changed: a
/// patient record that takes their ports in ends as if every link had always been known.
@Suite struct RelinkedMeshTests {
  // MARK: The files

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Config/health").standardized
  private static let correcting = [
    "claims/contracts/submissions", "claims/contracts/charges", "claims/contracts/payments",
    "labs/contracts/observations", "patients/contracts/history",
  ]
  /// Of the patient record, where a record may have no patient yet: each stream leaves it out.
  private static let waysOfUnknown = [
    ("charges", "billed"), ("submissions", "submitted"), ("payments", "settled"),
    ("labs", "measured"),
  ]

  private static func files(provisional: Bool) throws -> [String: String] {
    var files: [String: String] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where path.hasSuffix(".yaml") {
      files[path] = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }
    func change(_ path: String, _ old: String, _ new: String) throws {
      let text = try #require(files[path])
      try #require(text.contains(old), "\(path) has \(old)")
      files[path] = text.replacing(old, with: new)
    }
    for name in correcting {
      try change(
        "\(name).odcs.yaml", "status: active\n",
        "status: active\ncustomProperties: [{property: weft.corrections, value: true}]\n")
    }
    for domain in ["claims", "labs"] {
      let unmapped = provisional ? "provisional" : "hold"
      try change(
        "\(domain)/transform.yaml", "unmapped: hold", "unmapped: \(unmapped), repairable: 30d")
    }
    if !provisional { return files }
    let record = "patients/transform.yaml"
    // Its key is not the state port's, as that of the others may be absent.
    try change(record, "registration#patients@1}", "registration#patients@1, deletions: ignore}")
    for name in correcting.dropLast() {
      try change(
        "\(name).odcs.yaml", "{name: patientId, logicalType: string, required: true",
        "{name: patientId, logicalType: string")
    }
    for (domain, key) in [("claims", "event.claimId"), ("labs", "event.labRef")] {
      try change("\(domain)/transform.yaml", "key: ids.patient", "key: \(key)")
      try change("\(domain)/transform.yaml", "= ids.patient", "= ids.?patient")
    }
    try change(record, "from: [visits, labs, charges]", "from: [visits, measured, billed]")
    for (input, stream) in waysOfUnknown {
      try change(record, "      \(input): |\n        ", "      \(stream): |\n        ")
      try change(
        record, "streams:\n",
        "streams:\n  \(stream):\n    from: \(input)\n    where: has(event.patientId)\n")
    }
    for (stream, input) in [("billed", "charges"), ("measured", "labs")] {
      try change(
        record, "      \(stream): |\n        patientId ", "      \(input): |\n        patientId ")
    }
    for (old, new) in [
      ("key: [event.patientId,", "key: [K,"),
      ("    key: event.patientId\n    on", "    key: K\n    on"),
    ] {
      try change(record, old, new.replacing("K", with: "event.?patientId.orValue(\"\")"))
    }
    try change(record, "\ntables:\n", "\njournal: {name: patient}\n\ntables:\n")
    return files
  }

  // MARK: What happens

  private enum Step {
    /// Nil: the patient is registered no more.
    case patient(String, born: String?)
    case link(system: String, local: String, patient: String, at: Int)
    case claim(String)
    case lab(String)

    var isLink: Bool { if case .link = self { true } else { false } }
  }

  private static func time(_ second: Int) -> String {
    Timestamp(milliseconds: 1_716_000_000_000 + Int64(second) * 1000).description
  }

  private static func steps(_ random: inout StateRandom) -> [Step] {
    (0..<70).map { number in
      let local = Int(random.next(below: 4))
      let at = time(number)
      switch random.next(below: 11) {
      case 10:
        let isGone = random.next(below: 3) == 0
        return .patient(
          "P\(random.next(below: 3))", born: isGone ? nil : "19\(10 + random.next(below: 90))-01-01"
        )
      case 0, 1, 2:
        let (system, letter) = random.next(below: 2) == 0 ? ("claims", "m") : ("labs", "l")
        return .link(
          system: system, local: "\(letter)\(local)", patient: "P\(random.next(below: 3))",
          at: Int(random.next(below: 60)))
      case 3:
        return .claim(
          """
          {"eventId":"s\(number)","type":"ClaimSubmitted","occurredAt":"\(at)",\
          "claimId":"c\(random.next(below: 9))","memberNo":"m\(local)","providerId":"p",\
          "payerId":"p","encounterId":"e","diagnoses":[],"claimType":"a"}
          """)
      case 4, 5, 6:
        let isCharge = random.next(below: 3) > 0
        return .claim(
          """
          {"eventId":"t\(number)","type":"ClaimTransaction","occurredAt":"\(at)","claimId":"c",\
          "memberNo":"m\(local)","kind":"\(isCharge ? "CHARGE" : "PAYMENT")",\
          "\(isCharge ? "amount" : "payment")":\(1 + random.next(below: 90)).25,\
          "chargeId":"\(number)"}
          """)
      default:
        return .lab(
          """
          {"eventId":"o\(number)","type":"ObservationRecorded","occurredAt":"\(at)",\
          "labRef":"l\(local)","loinc":"\(random.next(below: 3))","display":"d",\
          "value":\(random.next(below: 100)),"unit":"kg"}
          """)
      }
    }
  }

  /// The links as they hold in the end, before all else.
  private static func known(_ steps: [Step]) -> [Step] {
    var last: [String: (step: Step, at: Int)] = [:]
    for step in steps {
      guard case .link(_, let local, _, let at) = step, at >= last[local]?.at ?? 0 else { continue }
      last[local] = (step, at)
    }
    return last.sorted { $0.key < $1.key }.map(\.value.step) + steps.filter { !$0.isLink }
  }

  // MARK: The products

  private final class Mesh {
    let claims, labs, record: ProductSimulation
    private var sent = [0, 0]

    init(_ files: [String: String]) throws {
      claims = try ProductSimulation(MeshFiles.load(files, domain: "claims").product())
      labs = try ProductSimulation(MeshFiles.load(files, domain: "labs").product())
      record = try ProductSimulation(MeshFiles.load(files, domain: "patients").product())
    }

    private func ordinal(_ simulation: ProductSimulation, _ topic: String) -> Int? {
      simulation.plan.definition.inputs.firstIndex { $0.topic == topic }
    }

    func take(_ step: Step) throws {
      switch step {
      case .patient(let patient, let born):
        let input = try #require(
          ordinal(record, "registration.registration.patients.v1"))
        let value = born.map {
          "{\"patientId\":\"\(patient)\",\"birthDate\":\"\($0)\",\"links\":1}"
        }
        record.feed(
          .init(
            input: input, key: Array(patient.utf8), value: value.map { Array($0.utf8) },
            timestampMs: record.recordedMs))
        record.run()
      case .claim(let value):
        claims.take(value, input: try #require(ordinal(claims, "ops.claims.events")))
      case .lab(let value): labs.take(value, input: try #require(ordinal(labs, "ops.labs.events")))
      case .link(let system, let local, let patient, let at):
        let value = """
          {"system":"\(system)","localId":"\(local)","patientId":"\(patient)",\
          "linkedAt":"\(RelinkedMeshTests.time(at))"}
          """
        for product in [claims, labs] {
          let input = try #require(
            ordinal(product, "registration.registration.identifier-links.v1"))
          product.feed(
            .init(
              input: input, key: Array(local.utf8), value: Array(value.utf8),
              timestampMs: product.recordedMs,
              time: Timestamp(milliseconds: 1_716_000_000_000 + Int64(at) * 1000)))
          product.run()
        }
      }
      for product in [claims, labs, record] { product.recordedMs += 1000 }
    }

    /// Has the patient record take what the others have published since.
    func pass(_ random: inout StateRandom) throws {
      var waiting = [claims, labs].enumerated().map { number, product in
        defer { sent[number] = product.published.count }
        return Array(product.published[sent[number]...])[...]
      }
      while true {
        let left = waiting.indices.filter { !waiting[$0].isEmpty }
        if left.isEmpty { break }
        let from = left[random.next(below: left.count)]
        let record = waiting[from].removeFirst()
        let product = [claims, labs][from]
        if record.port < 0 { continue }
        try pass(record, product.plan.definition.outputs[record.port].topic)
      }
      record.run()
    }

    private func pass(_ one: SimulatedRecord, _ topic: String) throws {
      guard let input = ordinal(record, topic) else { return }
      var given = ProductSimulation.Input(
        input: input, partition: one.partition % 2, key: one.key, value: one.value,
        timestampMs: one.timestampMs,
        time: one[header: "ce_time"].flatMap { text in
          ByteView.lending(Array(text.utf8)) { Timestamp(rfc3339: $0) }
        })
      given.id = one[header: "ce_id"].map { Array($0.utf8) }
      given.operation = one[header: "ce_op"].map { Array($0.utf8) }
      given.corrects = one[header: "ce_corrects"].map { Array($0.utf8) }
      record.feed(given)
    }

    /// The rows that state ports show, and what stands at the event port.
    func shown() -> [String: String] {
      var all: [String: String] = [:]
      for one in record.published where one.port >= 0 {
        let topic = record.plan.definition.outputs[one.port].topic
        let id = one[header: "ce_corrects"] ?? one[header: "ce_id"] ?? ""
        let key = "\(topic) " + (topic.contains(".history.") ? id : one.keyText ?? "")
        all[key] = one[header: "ce_op"] == "retract" ? nil : one.value.map { _ in one.text }
      }
      return all
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>, [false, true])
  func `a patient record ends as if every link had always been known`(
    _ seed: UInt64, provisional: Bool
  ) throws {
    var random = StateRandom(seed)
    let files = try Self.files(provisional: provisional)
    let steps = Self.steps(&random)
    let (mesh, should) = (try Mesh(files), try Mesh(files))
    for step in steps {
      try mesh.take(step)
      if random.next(below: 3) == 0 { try mesh.pass(&random) }
      if random.next(below: 8) == 0 { mesh.claims.crash() }
      if random.next(below: 8) == 0 { mesh.record.crash() }
    }
    try mesh.pass(&random)
    for step in Self.known(steps) { try should.take(step) }
    try should.pass(&random)
    for product in [mesh.claims, mesh.labs, mesh.record, should.record] {
      #expect(product.reasons.isEmpty && product.stop == nil)
    }
    for product in [mesh.labs, mesh.record] {
      #expect(product.published.contains { $0[header: "ce_op"] == "retract" })
    }
    let (found, expected) = (mesh.shown(), should.shown())
    #expect(
      Self.rows(found) == Self.rows(expected))
    #expect(Self.history(found) == Self.history(expected))
    #expect(Self.history(found).count > 5)
  }

  private static func rows(_ shown: [String: String]) -> [String: String] {
    shown.filter { !$0.key.contains(".history.") }
  }

  private static func history(_ shown: [String: String]) -> [String] {
    shown.filter { $0.key.contains(".history.") }.map(\.value).sorted()
  }
}
