import Expressions
import Formats
import Product
import Records

/// How one field of a published record is written and checked. Plain data.
struct OutputField: BitwiseCopyable {
  var kind: JSONShape.Field.Kind
  var isRequired: Bool
  /// Of a decimal; precision 0: written as it is.
  var precision: UInt8 = 0
  var scale: UInt8 = 0
  var mantissaSafe: UInt64 = 0
  /// Where the field's name stands in ``OutputShape/names``, as `,"name":`.
  var nameStart: Int32
  var nameEnd: Int32
  /// Of an object, or of objects in a list: a range of ``OutputShape/fields``.
  var first: Int32 = 0
  var count: Int32 = 0
  /// Of a list or map: its elements' field.
  var element: Int32 = -1
  /// Which value of the object at hand is this field; −1: none is.
  var source: Int32 = -1
}

/// The contract of one output, compiled: what ``RecordWriter`` follows. Made once.
final class OutputShape {
  let fields: ContiguousArray<OutputField>
  /// For messages: the path of each field.
  let paths: [String]
  let names: ByteBuffer
  /// Of the columns, in the contract's order: places in ``fields``.
  let columns: ContiguousArray<Int>

  /// `types`: for each of `columns` (indexes in `contract`, rising), the type of what fills it.
  init(_ contract: [ContractField], columns: [Int], types: [ValueType]) throws(PlanFailure) {
    var compiler = ShapeCompiler()
    let range = try compiler.add(contract, at: "", from: nil)
    for (column, type) in zip(columns, types) {
      try compiler.fill(range.lowerBound + column, contract[column], type)
    }
    for (index, field) in contract.enumerated() where field.isRequired {
      if !columns.contains(index) {
        throw PlanFailure("the required field `\(field.name)` of the contract is never set")
      }
    }
    fields = compiler.fields
    paths = compiler.paths
    names = compiler.names
    self.columns = ContiguousArray(columns.map { range.lowerBound + $0 })
  }
}

private struct ShapeCompiler {
  var fields: ContiguousArray<OutputField> = []
  var paths: [String] = []
  let names = ByteBuffer(capacity: 256)

  /// Adds the fields of an object; `source`: the type of the value that it is written from.
  mutating func add(_ members: [ContractField], at path: String, from source: ObjectType?)
    throws(PlanFailure) -> Range<Int>
  {
    let first = fields.count
    for member in members {
      let start = names.count
      names.appendJSONName(member.name)
      fields.append(
        OutputField(
          kind: .json, isRequired: member.isRequired, nameStart: Int32(start),
          nameEnd: Int32(names.count),
          source: Int32(source?.index(of: member.name) ?? -1)))
      paths.append(path.isEmpty ? member.name : "\(path).\(member.name)")
    }
    let range = first..<fields.count
    if let source {
      for (place, member) in zip(range, members) {
        guard let index = source.index(of: member.name) else { continue }
        try fill(place, member, source.fields[index].type)
      }
    }
    return range
  }

  /// Completes the field at `place`, which is written from a value of `type`.
  mutating func fill(_ place: Int, _ field: ContractField, _ type: ValueType) throws(PlanFailure) {
    try shape(place, field.type, field, type)
  }

  private mutating func shape(
    _ place: Int, _ wanted: ValueType, _ field: ContractField, _ given: ValueType
  ) throws(PlanFailure) {
    if case .optional(let inner) = given { return try shape(place, wanted, field, inner) }
    switch wanted {
    case .bool: fields[place].kind = .bool
    case .int: fields[place].kind = .int
    case .double: fields[place].kind = .double
    case .string: fields[place].kind = .string
    case .timestamp: fields[place].kind = .timestamp
    case .date: fields[place].kind = .date
    case .dyn: fields[place].kind = .json
    case .decimal:
      fields[place].kind = .decimal
      var plan = JSONShape.Field(kind: .decimal)
      if let shape = field.decimal { plan.setDecimal(shape) }
      fields[place].precision = plan.precision
      fields[place].scale = plan.scale
      fields[place].mantissaSafe = plan.mantissaSafe
    case .object:
      fields[place].kind = .object
      guard case .object(let source) = given else { break }
      let range = try add(field.fields, at: paths[place], from: source)
      fields[place].first = Int32(range.lowerBound)
      fields[place].count = Int32(range.count)
    case .list(let element):
      fields[place].kind = .list
      guard case .list(let source) = given else { break }
      try addElement(place, element, field, source)
    case .map(_, let element):
      fields[place].kind = .map
      guard case .map(_, let source) = given else { break }
      try addElement(place, element, field, source)
    case .optional(let inner):
      try shape(place, inner, field, given)
    case .uint, .bytes, .duration, .null, .type, .nothing:
      throw PlanFailure("`\(paths[place])` has a type that is not published as JSON")
    }
  }

  private mutating func addElement(
    _ place: Int, _ wanted: ValueType, _ field: ContractField, _ given: ValueType
  ) throws(PlanFailure) {
    let element = fields.count
    fields.append(OutputField(kind: .json, isRequired: true, nameStart: 0, nameEnd: 0))
    paths.append("\(paths[place])[]")
    try shape(element, wanted, field, given)
    fields[place].element = Int32(element)
  }
}
