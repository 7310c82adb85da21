/// Where bytes stand in others, in linear time and constant space, whatever they are: the two-way
/// algorithm of Crochemore and Perrin ("Two-way string-matching", Journal of the ACM 38, 1991).
extension ByteView {
  /// Where `needle` begins, or nil. The empty needle begins at 0.
  /// Cost: in proportion to the two lengths together, also for input made to be slow.
  public func firstIndex(of needle: ByteView) -> Int? {
    if needle.isEmpty { return 0 }
    if needle.count > count { return nil }
    let rising = needle.maximalSuffix(isReversed: false)
    let falling = needle.maximalSuffix(isReversed: true)
    let (split, period) = rising.start > falling.start ? rising : falling
    if needle[0..<split] == needle[period..<period + split] {
      return firstIndex(of: needle, split: split, period: period)
    }
    return firstIndex(of: needle, split: split)
  }

  /// Where the suffix that is the largest in the order of bytes, or in the reversed one, begins,
  /// and its period.
  private func maximalSuffix(isReversed: Bool) -> (start: Int, period: Int) {
    var start = 0
    var candidate = 1
    var matched = 0
    var period = 1
    while candidate + matched < count {
      let new = self[candidate + matched]
      let old = self[start + matched]
      if new == old {
        matched += 1
        if matched == period {
          candidate += period
          matched = 0
        }
      } else if (new < old) != isReversed {
        candidate += matched + 1
        matched = 0
        period = candidate - start
      } else {
        start = candidate
        candidate += 1
        matched = 0
        period = 1
      }
    }
    return (start, period)
  }

  /// For a needle that repeats itself every `period` bytes: what is known to match after a shift is
  /// not compared again.
  private func firstIndex(of needle: ByteView, split: Int, period: Int) -> Int? {
    var at = 0
    var known = 0
    while at <= count - needle.count {
      var index = max(split, known)
      while index < needle.count && needle[index] == self[at + index] { index += 1 }
      if index < needle.count {
        at += index - split + 1
        known = 0
        continue
      }
      index = split
      while index > known && needle[index - 1] == self[at + index - 1] { index -= 1 }
      if index <= known { return at }
      at += period
      known = needle.count - period
    }
    return nil
  }

  /// For any other needle: after a mismatch left of the split, the shift is long.
  private func firstIndex(of needle: ByteView, split: Int) -> Int? {
    let shift = max(split, needle.count - split) + 1
    var at = 0
    while at <= count - needle.count {
      var index = split
      while index < needle.count && needle[index] == self[at + index] { index += 1 }
      if index < needle.count {
        at += index - split + 1
        continue
      }
      index = split
      while index > 0 && needle[index - 1] == self[at + index - 1] { index -= 1 }
      if index == 0 { return at }
      at += shift
    }
    return nil
  }
}
