import Records

/// What an event does to a row, apart from its values.
struct RowChange {
  /// The event's actual time.
  var time: Timestamp
  /// Of a row that keeps what contributes to it: tells the event from others, bytes in the order of
  /// the journal.
  var mark = Value.absent
  /// Of rows of sessions: how many updates of the same key have come before, by which those of two
  /// that become one have an order.
  var order: Int64 = 0
  /// The event is taken back: its values leave the columns that they were given to.
  var isTakenBack = false
}
