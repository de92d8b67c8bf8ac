// The C++ peer: generated messages over grpc++. Many calls at once are driven by one thread with a
// completion queue (small) or by a thread each (small-sync).
//   client large PORT BYTES COUNT | client small|small-sync PORT CONCURRENCY SECONDS
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "grpc_service.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;

constexpr int kRows = 16, kTokens = 64;
constexpr size_t kSmallBytes = 10240;
constexpr double kWarmUp = 0.5;

[[noreturn]] void Fail(const std::string& why) {
  fprintf(stderr, "error: %s\n", why.c_str());
  exit(2);
}

double Seconds(Clock::duration taken) { return std::chrono::duration<double>(taken).count(); }

double Cpu() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval time) { return time.tv_sec + time.tv_usec * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A line of /proc/self/status, as VmHWM or VmRSS, in bytes.
long Memory(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return atol(line.c_str() + key.size() + 1) * 1024;
  }
  return 0;
}

// Refuses an answer that has another size or other values than i % 1000.
void Check(const ModelInferResponse& response, size_t bytes) {
  if (response.raw_output_contents_size() != 1) Fail("no output");
  const std::string& raw = response.raw_output_contents(0);
  if (raw.size() != bytes) Fail("the answer has another size");
  const size_t count = bytes / sizeof(float);
  for (size_t step = 0; step < 8; ++step) {
    const size_t index = (count - 1) * step / 7;
    float value;
    memcpy(&value, raw.data() + index * sizeof value, sizeof value);
    if (value != static_cast<float>(index % 1000)) Fail("the answer has other values");
  }
}

template <typename Value>
void AddInput(ModelInferRequest* request, const char* name, const char* type,
              const std::vector<Value>& values) {
  auto* input = request->add_inputs();
  input->set_name(name);
  input->set_datatype(type);
  input->add_shape(kRows);
  input->add_shape(kTokens);
  request->add_raw_input_contents(values.data(), values.size() * sizeof(Value));
}

// Every request is made anew, as for tokens that differ.
void Fill(ModelInferRequest* request, const std::string& model) {
  static const std::vector<int64_t> ids(kRows * kTokens, 101), types(kRows * kTokens, 0);
  static const std::vector<float> mask(kRows * kTokens, 1);
  request->Clear();
  request->set_model_name(model);
  AddInput(request, "ids", "INT64", ids);
  AddInput(request, "types", "INT64", types);
  AddInput(request, "mask", "FP32", mask);
}

std::unique_ptr<GRPCInferenceService::Stub> Connect(const std::string& port) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return GRPCInferenceService::NewStub(grpc::CreateCustomChannel(
      "127.0.0.1:" + port, grpc::InsecureChannelCredentials(), arguments));
}

void Infer(GRPCInferenceService::Stub* stub, const std::string& model, size_t bytes) {
  grpc::ClientContext context;
  ModelInferRequest request;
  ModelInferResponse response;
  Fill(&request, model);
  const grpc::Status status = stub->ModelInfer(&context, request, &response);
  if (!status.ok()) Fail(status.error_message());
  Check(response, bytes);
}

// One of the calls in flight; finished through the queue, then started anew.
struct Call {
  std::optional<grpc::ClientContext> context;
  ModelInferRequest request;
  ModelInferResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<ModelInferResponse>> reader;
  Clock::time_point begin;

  void Start(GRPCInferenceService::Stub* stub, grpc::CompletionQueue* queue) {
    begin = Clock::now();
    context.emplace();
    Fill(&request, "small");
    reader = stub->AsyncModelInfer(&*context, request, queue);
    reader->Finish(&response, &status, this);
  }
};

// Keeps `concurrency` calls in flight for `seconds`; the microseconds of each.
std::vector<double> Load(GRPCInferenceService::Stub* stub, int concurrency, double seconds) {
  grpc::CompletionQueue queue;
  std::vector<Call> calls(concurrency);
  std::vector<double> taken;
  const auto begin = Clock::now();
  for (Call& call : calls) call.Start(stub, &queue);
  void* tag;
  for (bool ok; concurrency > 0 && queue.Next(&tag, &ok);) {
    Call* call = static_cast<Call*>(tag);
    if (!call->status.ok()) Fail(call->status.error_message());
    Check(call->response, kSmallBytes);
    const auto now = Clock::now();
    taken.push_back(Seconds(now - call->begin) * 1e6);
    if (Seconds(now - begin) < seconds) {
      call->Start(stub, &queue);
    } else {
      --concurrency;
    }
  }
  return taken;
}

// The same by a thread for each call in flight, as blocking stubs are mostly used.
std::vector<double> LoadSync(GRPCInferenceService::Stub* stub, int concurrency, double seconds) {
  std::vector<std::vector<double>> taken(concurrency);
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  for (auto& own : taken) {
    threads.emplace_back([&own, stub, begin, seconds] {
      for (auto from = Clock::now(); Seconds(from - begin) < seconds;) {
        Infer(stub, "small", kSmallBytes);
        const auto now = Clock::now();
        own.push_back(Seconds(now - from) * 1e6);
        from = now;
      }
    });
  }
  std::vector<double> all;
  for (int i = 0; i < concurrency; ++i) {
    threads[i].join();
    all.insert(all.end(), taken[i].begin(), taken[i].end());
  }
  return all;
}

void Large(const std::string& port, size_t bytes, int count) {
  auto stub = Connect(port);
  const std::string model = "large:" + std::to_string(bytes);
  Infer(stub.get(), "small", kSmallBytes);
  const long base = Memory("VmRSS");
  Infer(stub.get(), model, bytes);
  const double cpu = Cpu();
  std::string walls;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    Infer(stub.get(), model, bytes);
    walls += (i > 0 ? ", " : "") + std::to_string(Seconds(Clock::now() - begin));
  }
  printf("{\"wall_s\": [%s], \"cpu_s\": %f, \"peak_bytes\": %ld, \"base_bytes\": %ld}\n",
         walls.c_str(), Cpu() - cpu, Memory("VmHWM"), base);
}

void Small(const std::string& port, int concurrency, double seconds, decltype(&Load) load) {
  auto stub = Connect(port);
  load(stub.get(), concurrency, kWarmUp);
  const long base = Memory("VmRSS");
  const double cpu = Cpu();
  const auto begin = Clock::now();
  std::vector<double> taken = load(stub.get(), concurrency, seconds);
  const double elapsed = Seconds(Clock::now() - begin), used = Cpu() - cpu;
  std::sort(taken.begin(), taken.end());
  printf("{\"requests\": %zu, \"seconds\": %f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"cpu_s\": %f, "
         "\"peak_bytes\": %ld, \"base_bytes\": %ld}\n",
         taken.size(), elapsed, taken[taken.size() / 2], taken[taken.size() * 99 / 100], used,
         Memory("VmHWM"), base);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc == 5 ? argv[1] : "";
  if (mode == "large") {
    Large(argv[2], strtoull(argv[3], nullptr, 10), atoi(argv[4]));
  } else if (mode == "small") {
    Small(argv[2], atoi(argv[3]), atof(argv[4]), Load);
  } else if (mode == "small-sync") {
    Small(argv[2], atoi(argv[3]), atof(argv[4]), LoadSync);
  } else {
    Fail("usage: client large PORT BYTES COUNT | client small|small-sync PORT CONCURRENCY SECONDS");
  }
}
