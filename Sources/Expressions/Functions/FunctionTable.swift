import Records

/// All functions and operators: the one place where the checker and the compiler learn them.
enum FunctionTable {
  /// By name, in the order in which they are tried.
  static let overloads: [String: [Overload]] = Dictionary(
    grouping: arithmetic + comparisons + text + conversions + lists + maps + optionals
      + times + parts + mixed, by: \.name)

  static func names(_ style: Overload.Style) -> [String] {
    overloads.values.joined().filter { $0.style == style }.map(\.name)
  }

  private static let arithmetic: [Overload] = [
    Overload("_+_", [.int, .int], .int, .compute(.addInt)),
    Overload("_+_", [.uint, .uint], .uint, .compute(.addUint)),
    Overload("_+_", [.double, .double], .double, .compute(.addDouble)),
    Overload("_+_", [.decimal, .decimal], .decimal, .compute(.addDecimal)),
    Overload("_+_", [.string, .string], .string, .compute(.joinText)),
    Overload("_+_", [.bytes, .bytes], .bytes, .compute(.joinText)),
    Overload("_+_", [.list(.any), .list(.any)], .list(.any), .compute(.joinLists)),
    Overload("_-_", [.int, .int], .int, .compute(.subtractInt)),
    Overload("_-_", [.uint, .uint], .uint, .compute(.subtractUint)),
    Overload("_-_", [.double, .double], .double, .compute(.subtractDouble)),
    Overload("_-_", [.decimal, .decimal], .decimal, .compute(.subtractDecimal)),
    Overload("_*_", [.int, .int], .int, .compute(.multiplyInt)),
    Overload("_*_", [.uint, .uint], .uint, .compute(.multiplyUint)),
    Overload("_*_", [.double, .double], .double, .compute(.multiplyDouble)),
    Overload("_*_", [.decimal, .decimal], .decimal, .compute(.multiplyDecimal)),
    Overload("_/_", [.int, .int], .int, .compute(.divideInt)),
    Overload("_/_", [.uint, .uint], .uint, .compute(.divideUint)),
    Overload("_/_", [.double, .double], .double, .compute(.divideDouble)),
    Overload("_%_", [.int, .int], .int, .compute(.remainderInt)),
    Overload("_%_", [.uint, .uint], .uint, .compute(.remainderUint)),
    Overload("-_", [.int], .int, .compute(.negateInt)),
    Overload("-_", [.double], .double, .compute(.negateDouble)),
    Overload("-_", [.decimal], .decimal, .compute(.negateDecimal)),
    Overload("!_", [.bool], .bool, .condition(.testBool, .notEqual)),
  ]

  private static let ordered: [(TypePattern, Opcode)] = [
    (.int, .compareInt), (.uint, .compareUint), (.double, .compareDouble),
    (.decimal, .compareDecimal), (.string, .compareText), (.bytes, .compareText),
    (.bool, .compareBool), (.timestamp, .compareTimestamp), (.date, .compareDate),
    (.duration, .compareDuration),
  ]

  private static let comparisons: [Overload] =
    ordered.flatMap { type, opcode in
      [("_<_", Outcomes.less), ("_<=_", .lessEqual), ("_>_", .greater), ("_>=_", .greaterEqual)]
        .map { Overload($0, [type, type], .bool, .condition(opcode, $1)) }
    }
    + ordered.flatMap { type, opcode in
      let equality = opcode == .compareText ? Opcode.equalText : opcode
      return [
        Overload("_==_", [type, type], .bool, .condition(equality, .equal)),
        Overload("_!=_", [type, type], .bool, .condition(equality, .notEqual)),
      ]
    }
    + [
      Overload("_==_", [.any, .any], .bool, .condition(.equalAny, .equal)),
      Overload("_!=_", [.any, .any], .bool, .condition(.equalAny, .notEqual)),
    ]

  private static let text: [Overload] = [
    Overload("size", [.string], .int, .compute(.sizeText)),
    Overload("size", .member, [.string], .int, .compute(.sizeText)),
    Overload("size", [.bytes], .int, .compute(.sizeBytes)),
    Overload("size", .member, [.bytes], .int, .compute(.sizeBytes)),
    Overload("startsWith", .member, [.string, .string], .bool, .condition(.startsWith, .yes)),
    Overload("endsWith", .member, [.string, .string], .bool, .condition(.endsWith, .yes)),
    Overload("contains", .member, [.string, .string], .bool, .condition(.contains, .yes)),
    Overload("mask", [.string], .string, .compute(.mask)),
  ]

