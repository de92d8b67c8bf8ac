/// A gRPC status code; https://grpc.github.io/grpc/core/md_doc_statuscodes.html.
public struct StatusCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number on the wire.
  public var rawValue: Int32

  /// A code by its number; unknown numbers are kept.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// It ended well.
  public static let ok = StatusCode(rawValue: 0)
  /// Somebody ended it early.
  public static let cancelled = StatusCode(rawValue: 1)
  /// The server did not say more.
  public static let unknown = StatusCode(rawValue: 2)
  /// The request is wrong, whatever the state of the server.
  public static let invalidArgument = StatusCode(rawValue: 3)
  /// Its time was over.
  public static let deadlineExceeded = StatusCode(rawValue: 4)
  /// What it asks for is not there.
  public static let notFound = StatusCode(rawValue: 5)
  /// What it makes is there already.
  public static let alreadyExists = StatusCode(rawValue: 6)
  /// The caller may not do it.
  public static let permissionDenied = StatusCode(rawValue: 7)
  /// A message or quota is too large or used up.
  public static let resourceExhausted = StatusCode(rawValue: 8)
  /// The server is not in the state that it needs.
  public static let failedPrecondition = StatusCode(rawValue: 9)
  /// Another call got in its way.
  public static let aborted = StatusCode(rawValue: 10)
  /// It reaches past an end.
  public static let outOfRange = StatusCode(rawValue: 11)
  /// The server does not do this.
  public static let unimplemented = StatusCode(rawValue: 12)
  /// The server broke its own rules.
  public static let internalError = StatusCode(rawValue: 13)
  /// There is no connection, or the server takes no calls now.
  public static let unavailable = StatusCode(rawValue: 14)
  /// Data is lost for good.
  public static let dataLoss = StatusCode(rawValue: 15)
  /// The caller did not say who it is.
  public static let unauthenticated = StatusCode(rawValue: 16)

  private static let names = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
    "UNAUTHENTICATED",
  ]

  /// gRPC's own name of the code.
  public var description: String {
    Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "CODE_\(rawValue)"
  }
}
