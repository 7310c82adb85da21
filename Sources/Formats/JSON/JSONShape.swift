import Records

/// What documents of one kind look like, and which of their values go where: a tree of fields that
/// is laid out once and then followed by ``JSONShapeReader``. Immutable but for what a walk learns
/// of the order of members; used by one thread.
@safe package final class JSONShape {
  /// How one value is read and checked. Plain data.
  package struct Field: BitwiseCopyable {
    package enum Kind: UInt8, BitwiseCopyable {
      case bool, int, double, decimal, string, timestamp, date, json, object, list, map
      /// Known by name, but neither read nor checked.
      case passedOver
    }

    package var kind: Kind
    /// Where the value goes in the slots; −1: nobody wants it.
    package var slot: Int32 = -1
    package var isRequired = false
    /// Of a decimal: digits in all and after the point; precision 0: any that 38 digits hold.
    package var precision: UInt8 = 0
    package var scale: UInt8 = 0
    /// Of a decimal: mantissas below this fit whatever their scale (10^(precision − scale)).
    package var mantissaSafe: UInt64 = 0
    /// Of an object: its place in ``JSONShape/objects``.
    package var object: Int32 = -1
    /// Of a list or map: the place of its elements' field in ``JSONShape/fields``.
    package var element: Int32 = -1

    /// Bit among 64 fields of its object, those that are required first: to see members that are
    /// missing or repeat. 0: it is beyond these.
    fileprivate(set) var seenBit: UInt64 = 0
    /// The name's length and its first and last bytes, as ``JSONShape/ends(of:_:_:)`` has them.
    fileprivate(set) var nameCount: Int32 = -1
    fileprivate(set) var nameStart: Int32 = 0
    fileprivate(set) var nameHead: UInt64 = 0
    fileprivate(set) var nameTail: UInt64 = 0
    /// The first sixteen bytes of the key as producers write it, quotes and colon included, and
    /// which bits of sixteen bytes they are. Nothing is like them until ``setKey(_:)``.
    fileprivate(set) var keyLow: UInt64 = 1
    fileprivate(set) var keyHigh: UInt64 = 0
    fileprivate(set) var keyLowMask: UInt64 = 0
    fileprivate(set) var keyHighMask: UInt64 = 0

    package init(kind: Kind) { self.kind = kind }

    fileprivate mutating func setKey(_ name: String) {
      keyLow = 0
      for (index, byte) in "\"\(name)\":".utf8.prefix(16).enumerated() {
        let shift = UInt64(8 * (index & 7))
        if index < 8 {
          keyLow |= UInt64(byte) << shift
          keyLowMask |= 0xFF << shift
        } else {
          keyHigh |= UInt64(byte) << shift
          keyHighMask |= 0xFF << shift
        }
      }
    }

    /// Bytes of the key with its quotes and its colon.
    @inline(__always)
    var keyCount: Int { Int(nameCount) + 3 }

    /// Whether a decimal has the digits that the field takes.
    @inline(__always)
    func takes(_ value: Decimal) -> Bool {
      if value.scale <= scale && value.mantissa.magnitude < UInt128(mantissaSafe) { return true }
      return precision == 0 || value.fits(precision: Int(precision), scale: Int(scale))
    }
  }

  /// The fields of one object, and the slots that it fills, those of objects in it included.
  package struct Object: BitwiseCopyable {
    package var first: Int32
    package var count: Int32
    package var slotFirst: Int32
    package var slotEnd: Int32
    /// The bits of its required fields.
    fileprivate(set) var requiredMask: UInt64 = 0
    /// A bit for each name, see ``JSONShape/filterBit(_:_:_:)``: turns most unknown names away.
    fileprivate(set) var nameFilter: UInt64 = 0
    /// More than 64 fields are required: they are looked for one by one.
    fileprivate(set) var isWide = false

    var memberCount: Int { Int(count) }

    package init(first: Int32, count: Int32, slotFirst: Int32, slotEnd: Int32) {
      self.first = first
      self.count = count
      self.slotFirst = slotFirst
      self.slotEnd = slotEnd
    }
  }

  package let fields: ContiguousArray<Field>
  package let objects: ContiguousArray<Object>
  /// The same once more, for ``JSONShapeScan``: read without a check and a copy of the whole.
  /// Behind the last field stands one that no key is like.
  let fieldTable: UnsafeMutablePointer<Field>
  let objectTable: UnsafeMutablePointer<Object>
  /// Where the whole document goes as an object; −1: nowhere.
  package let rootSlot: Int32
  private let sets: ContiguousArray<JSONFieldSet>
  private let names: ByteBuffer
  /// Which member came last time after each field, and first in each object (behind the fields):
  /// always a field of that object, as equal names stand in several; of one without fields, the row
  /// behind the last.
  let successors: UnsafeMutablePointer<Int32>

  /// `names`: of each field, empty for elements of lists and maps. Object 0 is the document.
  package init(
    fields: ContiguousArray<Field>, objects: ContiguousArray<Object>, names: [String],
    rootSlot: Int32 = -1
  ) {
    precondition(names.count == fields.count, "each field has a name")
    // The scan does not look again: the range of the document's slots holds all others.
    let slotEnd = objects[0].slotEnd
    precondition(
      fields.allSatisfy { $0.slot < slotEnd }
        && objects.allSatisfy { $0.slotFirst >= 0 && $0.slotEnd <= slotEnd },
      "slots of the document")
    var fields = fields
    var objects = objects
    let bytes = ByteBuffer(capacity: 256)
    var sets: ContiguousArray<JSONFieldSet> = []
    for index in objects.indices {
      let range = Int(objects[index].first)..<Int(objects[index].first + objects[index].count)
      sets.append(JSONFieldSet(Array(names[range])))
      for place in range {
        let start = bytes.count
        bytes.append(names[place])
        let (head, tail) = JSONShape.ends(of: bytes.view, start, bytes.count - start)
        fields[place].nameStart = Int32(start)
        fields[place].nameCount = Int32(bytes.count - start)
        fields[place].nameHead = head
        fields[place].nameTail = tail
        // A name that is written with escapes is never found as it is.
        if bytes.view.plainLength(from: start) == bytes.count - start {
          fields[place].setKey(names[place])
        }
        objects[index].nameFilter |= JSONShape.filterBit(bytes.view, start, bytes.count - start)
      }
      let required = range.filter { fields[$0].isRequired }
      for (ordinal, place) in (required + range.filter { !fields[$0].isRequired }).enumerated() {
        fields[place].seenBit = ordinal < 64 ? 1 << UInt64(ordinal) : 0
      }
      for place in required { objects[index].requiredMask |= fields[place].seenBit }
      objects[index].isWide = required.count > 64
    }
    self.fields = fields
    self.objects = objects
    unsafe fieldTable = JSONShape.table(fields, else: Field(kind: .json))
    unsafe objectTable = JSONShape.table(
      objects, else: Object(first: 0, count: 0, slotFirst: 0, slotEnd: 0))
    self.rootSlot = rootSlot
    self.sets = sets
    self.names = bytes
    unsafe successors = .allocate(capacity: fields.count + objects.count)
    unsafe successors.initialize(repeating: 0, count: fields.count + objects.count)
    for index in objects.indices {
      let first = objects[index].first
      let end = first + objects[index].count
      unsafe successors[fields.count + index] = first < end ? first : Int32(fields.count)
      for place in first..<end {
        unsafe successors[Int(place)] = place + 1 < end ? place + 1 : first
      }
    }
  }

  deinit {
    unsafe fieldTable.deallocate()
    unsafe objectTable.deallocate()
    unsafe successors.deallocate()
  }

  private static func table<Row: BitwiseCopyable>(_ rows: ContiguousArray<Row>, else spare: Row)
    -> UnsafeMutablePointer<Row>
  {
    let table = UnsafeMutablePointer<Row>.allocate(capacity: rows.count + 1)
    unsafe table.initialize(repeating: spare, count: rows.count + 1)
    for index in rows.indices { unsafe table[index] = rows[index] }
    return unsafe table
  }

  /// The first and the last eight bytes of a name, or as many as it has, overlapping: together with
  /// its length they tell names of up to 16 bytes apart.
  @inline(__always)
  static func ends(of text: ByteView, _ start: Int, _ count: Int) -> (UInt64, UInt64) {
    if count >= 8 { return (text.uint64(at: start), text.uint64(at: start + count - 8)) }
    if count >= 4 {
      return (UInt64(text.uint32(at: start)), UInt64(text.uint32(at: start + count - 4)))
    }
    if count >= 2 {
      return (UInt64(text.uint16(at: start)), UInt64(text.uint16(at: start + count - 2)))
    }
    return count == 1 ? (UInt64(text[start]), 0) : (0, 0)
  }

  @inline(__always)
  private static func filterBit(_ text: ByteView, _ start: Int, _ count: Int) -> UInt64 {
    if count == 0 { return 1 }
    let first = UInt64(text[start])
    let last = UInt64(text[start + count - 1])
    return 1 << ((first &* 7 &+ last &* 3 &+ UInt64(truncatingIfNeeded: count)) & 63)
  }

  /// Where the members of an object begin to be guessed.
  @inline(__always)
  func beginning(of object: Int) -> Int { fields.count + object }

  /// Whether the key of the field at `place` stands at `start`: its name in quotes, and a colon.
  /// All in one comparison for most names. Sixteen bytes can be read at `start`; `end` is the
  /// text's.
  @inline(__always)
  func isKey(_ place: Int, _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
    let field = unsafe fieldTable + place
    let raw = unsafe UnsafeRawPointer(start)
    let low = unsafe raw.loadUnaligned(as: UInt64.self) & field.pointee.keyLowMask
    let high =
      unsafe raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & field.pointee.keyHighMask
    if unsafe low != field.pointee.keyLow || high != field.pointee.keyHigh { return false }
    return unsafe field.pointee.keyCount <= 16 || isLongKey(place, start, end)
  }

  @inline(never)
  private func isLongKey(
    _ place: Int, _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> Bool {
    let count = unsafe Int(fieldTable[place].nameCount)
    if unsafe end - start < count + 3 { return false }
    let text = unsafe ByteView(base: start, count: count + 3)
    return isName(place, text, 1, count) && text.uint16(at: count + 1) == 0x3A22
  }

  /// Whether the object at `index` has one field of that name whose repetition a walk would see.
  package func seesRepetition(of name: String, inObject index: Int) -> Bool {
    let first = Int(objects[index].first)
    return ByteView.lending(name) { wanted in
      (first..<first + Int(objects[index].count)).contains {
        let start = Int(fields[$0].nameStart)
        return fields[$0].seenBit != 0
          && names[start..<start + Int(fields[$0].nameCount)] == wanted
      }
    }
  }

  /// The field of the member whose key stands at `key`; −1: the object has no such field. `last` is
  /// the field before it, or ``beginning(of:)``.
  @inline(__always)
  func field(
    of key: JSONNode, in text: ByteView, object: Int, after last: Int, arena: Arena
  ) -> Int {
    let guess = unsafe Int(successors[last])
    let start = Int(key.start)
    let count = Int(key.end) - start
    if guess < fields.count && Int(fields[guess].nameCount) == count && key.flags == 0 {
      let (head, tail) = JSONShape.ends(of: text, start, count)
      if fields[guess].nameHead == head && fields[guess].nameTail == tail
        && (count <= 16 || isName(guess, text, start, count))
      {
        return guess
      }
    }
    if key.flags == 0
      && objects[object].nameFilter & JSONShape.filterBit(text, start, count) == 0
    {
      return -1
    }
    return search(key, text, object, last, arena)
  }

  private func isName(_ place: Int, _ text: ByteView, _ start: Int, _ count: Int) -> Bool {
    let own = Int(fields[place].nameStart)
    return names[own..<own + count] == text[start..<start + count]
  }

  @inline(never)
  private func search(
    _ key: JSONNode, _ text: ByteView, _ object: Int, _ last: Int, _ arena: Arena
  ) -> Int {
    let written = text[Int(key.start)..<Int(key.end)]
    let ordinal = sets[object].field(
      named: key.flags == 0 ? written : written.unescaped(into: arena))
    if ordinal < 0 { return -1 }
    let place = Int(objects[object].first) + ordinal
    unsafe successors[last] = Int32(place)
    return place
  }
}

/// What is wrong with a document, found while it was read: the first fault counts.
package struct JSONShapeFault: BitwiseCopyable {
  package enum Reason: UInt8, BitwiseCopyable {
    case none, missing, wrongType, notIntegral, outOfRange, notATimestamp, notADate, notAnObject
  }

  package let reason: Reason
  /// Place of the field in ``JSONShape/fields``; −1: the document itself.
  package let field: Int32
  /// Node of the value on the tape; −1 when there is none.
  package let node: Int32

  static let none = JSONShapeFault(reason: .none, field: -1, node: -1)
}
