import CYAML

/// The one owner of libyaml's objects: lends a text to its parser and copies what it says.
///
/// `unsafe` because it owns C memory: the parser struct, whose address must not change, and the
/// bytes it reads, which must outlive it. Both are freed with this object; nothing of them leaves
/// it.
@safe final class YAMLParser {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeMutableBufferPointer<UInt8>

  /// `bytes` are UTF-8 without a byte order mark.
  init(_ bytes: ArraySlice<UInt8>) {
    unsafe text = .allocate(capacity: max(bytes.count, 1))
    for (index, byte) in bytes.enumerated() { unsafe text[index] = byte }
    unsafe parser = .allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    // Fails only without memory; then every call after it reports an error.
    _ = unsafe yaml_parser_initialize(parser)
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event; after the end of the stream or a problem there is none.
  func next() throws(YAMLProblem) -> YAMLEvent {
    var raw = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw problem() }
    defer { unsafe yaml_event_delete(&raw) }
    return unsafe copied(raw)
  }

  private func copied(_ raw: yaml_event_t) -> YAMLEvent {
    let data = unsafe raw.data
    var event = unsafe YAMLEvent(
      kind: .streamEnd, start: mark(raw.start_mark), end: mark(raw.end_mark))
    switch unsafe raw.type {
    case YAML_STREAM_START_EVENT: event.kind = .streamStart
    case YAML_DOCUMENT_START_EVENT: event.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: event.kind = .documentEnd
    case YAML_ALIAS_EVENT: event.kind = unsafe .alias(string(data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let bytes = unsafe UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length)
      let text = unsafe String(decoding: bytes, as: UTF8.self)
      event.kind = unsafe .scalar(text: text, style: style(data.scalar.style))
      event.anchor = unsafe string(data.scalar.anchor)
      event.tag = unsafe string(data.scalar.tag)
    case YAML_SEQUENCE_START_EVENT:
      event.kind = unsafe .sequenceStart(
        isFlow: data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE)
      event.anchor = unsafe string(data.sequence_start.anchor)
      event.tag = unsafe string(data.sequence_start.tag)
    case YAML_SEQUENCE_END_EVENT: event.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      event.kind = unsafe .mappingStart(isFlow: data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
      event.anchor = unsafe string(data.mapping_start.anchor)
      event.tag = unsafe string(data.mapping_start.tag)
    case YAML_MAPPING_END_EVENT: event.kind = .mappingEnd
    default: event.kind = .streamEnd
    }
    return event
  }

  private func style(_ raw: yaml_scalar_style_t) -> YAMLNode.Style {
    switch raw {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: .literal
    case YAML_FOLDED_SCALAR_STYLE: .folded
    default: .plain
    }
  }

  private func mark(_ raw: yaml_mark_t) -> YAMLMark {
    YAMLMark(line: Int(raw.line), column: Int(raw.column))
  }

  private func string(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let bytes = unsafe bytes else { return nil }
    return unsafe String(cString: bytes)
  }

  private func problem() -> YAMLProblem {
    let state = unsafe parser.pointee
    let isReaderError = unsafe state.error == YAML_READER_ERROR
    let context = unsafe state.context.map { unsafe String(cString: $0) }
    return unsafe YAMLProblem(
      problem: state.problem.map { unsafe String(cString: $0) } ?? "out of memory",
      place: mark(state.problem_mark), byteOffset: isReaderError ? Int(state.problem_offset) : nil,
      context: context ?? "", contextPlace: context == nil ? nil : mark(state.context_mark))
  }
}
