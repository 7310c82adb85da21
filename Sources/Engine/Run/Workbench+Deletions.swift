import Formats
import Records

// Rows of a state port that are deleted: their key is all there is to read.
extension Workbench {
  /// Reads the key of a row that is deleted into slots, as the port's own document would have it.
  /// False: it is no key of that port, which is the fault.
  func read(key: ByteView?, of deletion: DeletionPlan) -> Bool {
    guard let key else {
      fail(RunFault(reason: "missing-key", message: "the tombstone has no key", place: ""))
      return false
    }
    document.clear()
    let isMade =
      deletion.fields.count == 1
      ? appendMember(key, deletion.fields[0]) : appendMembers(key, deletion.fields)
    if isMade {
      document.append(UInt8(ascii: "}"))
      if decoder.readAtOnce(document.view, deletion.decode.shape) { return true }
      if decoder.tape.parse(document.view) == nil, decoder.read(deletion.decode.shape) {
        return true
      }
    }
    fail(
      RunFault(
        reason: "missing-key",
        message: "the tombstone's key, `\(RunFault.shortened(key))`, is not as the port's are",
        place: ""))
    return false
  }

  /// A key of one part is its text.
  private func appendMember(_ key: ByteView, _ field: DeletionPlan.Field) -> Bool {
    document.append(UInt8(ascii: "{"))
    document.append(field.name.view)
    if field.isQuoted {
      document.appendJSON(string: key)
      return true
    }
    document.append(key)
    return decoder.tape.parse(key) == nil && decoder.tape.count == 1
  }

  /// A key of several parts is a JSON array.
  private func appendMembers(_ key: ByteView, _ fields: ContiguousArray<DeletionPlan.Field>) -> Bool
  {
    let tape = decoder.tape
    if tape.parse(key) != nil || tape.kind(at: 0) != .array { return false }
    let parts = tape.children(of: 0)
    var at = parts.lowerBound
    for index in fields.indices {
      if at >= parts.upperBound { return false }
      document.append(UInt8(ascii: index == 0 ? "{" : ","))
      document.append(fields[index].name.view)
      document.append(tape.rawText(at: at))
      at = tape.next(after: at)
    }
    return at == parts.upperBound
  }
}
