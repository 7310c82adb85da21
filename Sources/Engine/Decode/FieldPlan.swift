/// How one contract field is read and checked. Plain data, so that walking a plan counts no
/// references.
struct FieldPlan: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    case bool, int, double, decimal, string, timestamp, date, json, object, list, map
  }

  var kind: Kind
  /// Where the value goes in the frame's slots; −1: no program reads it.
  var slot: Int32 = -1
  /// Bit among the first 64 required fields of its object; 0 when it is optional.
  var requiredBit: UInt64 = 0
  /// Of a decimal: digits in all and after the point; precision 0: any that 38 digits hold.
  var precision: UInt8 = 0
  var scale: UInt8 = 0
  /// Of a decimal: mantissas below this fit whatever their scale (10^(precision − scale)).
  var mantissaSafe: UInt64 = 0
  /// Of an object, or an object in a list: its place in ``DecodePlan/objects``.
  var object: Int32 = -1
  /// Of a list or map: the place of its elements' plan in ``DecodePlan/fields``.
  var element: Int32 = -1
}

/// The fields of one object, a range of ``DecodePlan/fields``, and the slots below it.
struct ObjectPlan: BitwiseCopyable {
  var first: Int32
  var count: Int32
  /// Of all required fields among the first 64.
  var requiredMask: UInt64
  /// More than 64 fields are required: they are checked one by one on the materialised object.
  var isWide: Bool
  /// Slots that this object's fields fill, nested ones included.
  var slotFirst: Int32
  var slotEnd: Int32
}

/// What is wrong with a document, found while it was decoded: the first fault counts.
struct DecodeFault: BitwiseCopyable {
  enum Reason: UInt8, BitwiseCopyable {
    case none, missing, wrongType, notIntegral, outOfRange, notATimestamp, notADate, notAnObject
  }

  var reason: Reason
  /// Place of the field in ``DecodePlan/fields``; −1: the document itself.
  var field: Int32
  /// Node of the value on the tape; −1 when there is none.
  var node: Int32

  static let none = DecodeFault(reason: .none, field: -1, node: -1)
}
