import CommandLine

/// What a person calls a port: `domain/product#port@major`, parts of which may be left out, or the
/// name of a topic.
enum PortAddress: Hashable {
  case port(domain: String?, product: String, port: String?, major: Int?)
  case topic(String)

  init(_ text: String, isProduct: Bool) throws(UsageError) {
    let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 || isProduct else {
      if !PortAddress.isTopic(text) { throw PortAddress.wrong(text) }
      self = .topic(text)
      return
    }
    let place = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    var name: String?
    var major: Int?
    if parts.count == 2 {
      let port = parts[1].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      name = String(port[0])
      if port.count == 2 {
        major = Int(port[1])
        if major == nil { throw PortAddress.wrong(text) }
      }
    }
    guard place.count <= 2, !place.contains(""), let product = place.last, name != "" else {
      throw PortAddress.wrong(text)
    }
    self = .port(
      domain: place.count == 2 ? String(place[0]) : nil, product: String(product), port: name,
      major: major)
  }

  /// Whether Kafka takes it for a topic's name.
  private static func isTopic(_ text: String) -> Bool {
    (1...249).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0))
      }
  }

  private static func wrong(_ text: String) -> UsageError {
    UsageError(
      "`\(text)` is no address of a port",
      help: "write `product#port`, `product#port@1`, `domain/product#port@1`, or a topic's name")
  }
}
