extension TritonClient {
  /// The registered system regions (`SystemSharedMemoryStatus`); all without a name.
  public func systemSharedMemory(
    _ name: String = "", options: CallOptions = .init()
  ) async throws -> [SystemRegionStatus] {
    let answer = try await call(.systemSharedMemoryStatus, ["name": .string(name)], options)
    return answer.map("regions").values.compactMap(\.asMessage).map {
      SystemRegionStatus(
        name: $0.string("name"), key: $0.string("key"), offset: $0.integer("offset"),
        byteCount: $0.integer("byte_size"))
    }.sorted { $0.name < $1.name }
  }

  /// Tells the server of a POSIX shared memory object (`SystemSharedMemoryRegister`).
  public func registerSystemSharedMemory(
    _ name: String, key: String, offset: Int = 0, byteCount: Int, options: CallOptions = .init()
  ) async throws {
    try require(offset >= 0 && byteCount > 0, "offset \(offset) and \(byteCount) bytes")
    let request: [String: ProtobufValue] = [
      "name": .string(name), "key": .string(key), "offset": .unsigned(UInt64(offset)),
      "byte_size": .unsigned(UInt64(byteCount)),
    ]
    _ = try await call(.systemSharedMemoryRegister, request, options)
  }

  private func require(_ isPossible: Bool, _ what: String) throws {
    guard !isPossible else { return }
    throw TritonError(
      code: .invalidRequest,
      message: "\(what) cannot be registered, expected numbers of 0 or more and at least one byte")
  }

  /// Makes the server forget a region (`SystemSharedMemoryUnregister`), or all without a name.
  public func unregisterSystemSharedMemory(
    _ name: String = "", options: CallOptions = .init()
  ) async throws {
    _ = try await call(.systemSharedMemoryUnregister, ["name": .string(name)], options)
  }

  /// Unregisters a system region once no request uses it: Triton sends an answer before it lets go
  /// of the regions of its request, and goes on with a request whose caller has gone.
  package func unregisterWhenFree(_ name: String) async throws {
    let deadline = ContinuousClock.now + configuration.timeout
    var pause = Duration.microseconds(200)
    while true {
      do {
        // A server that has gone has forgotten the region with all else: it is not waited for.
        return try await unregisterSystemSharedMemory(name, options: .init(patience: .zero))
      } catch let error as TritonError {
        guard error.code == .regionInUse, .now + pause < deadline else { throw error }
      }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(100))
    }
  }

  /// The registered CUDA regions (`CudaSharedMemoryStatus`); all without a name.
  public func cudaSharedMemory(
    _ name: String = "", options: CallOptions = .init()
  ) async throws -> [CUDARegionStatus] {
    let answer = try await call(.cudaSharedMemoryStatus, ["name": .string(name)], options)
    return answer.map("regions").values.compactMap(\.asMessage).map {
      CUDARegionStatus(
        name: $0.string("name"), device: $0.integer("device_id"),
        byteCount: $0.integer("byte_size"))
    }.sorted { $0.name < $1.name }
  }

  /// Tells the server of CUDA memory (`CudaSharedMemoryRegister`).
  ///
  /// - Parameter handle: the 64 bytes of a `cudaIpcMemHandle_t`.
  public func registerCUDASharedMemory(
    _ name: String, handle: [UInt8], device: Int, byteCount: Int, options: CallOptions = .init()
  ) async throws {
    try require(device >= 0 && byteCount > 0, "device \(device) and \(byteCount) bytes")
    let request: [String: ProtobufValue] = [
      "name": .string(name), "raw_handle": .bytes(handle), "device_id": .signed(Int64(device)),
      "byte_size": .unsigned(UInt64(byteCount)),
    ]
    _ = try await call(.cudaSharedMemoryRegister, request, options)
  }

  /// Makes the server forget CUDA memory (`CudaSharedMemoryUnregister`), or all without a name.
  public func unregisterCUDASharedMemory(
    _ name: String = "", options: CallOptions = .init()
  ) async throws {
    _ = try await call(.cudaSharedMemoryUnregister, ["name": .string(name)], options)
  }
}

/// A system region as the server knows it.
public struct SystemRegionStatus: Sendable, Hashable, Codable {
  /// The name that requests use.
  public var name: String
  /// The POSIX object's name.
  public var key: String
  /// Where the region begins in the object, in bytes.
  public var offset: Int
  /// Its length in bytes.
  public var byteCount: Int

  /// A region.
  public init(name: String, key: String, offset: Int = 0, byteCount: Int) {
    (self.name, self.key, self.offset, self.byteCount) = (name, key, offset, byteCount)
  }
}

/// A CUDA region as the server knows it.
public struct CUDARegionStatus: Sendable, Hashable, Codable {
  /// The name that requests use.
  public var name: String
  /// The device's index.
  public var device: Int
  /// Its length in bytes.
  public var byteCount: Int

  /// A region.
  public init(name: String, device: Int, byteCount: Int) {
    (self.name, self.device, self.byteCount) = (name, device, byteCount)
  }
}
