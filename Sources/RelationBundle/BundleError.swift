/// What is wrong with a bundle, naming the file and, where it is one, the tensor.
public struct BundleError: Error, Hashable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// The tensor in it.
  public let tensor: String?
  /// What was expected and what was got.
  public let reason: String

  /// An error of a file, and where it is one of a tensor in it.
  public init(_ file: String, tensor: String? = nil, _ reason: String) {
    (self.file, self.tensor, self.reason) = (file, tensor, reason)
  }

  /// File, tensor and reason.
  public var description: String {
    "cannot use the bundle: \(file)\(tensor.map { ", tensor \($0)" } ?? ""): \(reason)"
  }
}
