// A gRPC server for tests of the channel, over gRPC's C core: one thread, no code generator, and a
// process of its own that can be killed. Prints its ports, a line each, when it is ready; ends when its
// standard input does, so it never outlives the test that started it.
//   EchoServer [--port N] [--tls CHAIN.pem KEY.pem] [--client-ca CA.pem] [--limit BYTES] [--raw]
//     [--servers N] [--compact …]
// --servers listens on N ports (from --port on, where it is given) that share the one thread;
// --compact: each port stands for a server with one relation model, see compact.h.
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "compact.h"

enum { WAITING_CALLS = 256, PORTS_MAX = 1024 };

typedef struct {
  int port, servers, limit, raw;
  char *chain, *key, *authority;
} Options;

static char *readFile(const char *path) {
  FILE *file = fopen(path, "r");
  char *text = calloc(1, 1 << 16);
  if (!file || !text || fread(text, 1, (1 << 16) - 1, file) == 0) {
    fprintf(stderr, "echo-server: cannot read %s\n", path);
    exit(2);
  }
  fclose(file);
  return text;
}

static Options parse(int count, char **arguments) {
  Options options = {.limit = -1, .servers = 1};
  for (int i = 1; i < count; i++) {
    int left = count - i - 1;
    if (strcmp(arguments[i], "--raw") == 0) {
      options.raw = 1;
    } else if (strcmp(arguments[i], "--port") == 0 && left >= 1) {
      options.port = atoi(arguments[++i]);
    } else if (strcmp(arguments[i], "--limit") == 0 && left >= 1) {
      options.limit = atoi(arguments[++i]);
    } else if (strcmp(arguments[i], "--client-ca") == 0 && left >= 1) {
      options.authority = readFile(arguments[++i]);
    } else if (strcmp(arguments[i], "--tls") == 0 && left >= 2) {
      options.chain = readFile(arguments[++i]);
      options.key = readFile(arguments[++i]);
    } else if (strcmp(arguments[i], "--servers") == 0 && left >= 1) {
      options.servers = atoi(arguments[++i]);
    } else if (strcmp(arguments[i], "--compact") == 0) {
      compactModel.isOn = 1;
    } else if (left >= 1 && SetCompactOption(arguments[i], arguments[i + 1])) {
      i++;
    } else {
      fprintf(stderr, "echo-server: unknown option or value: %s\n", arguments[i]);
      exit(2);
    }
  }
  return options;
}

static grpc_server_credentials *credentials(const Options *options) {
  if (!options->chain) return grpc_insecure_server_credentials_create();
  grpc_ssl_pem_key_cert_pair pair = {options->key, options->chain};
  return grpc_ssl_server_credentials_create_ex(
      options->authority, &pair, 1,
      options->authority ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                         : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
      NULL);
}

static grpc_arg integer(char *key, int value) {
  return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = key, .value.integer = value};
}

static grpc_server *create(const Options *options) {
  grpc_arg list[] = {
      integer("grpc.max_receive_message_length", options->limit),
      integer("grpc.max_send_message_length", -1),
      // Two servers on one port would share its connections: a restart is to fail instead.
      integer("grpc.so_reuseport", 0),
      integer("grpc.per_message_decompression", !options->raw),
  };
  grpc_channel_args arguments = {sizeof list / sizeof *list, list};
  return grpc_server_create(&arguments, NULL);
}

static void *endWithInput(void *unused) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  _exit(0);
  return unused;
}

static bool listenOn(Port *port, grpc_completion_queue *queue, const Options *options, int place) {
  (port->server = create(options)), (port->events = queue);
  port->factor = compactModel.factors[place % compactModel.factorCount];
  grpc_server_register_completion_queue(port->server, queue, NULL);
  grpc_server_credentials *own = credentials(options);
  char address[64];
  snprintf(address, sizeof address, "127.0.0.1:%d", options->port ? options->port + place : 0);
  int number = grpc_server_add_http2_port(port->server, address, own);
  grpc_server_credentials_release(own);
  if (number == 0) return false;
  grpc_server_start(port->server);
  for (int i = 0; i < WAITING_CALLS; i++) Accept(port);
  printf("%d\n", number);
  return true;
}

int main(int count, char **arguments) {
  closefrom(3);  // other tests' pipes: held open here, they would never end
  Options options = parse(count, arguments);
  grpc_init();
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
  static Port ports[PORTS_MAX];
  if (options.servers < 1 || options.servers > PORTS_MAX) return 2;
  for (int i = 0; i < options.servers; i++) {
    if (!listenOn(&ports[i], queue, &options, i)) return 1;
  }
  fflush(stdout);
  pthread_t watcher;
  if (pthread_create(&watcher, NULL, endWithInput, NULL) != 0) return 1;
  for (;;) {
    grpc_event event = grpc_completion_queue_next(queue, NextDue(), NULL);
    if (event.type == GRPC_OP_COMPLETE) Proceed(event.tag, event.success != 0);
    WakeDue();
  }
}
