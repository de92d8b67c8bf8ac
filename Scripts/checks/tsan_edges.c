// What Thread Sanitizer cannot see: libgrpc and Swift's runtime are not instrumented, so an order
// that they make between two threads looks like none. Preloaded by Scripts/sanitize, this tells
// of the three orders that the tests rest on, and of no other; nothing is suppressed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Of the sanitizer's runtime, which is linked into the tests.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

static void *original(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) {
    fprintf(stderr, "tsan_edges: there is no %s\n", name);
    abort();
  }
  return found;
}

// 1. What was written before a batch started happens before its tag comes back.
grpc_call_error grpc_call_start_batch(grpc_call *call, const grpc_op *ops, size_t count, void *tag,
                                      void *reserved) {
  static grpc_call_error (*start)(grpc_call *, const grpc_op *, size_t, void *, void *);
  if (!__atomic_load_n(&start, __ATOMIC_RELAXED)) start = original("grpc_call_start_batch");
  if (__tsan_release) __tsan_release(tag);
  return start(call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue *queue, gpr_timespec deadline,
                                      void *reserved) {
  static grpc_event (*next)(grpc_completion_queue *, gpr_timespec, void *);
  if (!__atomic_load_n(&next, __ATOMIC_RELAXED)) next = original("grpc_completion_queue_next");
  grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE && __tsan_acquire) __tsan_acquire(event.tag);
  return event;
}

// 2. The same for a watch of a channel's state.
void grpc_channel_watch_connectivity_state(grpc_channel *channel, grpc_connectivity_state last,
                                           gpr_timespec deadline, grpc_completion_queue *queue,
                                           void *tag) {
  static void (*watch)(grpc_channel *, grpc_connectivity_state, gpr_timespec,
                       grpc_completion_queue *, void *);
  if (!__atomic_load_n(&watch, __ATOMIC_RELAXED)) {
    watch = original("grpc_channel_watch_connectivity_state");
  }
  if (__tsan_release) __tsan_release(tag);
  watch(channel, last, deadline, queue, tag);
}

// 3. Swift's Mutex takes a free lock, and leaves one that nobody waits for, by an atomic in the
// caller, which is instrumented; else by the kernel, inside the runtime. The handle's address is
// that of its atomic.
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
__attribute__((swiftcall)) void lockSlow(uint32_t self,
                                         __attribute__((swift_context)) void *handle)
    __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void lockSlow(uint32_t self,
                                         __attribute__((swift_context)) void *handle) {
  typedef __attribute__((swiftcall)) void Lock(uint32_t,
                                               __attribute__((swift_context)) void *);
  static Lock *lock;
  if (!__atomic_load_n(&lock, __ATOMIC_RELAXED)) lock = (Lock *)original(LOCK_SLOW);
  lock(self, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
__attribute__((swiftcall)) void unlockSlow(__attribute__((swift_context)) void *handle)
    __asm__(UNLOCK_SLOW);
__attribute__((swiftcall)) void unlockSlow(__attribute__((swift_context)) void *handle) {
  typedef __attribute__((swiftcall)) void Unlock(__attribute__((swift_context)) void *);
  static Unlock *unlock;
  if (!__atomic_load_n(&unlock, __ATOMIC_RELAXED)) unlock = (Unlock *)original(UNLOCK_SLOW);
  if (__tsan_release) __tsan_release(handle);
  unlock(handle);
}