  private static let conversions: [Overload] = [
    Overload("bool", [.bool], .bool, .identity),
    Overload("bool", [.string], .bool, .compute(.boolOfText)),
    Overload("int", [.int], .int, .identity),
    Overload("int", [.uint], .int, .compute(.intOfUint)),
    Overload("int", [.double], .int, .compute(.intOfDouble)),
    Overload("int", [.string], .int, .compute(.intOfText)),
    Overload("int", [.timestamp], .int, .compute(.intOfTimestamp)),
    Overload("int", [.duration], .int, .compute(.intOfDuration)),
    Overload("int", [.decimal], .int, .compute(.intOfDecimal)),
    Overload("uint", [.uint], .uint, .identity),
    Overload("uint", [.string], .uint, .compute(.uintOfText)),
    Overload("uint", [.int], .uint, .compute(.uintOfInt)),
    Overload("uint", [.double], .uint, .compute(.uintOfDouble)),
    Overload("uint", [.decimal], .uint, .compute(.uintOfDecimal)),
    Overload("double", [.double], .double, .identity),
    Overload("double", [.int], .double, .compute(.doubleOfInt)),
    Overload("double", [.uint], .double, .compute(.doubleOfUint)),
    Overload("double", [.string], .double, .compute(.doubleOfText)),
    Overload("double", [.decimal], .double, .compute(.doubleOfDecimal)),
    Overload("string", [.string], .string, .identity),
    Overload("string", [.int], .string, .compute(.textOfValue)),
    Overload("string", [.uint], .string, .compute(.textOfValue)),
    Overload("string", [.bool], .string, .compute(.textOfValue)),
    Overload("string", [.double], .string, .compute(.textOfValue)),
    Overload("string", [.bytes], .string, .compute(.textOfBytes)),
    Overload("string", [.duration], .string, .compute(.textOfValue)),
    Overload("string", [.decimal], .string, .compute(.textOfValue)),
    Overload("string", [.timestamp], .string, .compute(.textOfValue)),
    Overload("string", [.date], .string, .compute(.textOfValue)),
    Overload("bytes", [.bytes], .bytes, .identity),
    Overload("bytes", [.string], .bytes, .compute(.bytesOfText)),
    Overload("decimal", [.decimal], .decimal, .identity),
    Overload("decimal", [.int], .decimal, .compute(.decimalOfInt), fold: .decimal),
    Overload("decimal", [.uint], .decimal, .compute(.decimalOfUint)),
    Overload("decimal", [.string], .decimal, .compute(.decimalOfText), fold: .decimal),
    Overload("timestamp", [.timestamp], .timestamp, .identity),
    Overload("timestamp", [.int], .timestamp, .compute(.timestampOfInt)),
    Overload("timestamp", [.string], .timestamp, .compute(.timestampOfText), fold: .timestamp),
    Overload("timestamp", [.date], .timestamp, .compute(.timestampOfDate)),
    Overload("date", [.date], .date, .identity),
    Overload("date", [.string], .date, .compute(.dateOfText), fold: .date),
    Overload("date", [.timestamp], .date, .compute(.dateOfTimestamp)),
    Overload("duration", [.duration], .duration, .identity),
    Overload("duration", [.string], .duration, .compute(.durationOfText), fold: .duration),
  ]

  private static let lists: [Overload] = [
    Overload("size", [.list(.any)], .int, .compute(.sizeRun)),
    Overload("size", .member, [.list(.any)], .int, .compute(.sizeRun)),
    Overload("@in", [.any, .list(.any)], .bool, .condition(.inList, .yes)),
    Overload("sum", .member, [.list(.int)], .int, .sum(.addInt, zero: .int(0))),
    Overload("sum", .member, [.list(.double)], .double, .sum(.addDouble, zero: .double(0))),
    Overload(
      "sum", .member, [.list(.decimal)], .decimal,
      .sum(.addDecimal, zero: .decimal(.init(mantissa: 0, scale: 0)))),
  ]

  private static let maps: [Overload] = [TypePattern.string, .int, .uint, .bool].flatMap { key in
    let map = TypePattern.map(key: key, value: .any)
    return [
      Overload("size", [map], .int, .compute(.sizeMap)),
      Overload("size", .member, [map], .int, .compute(.sizeMap)),
      Overload("@in", [key, map], .bool, .condition(.inMap, .yes)),
    ]
  }

  private static let optionals: [Overload] = [
    Overload("orValue", .member, [.optional(.any), .any], .any, .firstPresent),
    Overload("or", .member, [.optional(.any), .optional(.any)], .optional(.any), .firstPresent),
    Overload("hasValue", .member, [.optional(.any)], .bool, .condition(.testPresent, .yes)),
    Overload("value", .member, [.optional(.any)], .any, .compute(.require)),
    Overload("optional.of", [.any], .optional(.any), .identity),
    Overload("optional.none", [], .optional(.any), .absent),
  ]

  private static let times: [Overload] = [
    Overload("_+_", [.timestamp, .duration], .timestamp, .compute(.addTime)),
    Overload("_+_", [.duration, .timestamp], .timestamp, .compute(.addTime)),
    Overload("_+_", [.duration, .duration], .duration, .compute(.addDuration)),
    Overload("_-_", [.timestamp, .duration], .timestamp, .compute(.subtractTime)),
    Overload("_-_", [.timestamp, .timestamp], .duration, .compute(.timeBetween)),
    Overload("_-_", [.duration, .duration], .duration, .compute(.subtractDuration)),
    Overload("sha256", [.string], .string, .compute(.sha256)),
    Overload("sha256", [.bytes], .string, .compute(.sha256)),
    Overload("uuid5", [.string, .string], .string, .compute(.uuid5)),
    Overload("hmac", [.string, .string], .string, .compute(.hmac)),
    Overload("pseudonym", [.string], .string, .keyed(.hmac)),
  ]

  private static let parts: [Overload] =
    TimePart.allCases.flatMap { part -> [Overload] in
      var found = [
        Overload(part.function, .member, [.timestamp], .int, .part(.partOfTime, part)),
        Overload(
          part.function, .member, [.timestamp, .string], .int, .part(.partOfTimeInZone, part)),
      ]
      if part.isOfDate {
        found.append(Overload(part.function, .member, [.date], .int, .part(.partOfTime, part)))
      } else {
        found.append(
          Overload(part.function, .member, [.duration], .int, .part(.partOfDuration, part)))
      }
      return found
    }
}
