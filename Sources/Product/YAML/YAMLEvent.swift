/// What libyaml says about a text, piece by piece, in values that hold no memory of its own.
struct YAMLEvent {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case alias(String)
    case scalar(text: String, style: YAMLNode.Style)
    case sequenceStart(isFlow: Bool)
    case sequenceEnd
    case mappingStart(isFlow: Bool)
    case mappingEnd
  }

  var kind: Kind
  var anchor: String?
  var tag: String?
  var start: YAMLMark
  var end: YAMLMark
}

/// A place as libyaml counts it: line and column from 0, the column in characters.
struct YAMLMark {
  var line: Int
  var column: Int
}

/// What libyaml has against a text: its own terse words, and up to two places.
struct YAMLProblem: Error {
  /// A text constant of libyaml, such as `did not find expected key`.
  var problem: String
  var place: YAMLMark
  /// Of a character that cannot be read, the byte's offset instead of a place.
  var byteOffset: Int?
  /// What it was doing, such as `while parsing a block mapping`, and where that began.
  var context: String
  var contextPlace: YAMLMark?
}
