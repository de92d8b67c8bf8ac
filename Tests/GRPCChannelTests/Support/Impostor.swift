import Foundation

/// Listens on a port of this machine and answers every connection with the same bytes.
final class Impostor: Sendable {
  let port: UInt16
  private let listener: Int32

  struct Fault: Error { let step: String }

  init(_ answer: String) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw Fault(step: "socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isBound else { throw Fault(step: "bind") }
    port = UInt16(bigEndian: address.sin_port)
    Thread { Self.serve(descriptor, Array(answer.utf8)) }.start()
  }

  /// Ends the thread, which is blocked in accept.
  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private static let noSignal = Int32(MSG_NOSIGNAL)

  private static func serve(_ listener: Int32, _ answer: [UInt8]) {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      _ = send(connection, answer, answer.count, noSignal)
      close(connection)
    }
    close(listener)
  }
}
