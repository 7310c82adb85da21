import Formats
import Records

/// What the event at hand does to what came before it.
enum Correction {
  /// It takes nothing back and stands for nothing that was.
  case none
  /// It says anew what another one, taken back, said wrongly.
  case assert
  /// It takes back the records that the event at a position of the journal has made, in a round of
  /// corrections: each the one with its own number at the port, moved by so many.
  case retract(Position, round: Int, shift: Int32)
  /// Of a direct product: it takes back the record of that id.
  case retractId(ByteView)

  var isRetraction: Bool {
    switch self {
    case .none, .assert: false
    case .retract, .retractId: true
    }
  }
}

extension Correction {
  static let retractName: StaticString = "retract"
  static let assertName: StaticString = "assert"

  /// Reads what a journaled event says; where its original stands is found in the state.
  static func operation(_ headers: ByteView) -> ByteView? {
    if headers.isEmpty { return nil }
    var reader = JournalHeaders(headers)
    while let header = reader.next() {
      if header.name == CloudEventsHeader.operation.view { return header.value }
    }
    return nil
  }

  /// What a journaled event says, as its record did.
  static func headers(of event: JournalEvent) -> CorrectionHeaders {
    let operation = operation(event.headers)
    return operation == retractName.view
      ? CorrectionHeaders(id: nil, operation: operation, corrects: event.id)
      : CorrectionHeaders(id: event.id, operation: operation, corrects: nil)
  }
}

extension JournalEvent {
  /// Whether it takes back the record whose id it has.
  package var isRetraction: Bool {
    Correction.operation(headers) == Correction.retractName.view
  }
}

extension Workbench {
  /// Whether a record says well what it corrects, or fails.
  func isWhole(_ correction: CorrectionHeaders) -> Bool {
    guard let operation = correction.operation else { return true }
    if operation == Correction.assertName.view { return true }
    if operation != Correction.retractName.view {
      failCorrection("`ce_op` is `\(RunFault.shortened(operation))`, which is no correction")
      return false
    }
    if correction.corrects?.isEmpty ?? true {
      failCorrection("a record takes back another one and does not say which in `ce_corrects`")
      return false
    }
    return true
  }

  private func failCorrection(_ message: String) {
    fail(RunFault(reason: "bad-correction", message: message, place: "ce_op"))
  }
}
