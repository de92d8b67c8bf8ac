// Keeps the numbers 0, 1 and 2 for standard input, output and error, also when the caller closed
// them. Only programs link it: it acts when the process begins, before the libraries that take
// the lowest free numbers for descriptors of their own.
#ifndef CSTANDARDDESCRIPTORS_H
#define CSTANDARDDESCRIPTORS_H
#endif
