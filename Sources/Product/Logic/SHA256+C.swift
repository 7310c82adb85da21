import CCrypto

/// SHA-256 by libcrypto.
package enum SHA256 {
  /// The 32 bytes of the hash.
  ///
  /// `unsafe` because libcrypto reads from and writes to plain memory: both arrays outlive the
  /// call, and the second has the length that the function fills.
  package static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe digest.withUnsafeMutableBufferPointer { output in
        _ = unsafe CCrypto.SHA256(input.baseAddress, input.count, output.baseAddress)
      }
    }
    return digest
  }
}
