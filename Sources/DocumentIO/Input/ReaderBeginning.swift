extension RecordReader {
  /// How much of a file is looked at to tell what it is.
  private static let beginningSize = 1 << 16
  /// How far a line feed is looked for before carriage returns are taken for line ends.
  private static let longestSearch = 1 << 20

  /// Whether enough has come to tell what the file is: of a pipe a line, since it may be slow.
  func hasBeginning(wait: Bool) throws(CancellationError) -> Bool {
    while !input.isAtEnd {
      let begun = input.bytes[input.range]
      let hasLine = begun.contains(0x0A)
      let isEnough =
        input.count >= (hasLine || !begun.contains(0x0D) ? Self.beginningSize : Self.longestSearch)
      if isEnough || hasLine && source?.isRegular != true { return true }
      guard try fill(wait: wait) else { return false }
    }
    return true
  }

  /// Looks at the file's beginning, and begins with its records if it can be read.
  func begin() {
    if input.count == 0 || source?.isCutShort == true, InputFormat.isCompressed(file.name),
      source?.compression == nil
    {
      return refuse("is named as a compressed file and has \(input.count) bytes; it was cut off")
    }
    let format = options.format ?? InputFormat(name: file.name)
    let begun = input.bytes[input.range]
    let found =
      zipped(begun, name: file.name) ?? stranger(begun, isWhole: input.isAtEnd)
      ?? (format == .jsonl ? strangeJSON(withoutMark(begun), isWhole: input.isAtEnd) : nil)
    if let found {
      return refuse("is \(found.kind); \(remedy(found, format ?? .text))")
    }
    if begun.count > withoutMark(begun).count { input.take(3) }
    let isReturnOnly = begun.contains(0x0D) && !begun.contains(0x0A)
    lineEnd = isReturnOnly ? 0x0D : 0x0A
    let settings = RecordSettings(
      file: file.name.text, textField: options.textField, limit: options.longestRecord,
      lineEnd: lineEnd, isFormatGuessed: format == nil, part: part,
      start: extent.after?.byte ?? extent.start)
    stage = .header
    switch format ?? .text {
    case .text: self.format = TextRecords(settings)
    case .jsonl: self.format = JSONRecords(settings)
    case .csv: self.format = DelimitedRecords(settings, hasQuotes: true)
    case .tsv: self.format = DelimitedRecords(settings, hasQuotes: false)
    }
  }

  /// Whether what is to be said of the file as such is said by this reading of a part of it.
  private var tellsBeginning: Bool { extent.start == 0 && extent.after == nil }

  /// Nothing of the file can be read, which was or is said by one who reads its beginning.
  private func refuse(_ reason: String) {
    if tellsBeginning { return fail(reason) }
    // What could not be read tells nothing of what the file is.
    if fault != nil { return finish() }
    if extent.after != nil { failChanged() } else { close() }
  }

  /// Looks at what stands before the records and goes to the first that is wanted; false where
  /// more bytes are needed.
  func beginRecords() -> Bool {
    switch format?.begin(&input) {
    case .needsMore, nil: return false
    case .failure(let reason): refuse(reason)
    case .records(let note):
      if let note, tellsBeginning { notice(note, isFailure: false) }
      firstByte = input.offset
      goToFirst()
    }
    return true
  }

  private func withoutMark(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
  }

  /// What a user types to make of the file one that can be read.
  private func remedy(_ found: Stranger, _ format: InputFormat) -> String {
    let name = file.isStandardInput ? "FILE" : shellWord(file.name)
    if let command = found.command {
      return "make text of it: \(command.replacing("FILE", with: name))"
    }
    let ending = ["text": "txt"][format.rawValue] ?? format.rawValue
    let filter = found.filter ?? "cat"
    let unpack = source?.compression.map { "\($0) -dc \(name) | \(filter)" } ?? "\(filter) \(name)"
    return "convert it: \(unpack) > converted.\(ending)"
  }
}
