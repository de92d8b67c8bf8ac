#include "CStandardDescriptors.h"

#include <fcntl.h>

// In place of a closed one comes what cannot be used for its purpose, so that reading or writing
// it is the error that it would have been: open gives the lowest number that is free.
static void keep_standard_descriptors(void) {
  const int flags[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int number = 0; number < 3; number++) {
    if (fcntl(number, F_GETFD) < 0) (void)!open("/dev/null", flags[number]);
  }
}

// Before the constructors of shared libraries, of which some open files.
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) =
    keep_standard_descriptors;
