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
