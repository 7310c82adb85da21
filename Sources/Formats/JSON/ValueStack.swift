import Records

/// Values that wait for those behind them: a list's length is known at its end.
@safe final class ValueStack {
  private var run = Slots(count: 64)
  private var length = 0
  var count: Int { length }

  /// Values for which memory is kept between documents (1.5 MiB); more is given back.
  private static let kept = 64 * 1024

  func clear() {
    length = 0
    if run.count > ValueStack.kept { run = Slots(count: 64) }
  }

  @inline(__always)
  func push(_ value: Value) {
    if length == run.count { grow() }
    run[length] = value
    length += 1
  }

  @inline(never)
  private func grow() {
    let larger = Slots(count: run.count * 2)
    for index in 0..<length { larger[index] = run[index] }
    run = larger
  }

  /// Takes what was pushed since `first` off; it lives as long as what `arena` lends.
  func pop(from first: Int, into arena: Arena) -> ValueRun {
    let taken = arena.copy(run.run[first..<length])
    length = first
    return taken
  }
}
