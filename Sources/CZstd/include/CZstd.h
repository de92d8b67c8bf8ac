// Zstandard's compression and decompression (Debian: libzstd-dev).
#ifndef CZSTD_H
#define CZSTD_H
#include <zstd.h>
#endif
