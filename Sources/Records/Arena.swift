/// Memory that is given out piece by piece and taken back all at once.
///
/// Everything lent from an arena lives until ``reset()`` or until the arena goes. One thread owns
/// it. An allocation is a pointer bump; a chunk is asked of the allocator only when none is left,
/// and chunks are kept over a reset, so a steady load allocates nothing.
@safe public final class Arena {
  /// Size of an ordinary chunk; a larger request gets a chunk of its own, freed by the next reset.
  public static let chunkBytes = 256 * 1024

  private var chunks: [UnsafeMutableRawPointer] = unsafe []
  private var oversized: [UnsafeMutableRawPointer] = unsafe []
  private var hasOversized = false
  /// The first of ``chunks``; nil before it was asked for.
  private var first: UnsafeMutableRawPointer?
  private var chunkIndex = -1
  private var next: UnsafeMutableRawPointer?
  private var left = 0
  private var lent = 0
  /// Bytes lent since the last reset.
  public var used: Int { lent }

  /// Asks for no memory yet.
  public init() {}

  deinit {
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
    for index in unsafe oversized.indices { unsafe oversized[index].deallocate() }
  }

  /// Takes everything back: all views into this arena end here.
  public func reset() {
    if hasOversized { freeOversized() }
    lent = 0
    // Most uses need no more than the first chunk: it is at hand again at once.
    chunkIndex = unsafe first == nil ? -1 : 0
    unsafe next = first
    left = unsafe first == nil ? 0 : Arena.chunkBytes
  }

  private func freeOversized() {
    for index in unsafe oversized.indices { unsafe oversized[index].deallocate() }
    unsafe oversized.removeAll(keepingCapacity: true)
    hasOversized = false
  }

  /// `count` bytes of memory, aligned to 16, not initialised.
  public func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    let size = (count + 15) & ~15
    lent += size
    if size <= left, let place = unsafe next {
      unsafe next = place + size
      left -= size
      return unsafe place
    }
    return unsafe allocateSlowly(size)
  }

  private func allocateSlowly(_ size: Int) -> UnsafeMutableRawPointer {
    if size > Arena.chunkBytes {
      let own = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      unsafe oversized.append(own)
      hasOversized = true
      return unsafe own
    }
    chunkIndex += 1
    if unsafe chunkIndex == chunks.count {
      unsafe chunks.append(.allocate(byteCount: Arena.chunkBytes, alignment: 16))
    }
    let place = unsafe chunks[chunkIndex]
    if chunkIndex == 0 { unsafe first = place }
    unsafe next = place + size
    left = Arena.chunkBytes - size
    return unsafe place
  }

  /// A copy of `view` that lives until the next reset.
  public func copy(_ view: ByteView) -> ByteView {
    let place = unsafe allocate(view.count)
    unsafe place.copyMemory(from: view.pointer, byteCount: view.count)
    return unsafe ByteView(
      base: UnsafePointer(place.assumingMemoryBound(to: UInt8.self)), count: view.count)
  }

  /// A copy of `view` as ``copy(_:)`` gives it, with `zeros` bytes of zero behind it that are not
  /// part of it: a scanner may read on over its end, and stops there.
  public func copy(_ view: ByteView, zeros: Int) -> ByteView {
    let place = unsafe allocate(view.count + zeros)
    unsafe place.copyMemory(from: view.pointer, byteCount: view.count)
    unsafe (place + view.count).initializeMemory(as: UInt8.self, repeating: 0, count: zeros)
    return unsafe ByteView(
      base: UnsafePointer(place.assumingMemoryBound(to: UInt8.self)), count: view.count)
  }

  /// A run of `count` values, all absent, that lives until the next reset.
  public func values(_ count: Int) -> ValueRun {
    let place = unsafe allocate(count * MemoryLayout<Value>.stride)
    let typed = unsafe place.bindMemory(to: Value.self, capacity: count)
    unsafe typed.initialize(repeating: .absent, count: count)
    return unsafe ValueRun(base: typed, count: count)
  }

  /// A copy of `run` that lives until the next reset.
  public func copy(_ run: ValueRun) -> ValueRun {
    guard let source = unsafe run.base else { return .empty }
    let place = unsafe allocate(run.count * MemoryLayout<Value>.stride)
    let typed = unsafe place.bindMemory(to: Value.self, capacity: run.count)
    unsafe typed.initialize(from: source, count: run.count)
    return unsafe ValueRun(base: typed, count: run.count)
  }
}
