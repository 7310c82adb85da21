import Records

/// What an event does to a row, apart from its values.
struct RowChange {
  /// The event's actual time.
  var time: Timestamp
  /// Of a row that keeps what contributes to it: tells the event from others, bytes in the order of
  /// the journal.
  var mark = Value.absent
  /// The event is taken back: its values leave the columns that they were given to.
  var isTakenBack = false
}
