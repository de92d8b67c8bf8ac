extension RecordReader {
  /// The place of a record or reject in its file, by which reading goes on behind it.
  public struct Position: Sendable, Hashable, Codable {
    /// The line that it begins with, from 1.
    public var line: Int
    /// The byte at which it begins, from 0, in the decompressed stream.
    public var byte: Int

    /// A place.
    public init(line: Int, byte: Int) { (self.line, self.byte) = (line, byte) }
  }

  /// The part of a file whose items are wanted: those that begin at `start` or behind it, before
  /// `end`, and behind the item at `after`.
  ///
  /// Extents whose bounds tile a file give each record and each reject exactly once, with the
  /// lines, bytes, fields and reasons of one reading of the whole file. What is to be said of the
  /// file as such (it is UTF-16; two columns have one name) says the extent that has byte 0. What
  /// keeps a file from being opened or read on says every reading that meets it.
  public struct Extent: Sendable, Hashable, Codable {
    /// The first byte, in the decompressed stream, at which an item may begin.
    public var start: Int
    /// The first byte at which an item may no longer begin; nil where the file's end is the end.
    public var end: Int?
    /// The last item that has been used already; reading begins behind it, and does not say again
    /// how the file is read.
    public var after: Position?

    /// A part of a file, by default all of it.
    public init(start: Int = 0, end: Int? = nil, after: Position? = nil) {
      (self.start, self.end, self.after) = (start, end, after)
    }

    /// All of a file.
    public static let whole = Extent()
  }
}

/// A file and what is wanted of it.
public struct InputPart: Sendable, Hashable {
  /// The file.
  public var file: InputFile
  /// What is wanted of it. Only regular files can have another than the whole.
  public var extent: RecordReader.Extent

  /// A part of a file, by default all of it.
  public init(_ file: InputFile, extent: RecordReader.Extent = .whole) {
    (self.file, self.extent) = (file, extent)
  }
}
