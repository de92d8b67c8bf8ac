internal import ArgumentParser
internal import DocumentIO
internal import RelationBundle
internal import Foundation
internal import GRPCChannel
internal import GlobalPointer
internal import Inference
internal import Triton
internal import WordPiece

/// The exit codes that `spo --help` documents.
enum ExitStatus {
  static let rejects: Int32 = 1
  static let usage: Int32 = 2
  static let unreachable: Int32 = 3
  static let permanent: Int32 = 42
  static let output: Int32 = 74
  static let interrupted: Int32 = 130

  /// The code of an error of this program; nil for ArgumentParser's own.
  static func of(_ error: any Error) -> Int32? {
    switch error {
    case let error as InputOutputError: error.kind == .output ? output : usage
    case is BundleError, is VocabularyError: permanent
    case let error as InferenceError: code(of: error)
    case let error as SchemaError: code(of: error)
    case let error as TritonError: code(of: error)
    case is Target.Invalid, is TripleFile.Malformed: usage
    default: nil
    }
  }

  /// What may pass by itself is worth a retry by whoever started this program.
  private static func code(of error: TritonError) -> Int32 {
    switch error.code {
    case .connection, .notReady, .overload, .deadline, .cancelled, .serverFailure: unreachable
    case .invalidRequest: usage
    default: permanent
    }
  }

  private static func code(of error: InferenceError) -> Int32 {
    switch error.code {
    case .cancelled: interrupted
    case .invalidRequest: usage
    default: error.isRetriable ? unreachable : permanent
    }
  }

  private static func code(of error: SchemaError) -> Int32 {
    switch error {
    case .unknownPredicate, .noTypes: usage
    default: permanent
    }
  }
}

/// Standard error, where everything goes that is not a result.
enum Terminal {
  static func say(_ message: String) {
    FileHandle.standardError.write(Data("spo: \(message.terminalSafe)\n".utf8))
  }

  static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

  /// https://no-color.org: any non-empty NO_COLOR turns colour off.
  static var allowsColour: Bool {
    ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
  }
}

/// Ctrl-C as cancellation of the running command.
enum Interruption {
  static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await body() }
    signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT)
    source.setEventHandler { task.cancel() }
    source.resume()
    defer { source.cancel() }
    try await task.value
  }
}
