import CommandLine
import Diagnostics
import Engine
import Kafka
import Mesh
import Records

enum QuarantineVerb {
  private static let action = Argument(
    "ACTION", choices: ["list", "show", "release", "discard"], "what to do")
  private static let product = Argument(
    "PRODUCT", "a product, or for `list` a domain: `product`, `domain/product`, `domain`")
  private static let positions = Argument(
    "POSITION", isRequired: false, isRepeatable: true, "places in quarantine, as `list` shows them")
  private static let all = Option(
    "all", "release all that are open, or all of them that the filters let through")
  private static let open = Option("open", "of a list: only those that nobody has dealt with")
  private static let oldest = Option("oldest", "of a list: the oldest first, not the newest")
  private static let limit = Option(
    "limit", value: "N", short: "n", "of a list: so many records at most")
  private static let hexadecimal = Option("hex", "show the original in hexadecimal digits")

  static let verb = Verb(
    command: Command(
      "quarantine", "see what could not be processed, and release or discard it",
      arguments: [action, product, positions],
      options: [
        QuarantineFilter.reason, QuarantineFilter.input, QuarantineFilter.since, all, open, oldest,
        limit, hexadecimal,
      ],
      examples: [
        .init("weft quarantine list claims", "what is there, and how much of each reason"),
        .init("weft quarantine show claims 17", "why, where it came from, and its bytes"),
        .init("weft quarantine release claims 17 18", "two events go through the product again"),
        .init("weft quarantine release claims --all --reason future", "all of one reason"),
        .init("weft quarantine discard claims 19", "it stays out for good"),
      ],
      discussion: "A released event is applied once, at the end of its journal partition, by the "
        + "product's files as they are; a second release, or a discard after it, has no effect, "
        + "whoever asks for it and through any crash. What fails again is in quarantine again. The "
        + "command needs the product's files, writes to its journal, and waits until the worker has "
        + "applied it; without a worker it is done as soon as one runs.\n\nExit code 1: something is "
        + "not there, cannot be released, or failed again; 4: the worker did not apply it in time.")
  ) { session in
    let name = session.arguments[product] ?? ""
    switch session.arguments[action] {
    case "list": return try list(name, session)
    case "show": return try show(name, session)
    case "release": return try settle(.release, name, session)
    default: return try settle(.discard, name, session)
    }
  }

  // MARK: Reading

  private static func list(_ name: String, _ session: Session) throws -> ExitCode {
    let filter = try QuarantineFilter(session.arguments)
    if !session.arguments.all(positions).isEmpty {
      throw UsageError("`list` takes no positions", help: "`weft quarantine show` shows one")
    }
    var list = QuarantineList(
      session, limit: try ReadVerb.number(session.arguments[limit]),
      isOldestFirst: session.arguments.has(oldest))
    for found in try PublishedProduct.all(name, session) {
      let log = try read(
        found, try Broker(found.settings, session), session, keepsOriginals: false, filter.takes)
      list.add(log, of: found.product.name, onlyOpen: session.arguments.has(open))
    }
    list.write()
    return .ok
  }

  private static func show(_ name: String, _ session: Session) throws -> ExitCode {
    let wanted = try places(session)
    if wanted.isEmpty { throw UsageError("`show` needs a position", help: help) }
    let found = try PublishedProduct(name, session)
    let log = try read(
      found, try Broker(found.settings, session), session, keepsOriginals: true
    ) { wanted.contains($0.offset) }
    try checkAreThere(wanted, log, found)
    for (index, place) in wanted.enumerated() {
      guard let event = log.events.first(where: { $0.offset == place }) else { continue }
      if index > 0, !session.isJSON { session.output.write("\n") }
      QuarantineDetail(
        event: event, settlements: log.settlements[place] ?? [], session: session
      ).write(isHexadecimal: session.arguments.has(hexadecimal))
    }
    return .ok
  }

  private static func read(
    _ found: PublishedProduct, _ broker: Broker, _ session: Session, keepsOriginals: Bool,
    _ isWanted: (QuarantinedRecord) -> Bool
  ) throws -> QuarantineLog {
    let errors = session.errors
    var progress = ProgressLine(session.errorTerminal) { errors.write($0) }
    defer { progress.end() }
    return try broker.run { _, deadline in
      try QuarantineLog(found, keepsOriginals: keepsOriginals, deadline, isWanted) {
        progress.show($0)
      }
    }
  }

  // MARK: Settling

  private static func settle(_ action: Settling.Action, _ name: String, _ session: Session) throws
    -> ExitCode
  {
    let wanted = try places(session)
    let filter = try QuarantineFilter(session.arguments)
    let takesAll = session.arguments.has(all)
    if action == .discard && takesAll {
      throw UsageError("`discard` takes positions, not --all", help: help)
    }
    if wanted.isEmpty != takesAll {
      throw UsageError(
        "`\(action.rawValue)` takes positions\(action == .release ? ", or --all" : "")", help: help)
    }
    if !takesAll && !filter.isEmpty {
      throw UsageError("--reason, --input and --since go with --all", help: help)
    }
    let found = try PublishedProduct(name, session)
    var settling = try Settling(action, found, session)
    let broker = try Broker(found.settings, session)
    let log = try read(found, broker, session, keepsOriginals: true) {
      takesAll ? filter.takes($0) : wanted.contains($0.offset)
    }
    try checkAreThere(wanted, log, found)
    let events = takesAll ? log.events.filter(log.isOpen) : log.events
    if events.isEmpty {
      session.say("nothing is open in the quarantine of `\(found.product.name)`")
      return .ok
    }
    return try settling.run(events, log, broker)
  }

  private static let help = "`weft quarantine --help` shows how it is used"

  private static func places(_ session: Session) throws -> [Int64] {
    try session.arguments.all(positions).map { text in
      guard let place = Int64(text), place >= 0 else {
        throw UsageError(
          "`\(text)` is no place in quarantine", help: "write a number, as `list` shows it")
      }
      return place
    }
  }

  /// - Throws: before anything is done, where nothing lies at one of the places.
  private static func checkAreThere(
    _ wanted: [Int64], _ log: QuarantineLog, _ found: PublishedProduct
  ) throws {
    let missing = wanted.filter { place in !log.events.contains { $0.offset == place } }
    if missing.isEmpty { return }
    throw Refusal(
      missing.map { place in
        Diagnostic(
          .notQuarantined, "nothing lies at \(place) in the quarantine of `\(found.product.name)`",
          help: "`weft quarantine list \(found.product.name)` shows what is there")
      })
  }
}
