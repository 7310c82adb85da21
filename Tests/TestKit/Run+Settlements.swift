import Engine

extension Run {
  /// What operators asked for was done once, by each journal that it concerns, and whoever waits
  /// for it can read that in quarantine.
  func checkSettlements(_ reference: Reference) {
    let settlements = quarantine.compactMap(\.settlement)
    let found = settlements.map(text).sorted()
    let expected = reference.settled.sorted()
    if found != expected { fail("settled are \(found), should be \(expected)") }
    for (place, asked) in Dictionary(grouping: asked, by: \.quarantine) {
      let results = found.filter { $0.contains(" \(place) ") }
      if results.count != asked[0].journals.count {
        fail("quarantine/\(place) is settled as \(results), should be by \(asked[0].journals)")
      }
      for settlement in settlements where settlement.settles == place {
        let source =
          "\(settlement.topic)/\(settlement.partition)/\(settlement.sourceOffset)"
        if source != asked[0].source { fail("quarantine/\(place) is settled as of \(source)") }
      }
      // Of two who want opposite things the first in the journal has it.
      if Set(asked.map(\.kind)).count > 1 { continue }
      for result in results
      where result.hasSuffix(" discarded") != (asked[0].kind == .discard) {
        fail("quarantine/\(place) is settled as \(result), \(asked[0].kind) was asked for")
      }
    }
  }

  private func text(_ settlement: SettlementRecord) -> String {
    let result =
      switch settlement.result {
      case .quarantined, .discarded: settlement.result.rawValue
      case .applied, .filtered, .redelivered, .held: "released"
      }
    let key = Shape.Key(rawValue: settlement.journal) ?? .account
    return "\(key) \(settlement.settles) \(result)"
  }
}
