// SHA-256 of OpenSSL (Debian: libssl-dev, which libgrpc-dev brings).
#ifndef CSHA256_H
#define CSHA256_H
#include <openssl/evp.h>
#endif
