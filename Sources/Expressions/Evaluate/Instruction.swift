/// What an instruction does. Values are never absent or errors unless it says so: a failing
/// instruction jumps, it gives no error value.
enum Opcode: UInt8, Sendable {
  // Control.
  /// Goes to the target.
  case jump
  /// Ends with operand `a`.
  case finish
  case finishTrue
  case finishFalse
  /// Where a failure lands: the destination is given the error value.
  case land
  /// Fails again with the error in `a`, if it is one; else goes on.
  case rethrow
  /// Fails when `a` is absent; the destination is `a`.
  case require

  // Conditions: jump to the target when the outcome is among the instruction's outcomes.
  case testBool
  /// Whether `a` is there.
  case testPresent
  case compareInt, compareUint, compareDouble, compareDecimal, compareText, compareBool
  case compareTimestamp, compareDate, compareDuration
  case equalText
  /// Any two values of one type, deeply; absent equals absent.
  case equalAny
  case startsWith, endsWith, contains
  case inList, inMap
  /// Whether `a`, which ``orderMixed`` has given, is in the outcomes.
  case testOutcome

  // Values.
  case move
  case addInt, subtractInt, multiplyInt, divideInt, remainderInt, negateInt
  case addUint, subtractUint, multiplyUint, divideUint, remainderUint
  case addDouble, subtractDouble, multiplyDouble, divideDouble, negateDouble
  case addDecimal, subtractDecimal, multiplyDecimal, negateDecimal
  case intOfUint, intOfDouble, uintOfInt, uintOfDouble, doubleOfInt, doubleOfUint
  case decimalOfInt, decimalOfText
  case intOfText, uintOfText, boolOfText, intOfTimestamp, timestampOfInt
  case textOfValue, bytesOfText
  case doubleOfText, doubleOfDecimal, intOfDecimal, uintOfDecimal, decimalOfUint, textOfBytes
  case intOfDuration

  // Time.
  case timestampOfText, durationOfText, dateOfText, timestampOfDate, dateOfTimestamp
  case addTime, subtractTime, timeBetween, addDuration, subtractDuration
  /// The part that ``Instruction/part`` names: of a timestamp in UTC, of one in zone `b`, of a
  /// duration.
  case partOfTime, partOfTimeInZone, partOfDuration

  // Hashes.
  case sha256, uuid5
  /// Of `b`, with `a` as the key.
  case hmac

  case sizeText, sizeBytes, sizeRun, sizeMap
  case joinText, mask

  // Lists, maps and objects.
  case joinLists
  case indexList, indexMap
  /// The same, absent when there is none.
  case tryIndexList, tryIndexMap
  /// Field `b` (a number, not an operand) of the object `a`; absent when `a` is.
  case field
  /// A list of `b` (a number) absent values, an object of as many.
  case makeList, makeObject
  /// A list of as many absent values as list `a` has.
  case makeListLike
  /// Puts `a` at place `b` (a number) of the list or object in the destination.
  case store
  /// Puts `a` at the place that the counter `b` says into the list in the destination.
  case storeCounted
  /// Begins to count at zero in the destination.
  case beginLoop
  /// The next element of list `a` into the destination, counting in the register behind it; goes to
  /// the target when there is none left.
  case nextElement
  /// The same over a map's keys, over a list's places and elements and a map's keys and values: the
  /// second goes to the register behind the counter.
  case nextKey, nextPair, nextEntry
  /// Puts `a` into list `b` at the place that the destination counts, and counts on.
  case storeNext
  /// The list of the first elements of list `a`, as many as `b` says.
  case trimList
  /// A map of `b` (a number) absent keys and values.
  case makeMap
  /// The map `a`, whose keys differ; fails when they do not.
  case checkKeys

  // Mixed values.
  /// The function that the instruction names, of `a` and `b`: registers, which it may change.
  case dispatch
  /// The outcome of comparing `a` with `b`, as an int. Registers likewise.
  case orderMixed
  /// Mixed `a` as what the instruction's cast says.
  case cast
  /// What `a` has at `b`; the second is absent when there is none.
  case indexMixed, tryIndexMixed
  /// The name of the type of `a`.
  case typeOf
  /// `a` as it leaves the program: what is mixed in it is JSON.
  case jsonOfMixed
}

/// Where an operand stands: the two highest bits say in what, the others which.
struct Operand: Sendable, Equatable {
  let bits: UInt32
  /// Which one of where it stands.
  var index: Int { Int(bits & Operand.indexMask) }

  static let kindShift: UInt32 = 30
  static let indexMask: UInt32 = (1 << 30) - 1

  static func slot(_ index: Int) -> Operand { Operand(bits: UInt32(index)) }
  static func register(_ index: Int) -> Operand { Operand(bits: 1 << kindShift | UInt32(index)) }
  static func constant(_ index: Int) -> Operand { Operand(bits: 2 << kindShift | UInt32(index)) }
  /// No operand: reading it is harmless, as every frame has a register.
  static let none = register(0)
  /// A plain number where an instruction takes one.
  static func number(_ value: Int) -> Operand { Operand(bits: UInt32(value)) }
}

/// One step of a program; 16 bytes.
struct Instruction: Sendable {
  var opcode: Opcode
  /// Of a condition: when to jump.
  var outcomes: Outcomes
  /// A register.
  var destination: UInt16
  var a: Operand
  var b: Operand
  /// Where a jump goes; of an instruction that may fail, where its failure lands
  /// (``noTarget``: it ends the program).
  var target: UInt32

  /// Of ``Opcode/partOfTime`` and its like: which part.
  var part: TimePart { TimePart(rawValue: outcomes.rawValue) ?? .year }

  /// Of ``Opcode/dispatch``.
  var function: MixedFunction { MixedFunction(rawValue: outcomes.rawValue) ?? .add }
  /// Of ``Opcode/cast``.
  var cast: Cast { Cast(rawValue: outcomes.rawValue) ?? .bool }

  static let noTarget = UInt32.max
}
