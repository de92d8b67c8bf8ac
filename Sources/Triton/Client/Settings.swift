extension TritonClient {
  /// The trace settings of a model, or the server's (`TraceSetting`).
  public func traceSettings(
    model: String = "", options: CallOptions = .init()
  ) async throws -> [String: [String]] {
    try await updateTraceSettings([:], model: model, options: options)
  }

  /// Changes trace settings and tells all of them; an empty list puts one back to its default.
  @discardableResult
  public func updateTraceSettings(
    _ settings: [String: [String]], model: String = "", options: CallOptions = .init()
  ) async throws -> [String: [String]] {
    let values = settings.mapValues {
      ProtobufValue.message(ProtobufMessage(["value": .list($0.map { .string($0) })]))
    }
    let request: [String: ProtobufValue] = [
      "settings": .map(values), "model_name": .string(model),
    ]
    let answer = try await call(.traceSetting, request, options)
    return answer.map("settings").mapValues { $0.asMessage?.strings("value") ?? [] }
  }

  /// The server's log settings (`LogSettings`).
  public func logSettings(options: CallOptions = .init()) async throws -> [String: LogSetting] {
    try await updateLogSettings([:], options: options)
  }

  /// Changes log settings and tells all of them.
  @discardableResult
  public func updateLogSettings(
    _ settings: [String: LogSetting], options: CallOptions = .init()
  ) async throws -> [String: LogSetting] {
    let values = settings.mapValues { ProtobufValue.message($0.message) }
    let answer = try await call(.logSettings, ["settings": .map(values)], options)
    return answer.map("settings").compactMapValues { LogSetting($0.asMessage) }
  }
}

/// One value of the server's log settings.
public enum LogSetting: Sendable, Hashable {
  case bool(Bool)
  case unsigned(UInt32)
  case string(String)

  var message: ProtobufMessage {
    switch self {
    case .bool(let value): ProtobufMessage(["bool_param": .bool(value)])
    case .unsigned(let value): ProtobufMessage(["uint32_param": .unsigned(UInt64(value))])
    case .string(let value): ProtobufMessage(["string_param": .string(value)])
    }
  }

  init?(_ message: ProtobufMessage?) {
    switch message?.fields.values.first {
    case .bool(let value): self = .bool(value)
    case .unsigned(let value): self = .unsigned(UInt32(clamping: value))
    case .string(let value): self = .string(value)
    default: return nil
    }
  }
}
