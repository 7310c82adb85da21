import Diagnostics
import Records

/// Time zones that stand in the text.
extension Checking {
  func isZone(_ name: [UInt8]) -> Bool { ByteView.lending(name) { zoneSeconds($0) != nil } }

  mutating func reportZone(_ syntax: SyntaxNode) {
    report(
      .notYet, "named time zones such as \(text(syntax.range)) are not in Weft yet", syntax.range,
      label: "neither `UTC` nor a distance from it",
      help: "write the distance: `\"+01:00\"`")
  }
}
