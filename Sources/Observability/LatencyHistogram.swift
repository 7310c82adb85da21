/// How long something took, many times: percentiles at most 7 % too long, in a fixed 8 KiB.
///
/// Each power of two of microseconds has 16 equal buckets (the layout of HdrHistogram). A value:
/// one thread records, others get copies. Recording allocates nothing unless a copy is held, and
/// costs a few nanoseconds.
package struct LatencyHistogram: Sendable {
  private static let bucketsPerPower = 16
  /// 2^48 µs are nine years; longer counts as that.
  private static let powers = 45

  private var buckets = ContiguousArray<Int64>(repeating: 0, count: powers * bucketsPerPower)
  package private(set) var count: Int64 = 0
  package private(set) var microsecondsMax: Int64 = 0

  package init() {}

  package mutating func record(microseconds: Int64) {
    let value = max(0, microseconds)
    buckets[Self.bucket(of: value)] += 1
    count += 1
    microsecondsMax = max(microsecondsMax, value)
  }

  /// The least number of milliseconds that the given share (0 to 1) of all took at most; nil when
  /// there are none.
  package func milliseconds(atShare share: Double) -> Double? {
    if count == 0 { return nil }
    let exact = max(0, min(share, 1)) * Double(count)
    let rank = max(1, Int64(exact) + (Double(Int64(exact)) < exact ? 1 : 0))
    var seen: Int64 = 0
    for (index, bucket) in buckets.enumerated() {
      seen += bucket
      if seen >= rank { return Double(min(Self.end(ofBucket: index), microsecondsMax)) / 1000 }
    }
    return Double(microsecondsMax) / 1000
  }

  package static func += (left: inout LatencyHistogram, right: LatencyHistogram) {
    for index in right.buckets.indices { left.buckets[index] += right.buckets[index] }
    left.count += right.count
    left.microsecondsMax = max(left.microsecondsMax, right.microsecondsMax)
  }

  private static func bucket(of value: Int64) -> Int {
    if value < bucketsPerPower { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    let index = (power - 3) * bucketsPerPower + Int(value >> (power - 4)) - bucketsPerPower
    return min(index, powers * bucketsPerPower - 1)
  }

  /// The last microsecond that falls into the bucket.
  private static func end(ofBucket index: Int) -> Int64 {
    if index < bucketsPerPower { return Int64(index) }
    let shift = index / bucketsPerPower - 1
    let step = Int64(index % bucketsPerPower + bucketsPerPower)
    return (step + 1) << shift - 1
  }
}
