import Foundation

/// What this process holds open, from /proc.
enum Descriptors {
  /// All of them by what they lead to.
  static func all() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }
  }

  /// TCP sockets of this process that are connected to a port: other tests' do not count.
  static func connections(to port: UInt16) -> Int {
    let own = Set(all())
    // gRPC's sockets are of the sixth kind, also to addresses of the fourth.
    let lines = ["tcp", "tcp6"].flatMap { table in
      text("/proc/self/net/\(table)").split(separator: "\n").dropFirst()
    }
    return lines.count { line in
      let columns = line.split(separator: " ")
      guard columns.count > 9, let remote = columns[2].split(separator: ":").last else {
        return false
      }
      return UInt16(remote, radix: 16) == port && own.contains("socket:[\(columns[9])]")
    }
  }

  /// The whole of a file that has no size: /proc gives it in short reads.
  private static func text(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(descriptor, &part, part.count), count > 0 {
      bytes += part[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Threads of this process that serve completion queues.
  static func threads() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
  }
}
