import Expressions
import Formats
import Product

/// How documents of one event type are read in one walk: every contract field is checked, and those
/// that programs read go to slots. Made once; used by one thread.
final class DecodePlan {
  let shape: JSONShape
  /// For messages: the path of each field, such as `customer.id` or `items[].qty`.
  let paths: [String]
  /// For messages: what each field has to be.
  let wants: [String]
  /// Decoding sets the slots from the base that was asked for up to here.
  let slotEnd: Int
  /// Slot of each path below `event`.
  let slots: [[String]: Int]
  /// Fields that no program reads are checked as well.
  let checksAll: Bool

  /// `paths`: what programs read, below `event`. With `checksAll` false, other fields are passed
  /// over unread.
  init(_ event: EventType, reading paths: Set<[String]>, firstSlot: Int, checksAll: Bool)
    throws(PlanFailure)
  {
    var compiler = DecodeCompiler(paths: paths, firstSlot: firstSlot, checksAll: checksAll)
    let readsRoot = paths.contains([])
    if readsRoot { compiler.slots[[]] = compiler.nextSlot() }
    _ = try compiler.addObject(event.fields, at: [], isWhole: readsRoot)
    for path in paths where compiler.slots[path] == nil {
      let name = (["event"] + path).joined(separator: ".")
      throw PlanFailure("`\(name)` is no field of event type `\(event.name)`")
    }
    shape = JSONShape(
      fields: compiler.fields, objects: compiler.objects, names: compiler.names,
      rootSlot: readsRoot ? Int32(firstSlot) : -1)
    self.paths = compiler.paths
    wants = compiler.wants
    self.checksAll = checksAll
    slotEnd = compiler.slotEnd
    slots = compiler.slots
  }
}

/// Lays out a ``DecodePlan``: objects depth first, so that the slots below each are one range.
private struct DecodeCompiler {
  let pathsRead: Set<[String]>
  let checksAll: Bool
  var fields: ContiguousArray<JSONShape.Field> = []
  var objects: ContiguousArray<JSONShape.Object> = []
  var names: [String] = []
  var paths: [String] = []
  var wants: [String] = []
  var slotEnd: Int
  var slots: [[String]: Int] = [:]

  init(paths: Set<[String]>, firstSlot: Int, checksAll: Bool) {
    pathsRead = paths
    slotEnd = firstSlot
    self.checksAll = checksAll
  }

  mutating func nextSlot() -> Int {
    slotEnd += 1
    return slotEnd - 1
  }

  /// Whether a program reads the field at `path` or something below it.
  private func reads(_ path: [String]) -> Bool {
    pathsRead.contains { $0.starts(with: path) }
  }

  /// Adds an object; `isWhole`: its values are needed all together, in the contract's order.
  mutating func addObject(_ members: [ContractField], at path: [String], isWhole: Bool)
    throws(PlanFailure) -> Int32
  {
    let index = objects.count
    let first = fields.count
    let slotFirst = slotEnd
    objects.append(
      JSONShape.Object(
        first: Int32(first), count: Int32(members.count), slotFirst: Int32(slotFirst),
        slotEnd: Int32(slotFirst)))
    for field in members {
      fields.append(JSONShape.Field(kind: .json))
      paths.append(DecodeCompiler.text(path + [field.name]))
      wants.append(DecodeCompiler.want(field.type, field.decimal))
      names.append(field.name)
    }
    for (ordinal, field) in members.enumerated() {
      var plan = try self.plan(field, at: path + [field.name], isWhole: isWhole)
      plan.isRequired = field.isRequired && checksAll
      fields[first + ordinal] = plan
    }
    objects[index].slotEnd = Int32(slotEnd)
    return Int32(index)
  }

  private mutating func plan(_ field: ContractField, at path: [String], isWhole: Bool)
    throws(PlanFailure) -> JSONShape.Field
  {
    var plan = JSONShape.Field(kind: .json)
    if !checksAll && !isWhole && !reads(path) {
      // Its name is known all the same: a member that is expected costs less than a stranger.
      plan.kind = .passedOver
      return plan
    }
    let isRead = pathsRead.contains(path)
    if isRead {
      let slot = nextSlot()
      slots[path] = slot
      plan.slot = Int32(slot)
    }
    try shape(&plan, field.type, field, at: path, isWhole: isWhole || isRead)
    return plan
  }

  private mutating func shape(
    _ plan: inout JSONShape.Field, _ type: ValueType, _ field: ContractField, at path: [String],
    isWhole: Bool
  ) throws(PlanFailure) {
    switch type {
    case .bool: plan.kind = .bool
    case .int: plan.kind = .int
    case .double: plan.kind = .double
    case .string: plan.kind = .string
    case .timestamp: plan.kind = .timestamp
    case .date: plan.kind = .date
    case .dyn: plan.kind = .json
    case .decimal:
      plan.kind = .decimal
      if let shape = field.decimal { plan.setDecimal(shape) }
    case .object:
      plan.kind = .object
      plan.object = try addObject(field.fields, at: path, isWhole: isWhole)
    case .list(let element):
      plan.kind = .list
      plan.element = try addElement(element, field, at: path + [FieldPath.element])
    case .map(_, let element):
      plan.kind = .map
      plan.element = try addElement(element, field, at: path + [FieldPath.element])
    case .optional(let inner):
      try shape(&plan, inner, field, at: path, isWhole: isWhole)
    case .uint, .bytes, .duration, .null, .type, .nothing:
      throw PlanFailure("`\(DecodeCompiler.text(path))` has a type that no JSON document has")
    }
  }

  /// The plan of a list's elements or a map's values: objects in it are always whole.
  private mutating func addElement(_ type: ValueType, _ field: ContractField, at path: [String])
    throws(PlanFailure) -> Int32
  {
    let place = fields.count
    fields.append(JSONShape.Field(kind: .json))
    paths.append(DecodeCompiler.text(path))
    wants.append(DecodeCompiler.want(type, field.decimal))
    names.append("")
    var plan = JSONShape.Field(kind: .json)
    try shape(&plan, type, field, at: path, isWhole: true)
    fields[place] = plan
    return Int32(place)
  }

  private static func text(_ path: [String]) -> String {
    path.joined(separator: ".").replacing(".[]", with: "[]")
  }

  private static func want(_ type: ValueType, _ decimal: ContractField.DecimalShape?) -> String {
    switch type {
    case .bool: "true or false"
    case .int: "an integer of 64 bits"
    case .double: "a number"
    case .decimal:
      decimal.map { "a number that fits decimal(\($0.precision),\($0.scale))" }
        ?? "a number of at most 38 digits"
    case .string: "a string"
    case .timestamp: "a timestamp such as \"2024-02-29T12:00:00Z\""
    case .date: "a date such as \"2024-02-29\""
    case .list: "a list"
    case .object, .map: "an object"
    default: "any value"
    }
  }
}

extension JSONShape.Field {
  mutating func setDecimal(_ shape: ContractField.DecimalShape) {
    precision = UInt8(clamping: shape.precision)
    scale = UInt8(clamping: shape.scale)
    var safe: UInt64 = 1
    for _ in 0..<min(18, max(0, shape.precision - shape.scale)) { safe *= 10 }
    mantissaSafe = safe
  }
}
