internal import CTritonProtocol
internal import GRPCChannel

/// A method of one of the two services, with the descriptors of its messages.
package struct RPC: @unchecked Sendable {
  // @unchecked: the descriptors are constants of the generated C.
  let method: RPCMethod
  package let name: String
  let request: MessageType
  let response: MessageType
  /// Whether a second run does no harm when the first one's fate is unknown.
  let isIdempotent: Bool

  static let serverLive = RPC("ServerLive")
  static let serverReady = RPC("ServerReady")
  static let modelReady = RPC("ModelReady")
  static let serverMetadata = RPC("ServerMetadata")
  package static let modelMetadata = RPC("ModelMetadata")
  static let modelInfer = RPC("ModelInfer")
  static let modelStreamInfer = RPC("ModelStreamInfer")
  static let modelConfig = RPC("ModelConfig")
  static let modelStatistics = RPC("ModelStatistics")
  static let repositoryIndex = RPC("RepositoryIndex")
  static let repositoryModelLoad = RPC("RepositoryModelLoad")
  static let repositoryModelUnload = RPC("RepositoryModelUnload")
  static let systemSharedMemoryStatus = RPC("SystemSharedMemoryStatus")
  static let systemSharedMemoryRegister = RPC("SystemSharedMemoryRegister", isIdempotent: false)
  static let systemSharedMemoryUnregister = RPC("SystemSharedMemoryUnregister")
  static let cudaSharedMemoryStatus = RPC("CudaSharedMemoryStatus")
  static let cudaSharedMemoryRegister = RPC("CudaSharedMemoryRegister", isIdempotent: false)
  static let cudaSharedMemoryUnregister = RPC("CudaSharedMemoryUnregister")
  static let traceSetting = RPC("TraceSetting")
  static let logSettings = RPC("LogSettings")
  static let healthCheck = RPC("Check", of: CTritonHealthService())

  /// Whether it asks whether a server or model is there.
  let isHealth: Bool
  /// Whether its answers may be large: it has connections of its own.
  let isInference: Bool

  private init(
    _ name: String,
    of service: UnsafePointer<ProtobufCServiceDescriptor> = CTritonInferenceService(),
    isIdempotent: Bool = true
  ) {
    let found = protobuf_c_service_descriptor_get_method_by_name(service, name)!
    method = RPCMethod(service: String(cString: service.pointee.name), name: name)
    (request, response) = (found.pointee.input, found.pointee.output)
    (self.name, self.isIdempotent) = (name, isIdempotent)
    isHealth = ["ServerLive", "ServerReady", "ModelReady", "Check"].contains(name)
    isInference = ["ModelInfer", "ModelStreamInfer"].contains(name)
  }
}
