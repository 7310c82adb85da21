import Diagnostics
import Expressions

extension DiagnosticCode {
  package static let fieldRemoved = DiagnosticCode("W0701")
  package static let fieldRetyped = DiagnosticCode("W0702")
  package static let fieldMadeOptional = DiagnosticCode("W0703")
  package static let decimalNarrowed = DiagnosticCode("W0704")
  package static let keyChanged = DiagnosticCode("W0705")
  package static let partitionsChanged = DiagnosticCode("W0706")
  package static let portKindChanged = DiagnosticCode("W0707")
  package static let correctionsAdded = DiagnosticCode("W0708")
}

/// What a change of the files would break for those who read a port's published major version.
///
/// Allowed within a major are new fields, fields made required, decimals made wider, and any text.
package struct Compatibility {
  private let promise: PortPromise
  private let published: PublishedPort
  private var diagnostics: [Diagnostic] = []

  private init(_ published: PublishedPort, _ promise: PortPromise) {
    self.published = published
    self.promise = promise
  }

  /// The rules that `promise` breaks if it takes the place of `published`: the same port and major.
  package static func broken(
    _ published: PublishedPort, by promise: PortPromise
  ) -> [Diagnostic] {
    var check = Compatibility(published, promise)
    check.ports()
    check.fields(published.fields, promise.port.fields, path: "")
    return check.diagnostics
  }

  /// The same for all ports of a product; those published that are promised no more are not in it.
  package static func broken(
    _ published: [PublishedPort], by promises: [PortPromise]
  ) -> [Diagnostic] {
    promises.flatMap { promise -> [Diagnostic] in
      let old = published.first {
        $0.name == promise.port.name && $0.major == promise.port.major
      }
      return old.map { broken($0, by: promise) } ?? []
    }
  }

  private var address: String { "\(published.name)@\(published.major)" }

  private mutating func report(
    _ code: DiagnosticCode, _ message: String, _ span: SourceSpan, keep: String
  ) {
    let next = "\(published.name)@\(published.major + 1)"
    diagnostics.append(
      Diagnostic(
        code, message, at: span,
        notes: ["`\(address)` is published as version \(published.version), and may have readers"],
        help: "\(keep), or publish the change as `\(next)` beside it"))
  }

  private mutating func ports() {
    let port = promise.port
    if port.isState != published.isState {
      let kind = published.isState ? "a state port" : "an event port"
      report(
        .portKindChanged, "`\(address)` was \(kind)", promise.span, keep: "leave it \(kind)")
      return
    }
    if port.corrects && !published.corrects {
      report(
        .correctionsAdded,
        "`\(address)` carried no corrections, and now may take back what it has "
          + "published", promise.contractSpan, keep: "remove `weft.corrections`")
    }
    if port.key != published.key {
      report(
        .keyChanged,
        "the key of `\(address)` was \(key(published.key)), and is now \(key(port.key))",
        promise.span, keep: "keep the key")
    }
    if port.partitions != published.partitions {
      report(
        .partitionsChanged,
        "`\(address)` had \(published.partitions) partitions, and now has \(port.partitions)",
        promise.span, keep: "keep \(published.partitions) partitions")
    }
  }

  private func key(_ parts: [String]) -> String {
    parts.isEmpty ? "the input record's own" : parts.map { "`\($0)`" }.joined(separator: ", ")
  }

  private mutating func fields(_ old: [ContractField], _ new: [ContractField], path: String) {
    for field in old {
      let path = path.isEmpty ? field.name : "\(path).\(field.name)"
      guard let now = new.first(where: { $0.name == field.name }) else {
        removed(field, path, old, new)
        continue
      }
      compare(field, now, path)
    }
  }

  private mutating func removed(
    _ field: ContractField, _ path: String, _ old: [ContractField], _ new: [ContractField]
  ) {
    // A field of the same type that was not there before is most likely the old one, renamed.
    let renamed = new.first { now in
      now.type == field.type && !old.contains { $0.name == now.name }
    }
    let parent = path.split(separator: ".").dropLast().joined(separator: ".")
    let place = renamed.flatMap {
      promise.places[parent.isEmpty ? $0.name : "\(parent).\($0.name)"]
    }
    let message =
      renamed.map { "field `\(path)` of `\(address)` was renamed to `\($0.name)`" }
      ?? "field `\(path)` of `\(address)` was removed"
    report(
      .fieldRemoved, message, place ?? promise.places[parent] ?? promise.contractSpan,
      keep: "keep `\(path)`")
  }

  private mutating func compare(_ old: ContractField, _ new: ContractField, _ path: String) {
    let span = promise.places[path] ?? promise.contractSpan
    if Compatibility.shape(old.type) != Compatibility.shape(new.type) {
      report(
        .fieldRetyped, "field `\(path)` of `\(address)` was \(old.type), and is now \(new.type)",
        span, keep: "keep its type")
      return
    }
    if old.isRequired && !new.isRequired {
      report(
        .fieldMadeOptional, "field `\(path)` of `\(address)` was required, and now may be absent",
        span, keep: "keep `required: true`")
    }
    if let before = old.decimal, let after = new.decimal,
      after.scale < before.scale || after.precision - after.scale < before.precision - before.scale
    {
      report(
        .decimalNarrowed,
        "field `\(path)` of `\(address)` was decimal(\(before.precision),\(before.scale)), and is "
          + "now decimal(\(after.precision),\(after.scale))", span, keep: "keep its digits")
    }
    if old.primaryKeyPosition != new.primaryKeyPosition, !published.isState {
      report(
        .keyChanged, "field `\(path)` of `\(address)` has another place in the primary key", span,
        keep: "keep `primaryKey` and `primaryKeyPosition`")
    }
    fields(old.fields, new.fields, path: path)
  }

  /// The type without the fields of objects, which are compared one by one.
  private static func shape(_ type: ValueType) -> ValueType {
    switch type {
    case .object: .object(ObjectType(name: "", fields: []))
    case .list(let element): .list(shape(element))
    case .map(let key, let value): .map(key: key, value: shape(value))
    default: type
    }
  }
}
