import Records

/// Text and conversions.
extension Evaluation {
  func computeText(_ instruction: Instruction, _ a: Value, _ frame: Frame) -> Value {
    switch instruction.opcode {
    case .sizeText: return .int(Int64(a.view.scalarCount))
    case .sizeBytes: return .int(Int64(a.view.count))
    case .bytesOfText: return .bytes(a.view)
    case .intOfText: return integer(a.view)
    case .uintOfText: return unsigned(a.view)
    case .boolOfText: return boolean(a.view)
    case .intOfTimestamp: return .int(a.timestamp.seconds)
    case .timestampOfInt:
      guard a.int >= Timestamp.secondsMin && a.int <= Timestamp.secondsMax else {
        return .failure(.badConversion)
      }
      return .timestamp(Timestamp(seconds: a.int, nanoseconds: 0))
    case .decimalOfText:
      guard let value = Decimal(a.view) else { return .failure(.badConversion) }
      return .decimal(value)
    case .joinText:
      frame.text.clear()
      frame.text.append(a.view)
      frame.text.append(load(instruction.b).view)
      let view = frame.arena.copy(frame.text.view)
      return a.kind == .bytes ? .bytes(view) : .string(view)
    case .textOfValue:
      frame.text.clear()
      write(a, to: frame.text)
      return .string(frame.arena.copy(frame.text.view))
    case .textOfBytes: return a.view.isUTF8 ? .string(a.view) : .failure(.badConversion)
    case .doubleOfText, .doubleOfDecimal, .intOfDecimal, .uintOfDecimal, .decimalOfUint:
      return convertNumber(instruction, a)
    case .sha256, .uuid5, .hmac: return hash(instruction, a, frame)
    case .dispatch, .orderMixed, .cast, .indexMixed, .tryIndexMixed, .typeOf:
      return computeMixed(instruction, a, frame)
    default: return computeTime(instruction, a)
    }
  }

  private func write(_ value: Value, to text: ByteBuffer) {
    switch value.kind {
    case .int: text.append(decimal: value.int)
    case .uint: text.append(decimal: value.uint)
    case .bool: text.append(value.bool ? "true" as StaticString : "false")
    case .decimal: text.append(value.decimal)
    case .timestamp: text.append(value.timestamp)
    case .date: text.append(days: value.dateDays)
    case .double: text.append(double: value.double)
    case .duration: text.append(duration: value.totalNanoseconds)
    default: break
    }
  }
  /// Decimal digits with an optional sign, as Go's ParseInt takes them in base 10.
  private func integer(_ text: ByteView) -> Value {
    let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
    let isSigned = isNegative || !text.isEmpty && text[0] == UInt8(ascii: "+")
    guard let magnitude = magnitude(isSigned ? text.suffix(from: 1) : text) else {
      return .failure(.badConversion)
    }
    if isNegative {
      return magnitude > 1 << 63
        ? .failure(.badConversion) : .int(Int64(truncatingIfNeeded: 0 &- magnitude))
    }
    return magnitude >= 1 << 63 ? .failure(.badConversion) : .int(Int64(magnitude))
  }

  private func unsigned(_ text: ByteView) -> Value {
    guard let magnitude = magnitude(text) else { return .failure(.badConversion) }
    return .uint(magnitude)
  }

  private func magnitude(_ digits: ByteView) -> UInt64? {
    if digits.isEmpty { return nil }
    var value: UInt64 = 0
    for index in 0..<digits.count {
      guard isDigit(digits[index]) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digits[index] - 0x30))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// The spellings that the CEL specification takes, and no others.
  private func boolean(_ text: ByteView) -> Value {
    let isTrue =
      text == ("true" as StaticString).view || text == ("True" as StaticString).view
      || text == ("TRUE" as StaticString).view || text == ("t" as StaticString).view
      || text == ("1" as StaticString).view
    if isTrue { return .bool(true) }
    let isFalse =
      text == ("false" as StaticString).view || text == ("False" as StaticString).view
      || text == ("FALSE" as StaticString).view || text == ("f" as StaticString).view
      || text == ("0" as StaticString).view
    if isFalse { return .bool(false) }
    return .failure(.badConversion)
  }
}
