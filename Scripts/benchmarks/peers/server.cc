// Answers Triton's ModelInfer at once with ready bytes, so that a benchmark of clients measures
// clients. The model's name chooses the answer: "small" gives 10 KB, "large:N" gives N bytes; FP32
// values i % 1000. One thread over gRPC's core, since the client shares the machine's cores.
// Prints its port when it is ready, and ends with the process that started it.
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace {

const char kService[] = "/inference.GRPCInferenceService/";
// More than any client here has in flight, so that a call never waits for its slot.
constexpr int kSlots = 128;

void AppendVarint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendField(std::string* out, int number, const std::string& bytes) {
  AppendVarint(out, number << 3 | 2);
  AppendVarint(out, bytes.size());
  *out += bytes;
}

// A ModelInferResponse with one output named "output"; all but the values as text.
std::string Header(const std::string& model, size_t count) {
  std::string shape, tensor, header;
  AppendVarint(&shape, count);
  AppendField(&tensor, 1, "output");
  AppendField(&tensor, 2, "FP32");
  AppendField(&tensor, 3, shape);
  AppendField(&header, 1, model);
  AppendField(&header, 2, "1");
  AppendField(&header, 5, tensor);
  AppendVarint(&header, 6 << 3 | 2);
  AppendVarint(&header, count * sizeof(float));
  return header;
}

grpc_slice MakeAnswer(const std::string& model, size_t count) {
  const std::string header = Header(model, count);
  grpc_slice slice = grpc_slice_malloc_large(header.size() + count * sizeof(float));
  uint8_t* at = GRPC_SLICE_START_PTR(slice);
  memcpy(at, header.data(), header.size());
  at += header.size();
  for (size_t i = 0; i < count; ++i, at += sizeof(float)) {
    const float value = static_cast<float>(i % 1000);
    memcpy(at, &value, sizeof value);
  }
  return slice;
}

// The answer of a model, made once; null for a name that is none.
const grpc_slice* Answer(const std::string& model) {
  static std::map<std::string, grpc_slice> made;
  auto found = made.find(model);
  if (found != made.end()) return &found->second;
  size_t bytes = model == "small" ? 10240 : 0;
  if (model.rfind("large:", 0) == 0) bytes = strtoull(model.c_str() + 6, nullptr, 10);
  if (bytes == 0) return nullptr;
  return &made.emplace(model, MakeAnswer(model, bytes / sizeof(float))).first->second;
}

// Writers put field 1, the model's name, first; the rest of the request is left unread. What comes
// in one read from the socket is one slice, so the name may lie across two.
std::string ModelName(grpc_byte_buffer* request) {
  grpc_byte_buffer_reader reader;
  if (request == nullptr || !grpc_byte_buffer_reader_init(&reader, request)) return "";
  std::string start;
  size_t wanted = 2;
  for (grpc_slice* next; start.size() < wanted && grpc_byte_buffer_reader_peek(&reader, &next);) {
    start.append(reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(*next)),
                 std::min<size_t>(GRPC_SLICE_LENGTH(*next), 128));
    if (start.size() >= 2) wanted = 2 + static_cast<uint8_t>(start[1]);
  }
  grpc_byte_buffer_reader_destroy(&reader);
  const bool whole = start.size() >= wanted && start[0] == '\x0A' && wanted < 128;
  return whole ? start.substr(2, wanted - 2) : "";
}

// What a client may ask beside ModelInfer; null for what is not served.
const grpc_slice* ControlAnswer(const std::string& method) {
  static const grpc_slice yes = grpc_slice_from_static_string("\x08\x01");
  static const grpc_slice metadata = grpc_slice_from_static_string("\x0A\x05" "bench" "\x12\x01" "1");
  const std::string name = method.substr(std::min(method.size(), sizeof kService - 1));
  if (name == "ServerLive" || name == "ServerReady" || name == "ModelReady") return &yes;
  return name == "ServerMetadata" ? &metadata : nullptr;
}

