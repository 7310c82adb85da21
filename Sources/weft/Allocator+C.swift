#if canImport(CMimalloc)
  import CMimalloc
#endif

/// The allocator that the command is linked with.
enum Allocator {
  /// A turn frees at its end what the next one takes again. mimalloc gives memory back to the
  /// system after 25 ms, so that each turn had it zeroed and mapped anew, page by page, on three
  /// threads: a twelfth of a worker's time. Half a second outlasts most turns; with two, a worker
  /// with ten million rows held 30 MB more. What the environment says (`MIMALLOC_DECOMMIT_DELAY`)
  /// counts more.
  static func keepBetweenTurns() {
    #if canImport(CMimalloc)
      weft_keep_memory_for(500)
    #endif
  }
}
