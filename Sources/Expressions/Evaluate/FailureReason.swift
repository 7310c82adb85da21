/// Why an evaluation failed. The numbers travel in error values inside one process only.
enum FailureReason: UInt16, CaseIterable, Sendable {
  case divisionByZero = 1
  case integerOverflow
  case decimalOverflow
  case noSuchElement
  case noSuchKey
  case noValue
  case badConversion
  case tooMuchWork
  case timeOverflow
  case badZone
  case repeatedKey
  case wrongType

  /// Permanent; part of the quarantine record.
  var code: String {
    switch self {
    case .divisionByZero: "division-by-zero"
    case .integerOverflow: "integer-overflow"
    case .decimalOverflow: "decimal-overflow"
    case .noSuchElement: "no-such-element"
    case .noSuchKey: "no-such-key"
    case .noValue: "no-value"
    case .badConversion: "bad-conversion"
    case .tooMuchWork: "too-much-work"
    case .timeOverflow: "time-overflow"
    case .badZone: "bad-zone"
    case .repeatedKey: "repeated-key"
    case .wrongType: "wrong-type"
    }
  }

  var message: String {
    switch self {
    case .divisionByZero: "division by zero"
    case .integerOverflow: "the result does not fit into 64 bits"
    case .decimalOverflow: "the result has more than 38 digits"
    case .noSuchElement: "the list has no such element"
    case .noSuchKey: "the map has no such key"
    case .noValue: "there is no value"
    case .badConversion: "the value cannot be converted"
    case .tooMuchWork: "more than \(Evaluation.iterationsMax) steps over lists"
    case .timeOverflow: "the result leaves the years 1 to 9999, or is a span beyond 292 years"
    case .badZone: "the time zone is none of `UTC`, `+05:30` and the like"
    case .repeatedKey: "the map has a key twice"
    case .wrongType: "the mixed value is of another type than is asked for here"
    }
  }
}
