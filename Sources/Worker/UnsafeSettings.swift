/// Rules that a test may switch off to show that they matter. Never to be used otherwise: without
/// any one of them records are lost or counted twice.
///
/// Read from the environment variable `WEFT_TEST_DISABLE`, a list with commas.
package struct UnsafeSettings: Hashable, Sendable {
  package enum Rule: String, Hashable, Sendable, CaseIterable {
    /// Own blocks are applied in their turn wherever the broker put them.
    case offsetRule = "offset-rule"
    /// A batch that spans a rebalance is kept, and committed under the newer generation.
    case gatheredGeneration = "gathered-generation"
    /// Every start has a transactional id of its own, and offsets name no generation.
    case fencing
    /// A producer begins another transaction with its epoch though it has lost a connection.
    case epochAfterLoss = "epoch-after-loss"
    /// A producer begins another transaction with its epoch though it has aborted one.
    case epochAfterAbort = "epoch-after-abort"
    /// Own blocks of chained journals are applied in their turn wherever the broker put them.
    case chainedOffset = "chained-offset"
    /// What is applied again is handed on to chained journals again.
    case silentHandovers = "silent-handovers"
  }

  package let disabled: Set<Rule>

  package static let none = UnsafeSettings(disabled: [])

  package init(disabled: Set<Rule>) { self.disabled = disabled }

  /// Nil when the text names a rule that there is not.
  package init?(_ text: String) {
    var rules: Set<Rule> = []
    for part in text.split(separator: ",") {
      guard let rule = Rule(rawValue: String(part)) else { return nil }
      rules.insert(rule)
    }
    disabled = rules
  }

  package static let variable = "WEFT_TEST_DISABLE"

  package func keeps(_ rule: Rule) -> Bool { !disabled.contains(rule) }
}
