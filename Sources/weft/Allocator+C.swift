#if canImport(CMimalloc)
  import CMimalloc
#endif

/// The allocator that the command is linked with.
enum Allocator {
  /// A turn frees at its end what the next one takes again. mimalloc gives memory back to the
  /// system after 25 ms, so that each turn had it zeroed and mapped anew, page by page, on three
  /// threads: a twelfth of a worker's time. Two seconds outlast a turn, and an idle worker still
  /// gives it back. What the environment says (`MIMALLOC_DECOMMIT_DELAY`) counts more.
  static func keepBetweenTurns() {
    #if canImport(CMimalloc)
      mi_option_set_default(mi_option_decommit_delay, 2000)
      mi_option_set_default(mi_option_segment_decommit_delay, 5000)
    #endif
  }
}
