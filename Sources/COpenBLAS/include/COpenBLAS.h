// OpenBLAS's C interface (Debian: libopenblas-dev).
#ifndef COPENBLAS_H
#define COPENBLAS_H
#include <cblas.h>
#endif
