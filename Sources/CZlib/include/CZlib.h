// zlib's compression and decompression (Debian: zlib1g-dev).
#ifndef CZLIB_H
#define CZLIB_H
#include <zlib.h>
#endif