grpc_server* server;
grpc_completion_queue* queue;
void* infer_method;

// One call at a time: waits for a call, answers it, waits for the next.
class Slot {
 public:
  explicit Slot(bool infer) : infer_(infer) {
    grpc_metadata_array_init(&metadata_);
    grpc_call_details_init(&details_);
    Await();
  }

  // The completion queue gave this slot back.
  void Proceed() {
    answering_ = !answering_;
    if (answering_) return infer_ ? Send(Answer(ModelName(request_))) : SendControl();
    grpc_call_unref(call_);
    if (request_ != nullptr) grpc_byte_buffer_destroy(request_);
    grpc_metadata_array_destroy(&metadata_);
    grpc_metadata_array_init(&metadata_);
    Await();
  }

 private:
  void Await() {
    request_ = nullptr;
    if (infer_) {
      grpc_server_request_registered_call(server, infer_method, &call_, &deadline_, &metadata_,
                                          &request_, queue, queue, this);
    } else {
      grpc_server_request_call(server, &call_, &details_, &metadata_, queue, queue, this);
    }
  }

  void SendControl() {
    char* method = grpc_slice_to_c_string(details_.method);
    const grpc_slice* answer = ControlAnswer(method);
    gpr_free(method);
    grpc_call_details_destroy(&details_);
    grpc_call_details_init(&details_);
    Send(answer);
  }

  void Send(const grpc_slice* answer) {
    grpc_op ops[4] = {};
    size_t count = 0;
    ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
    grpc_byte_buffer* message = nullptr;
    if (answer != nullptr) {
      // The core empties the buffer it sends; only the slice's bytes are shared.
      message = grpc_raw_byte_buffer_create(const_cast<grpc_slice*>(answer), 1);
      ops[count].op = GRPC_OP_SEND_MESSAGE;
      ops[count++].data.send_message.send_message = message;
    }
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count++].data.send_status_from_server.status =
        answer != nullptr ? GRPC_STATUS_OK : GRPC_STATUS_UNIMPLEMENTED;
    ops[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[count++].data.recv_close_on_server.cancelled = &cancelled_;
    if (grpc_call_start_batch(call_, ops, count, this, nullptr) != GRPC_CALL_OK) abort();
    if (message != nullptr) grpc_byte_buffer_destroy(message);
  }

  const bool infer_;
  bool answering_ = false;
  int cancelled_ = 0;
  grpc_call* call_ = nullptr;
  grpc_byte_buffer* request_ = nullptr;
  grpc_metadata_array metadata_;
  grpc_call_details details_;
  gpr_timespec deadline_;
};

int Start() {
  grpc_arg args[2] = {};
  const char* keys[2] = {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH};
  for (int i = 0; i < 2; ++i) {
    args[i].type = GRPC_ARG_INTEGER;
    args[i].key = const_cast<char*>(keys[i]);
    args[i].value.integer = -1;
  }
  const grpc_channel_args all = {2, args};
  server = grpc_server_create(&all, nullptr);
  queue = grpc_completion_queue_create_for_next(nullptr);
  grpc_server_register_completion_queue(server, queue, nullptr);
  infer_method = grpc_server_register_method(server, (std::string(kService) + "ModelInfer").c_str(),
                                             nullptr, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
  grpc_server_credentials* plain = grpc_insecure_server_credentials_create();
  const int port = grpc_server_add_http2_port(server, "127.0.0.1:0", plain);
  grpc_server_credentials_release(plain);
  grpc_server_start(server);
  return port;
}

}  // namespace

int main() {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  grpc_init();
  const int port = Start();
  if (port == 0) return 1;
  for (int i = 0; i < kSlots; ++i) new Slot(/*infer=*/true);
  for (int i = 0; i < 4; ++i) new Slot(/*infer=*/false);
  printf("%d\n", port);
  fflush(stdout);
  for (;;) {
    const grpc_event event =
        grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
    if (event.type == GRPC_OP_COMPLETE) static_cast<Slot*>(event.tag)->Proceed();
  }
}
