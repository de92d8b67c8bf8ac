extension TritonClient {
  /// Tries lost connections for inferences anew at once, however long the core would wait.
  package func reconnect() {
    for server in pool.servers { server.infer.resetConnectBackoff() }
  }
}
