import Foundation
import Product
import Records
import Testing

@testable import Engine

/// The claims of the health data, when they are beside the repository: every column of every claim
/// against rows that are computed here from the files, by other means.
@Suite struct ClaimsHealthTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/data/health").standardized
  static var isThere: Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: "claims.ndjson").path)
  }

  struct Claim {
    var status: (time: String, value: String)?
    var payer: String?
    var opened: String?
    var closed: String?
    var charged: Foundation.Decimal?
    var paid: Foundation.Decimal?
    var lines = 0
  }

  struct Line {
    let key: String
    let value: String
  }

  static func lines() throws -> [Line] {
    let text = try String(contentsOf: folder.appending(path: "claims.ndjson"), encoding: .utf8)
    return text.split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      return Line(key: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
    }
  }

  /// The amount as its text stands in the line, as Foundation's own numbers are not exact.
  static func amount(_ name: String, _ line: String) -> Foundation.Decimal? {
    guard let range = line.firstRange(of: "\"\(name)\":") else { return nil }
    let digits = line[range.upperBound...].prefix { "-0123456789.".contains($0) }
    return digits.isEmpty ? nil : Foundation.Decimal(string: String(digits))
  }

  /// What each claim must say, and how many lines are bad or come again.
  static func expected(_ lines: [Line]) -> (claims: [String: Claim], bad: Int, again: Int) {
    var claims: [String: Claim] = [:]
    var seen: Set<String> = []
    var (bad, again) = (0, 0)
    for line in lines {
      guard line.key != "bad",
        let fields = try? JSONSerialization.jsonObject(with: Data(line.value.utf8))
          as? [String: Any],
        let id = fields["eventId"] as? String, let key = fields["claimId"] as? String,
        let time = fields["occurredAt"] as? String
      else {
        bad += 1
        continue
      }
      if !seen.insert("\(key) \(id)").inserted {
        again += 1
        continue
      }
      var claim = claims[key] ?? Claim()
      switch fields["type"] as? String {
      case "ClaimSubmitted":
        if claim.status.map({ time >= $0.time }) ?? true { claim.status = (time, "submitted") }
        claim.payer = fields["payerId"] as? String ?? claim.payer
        claim.opened = min(claim.opened ?? time, time)
      case "ClaimTransaction":
        if fields["kind"] as? String == "CHARGE" {
          claim.lines += 1
          if let sum = amount("amount", line.value) { claim.charged = (claim.charged ?? 0) + sum }
        }
        if fields["kind"] as? String == "PAYMENT", let sum = amount("payment", line.value) {
          claim.paid = (claim.paid ?? 0) + sum
        }
      default:
        if claim.status.map({ time >= $0.time }) ?? true { claim.status = (time, "closed") }
        claim.closed = max(claim.closed ?? time, time)
      }
      claims[key] = claim
    }
    return (claims, bad, again)
  }

  static func text(_ id: String, _ claim: Claim) -> String {
    var parts = ["\"claimId\":\"\(id)\""]
    func add(_ name: String, _ value: String?) {
      if let value { parts.append("\"\(name)\":\"\(value)\"") }
    }
    func add(_ name: String, _ value: Foundation.Decimal?) {
      guard let value else { return }
      let cents = NSDecimalNumber(decimal: value * 100).int64Value
      let fraction = cents % 100
      parts.append("\"\(name)\":\(cents / 100).\(fraction < 10 ? "0" : "")\(fraction)")
    }
    add("status", claim.status?.value)
    add("openedAt", claim.opened)
    add("payerId", claim.payer)
    add("closedAt", claim.closed)
    add("charged", claim.charged)
    add("paid", claim.paid)
    parts.append("\"lines\":\(claim.lines)")
    return "{\(parts.joined(separator: ","))}"
  }

  static func last(_ simulation: ProductSimulation, _ port: Int) -> [String: String] {
    var rows: [String: String] = [:]
    for record in simulation.published where record.port == port {
      guard let key = record.keyText else { continue }
      rows[key] = record.value.map { String(decoding: $0, as: UTF8.self) }
    }
    return rows
  }

  static func run(_ definition: ProductDefinition, _ lines: [Line]) throws -> ProductSimulation {
    let simulation = try ProductSimulation(definition)
    for (number, line) in lines.enumerated() {
      simulation.feed(
        .init(
          input: 0, key: Array(line.key.utf8), value: Array(line.value.utf8),
          timestampMs: simulation.recordedMs))
      if number % 1000 == 999 { simulation.run() }
    }
    simulation.run()
    return simulation
  }

  @Test(.enabled(if: isThere))
  func `every column of every claim is right, and every malformed line is in quarantine once`()
    throws
  {
    let lines = try ClaimsHealthTests.lines()
    let expected = ClaimsHealthTests.expected(lines)
    let simulation = try ClaimsHealthTests.run(Claims.product(), lines)
    let rows = ClaimsHealthTests.last(simulation, 1)
    #expect(rows.count == expected.claims.count)
    for (id, claim) in expected.claims {
      #expect(rows[id] == ClaimsHealthTests.text(id, claim))
    }
    #expect(simulation.counts.read == Int64(lines.count))
    #expect(simulation.counts.quarantined == Int64(expected.bad))
    #expect(simulation.counts.redelivered == Int64(expected.again))
    #expect(simulation.quarantined.allSatisfy { $0.keyText == "bad" })
  }
}
