import GRPCChannel
import TestSupport

extension EchoServer {
  var target: Target { try! Target(address) }

  func channel(_ configuration: ChannelConfiguration = .init()) -> Channel {
    Channel(target, configuration: configuration)
  }
}
