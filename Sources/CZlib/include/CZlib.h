// zlib's stdio-like reader, which reads plain files as they are (Debian: zlib1g-dev).
#ifndef CZLIB_H
#define CZLIB_H
#include <zlib.h>
#endif
