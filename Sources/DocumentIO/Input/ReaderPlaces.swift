extension RecordReader {
  /// Goes to where the first item that is wanted is found from: directly in a plain file of lines;
  /// else records are read and left out up to there.
  func goToFirst() {
    stage = .records
    let place = extent.after?.byte ?? extent.start
    guard place > firstByte, source?.isRegular == true, source?.compression == nil else { return }
    guard format?.isOfLines == true else { return }
    if let last = extent.after {
      // The byte before tells whether a line still begins there.
      guard seek(to: place - 1) else { return }
      format?.goOn(line: last.line)
      stage = .checking
    } else if seek(to: 0) {
      stage = .searching(LineSearch(lineEnd: lineEnd))
    }
  }

  private func seek(to byte: Int) -> Bool {
    do throws(SystemError) {
      try source?.seek(to: byte)
      input.restart(at: byte)
      return true
    } catch {
      fail("cannot be read: \(error) (going to byte \(byte))")
      return false
    }
  }

  /// Looks at the byte before the line that reading goes on behind.
  func check() throws(CancellationError) {
    stage = .records
    _ = try fill(wait: true)
    guard let byte = input.bytes[input.range].first else { return }
    if byte == lineEnd { input.take(1) } else { failChanged() }
  }

  /// Counts the lines before the extent, a piece of the file at a time.
  func go(on search: LineSearch) throws(CancellationError) {
    var search = search
    _ = try fill(wait: true)
    // Where the file ends before it, nothing of it is there.
    guard !input.isAtEnd else { return fault.map { fail("cannot be read: \($0)") } ?? close() }
    let wanted = input.range.prefix(extent.start - input.offset)
    input.bytes.withUnsafeBytes { search.add(UnsafeRawBufferPointer(rebasing: $0[wanted])) }
    if wanted.count == input.count {
      input.take(input.count)
      stage = .searching(search)
    } else if seek(to: max(search.place.byte, firstByte)) {
      if search.place.byte > firstByte { format?.goOn(line: search.place.line) }
      stage = .records
    }
  }
}
