/*
 * closer: closes descriptors that strangers have sent, and what else takes long to be closed,
 * beside the one thread that does all else.
 *
 * close(2) takes as long as whoever made the descriptor likes: a TCP socket may linger, a file may
 * lie in a file system that is a process of somebody's, a Unix-domain socket has descriptors of
 * that kind in its queue. So whatever may be, or may hold, the last copy of such a descriptor is
 * closed here, by threads that do nothing but that.
 *
 * Each uid has a lane of its own, in which one descriptor is closed after the other: who has sent
 * one that blocks waits for nobody but himself. There are as many threads as lanes with something
 * in them, CLOSER_THREADS at most; the first is started when it is first needed, one stays.
 *
 * Nothing that is handed over is lost for want of memory: what waits is linked through an array
 * with an element for each descriptor number. If not even one thread can be had, or the array
 * cannot grow, the descriptor is closed by the caller's thread.
 *
 * What waits is still open, and counts (closer_waiting). All functions are the main thread's.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { CLOSER_THREADS = 64 };

struct closer;

/* A closer without a thread. 0, or ERR_MEMORY for want of memory. */
int closer_new(struct closer **out);
/* Ends it, without waiting: what is not closed yet is left to the end of the process, which lingers
 * for nobody. NULL is allowed. */
void closer_free(struct closer *closer);

/* Closes a descriptor of that uid's, now or soon. NULL: in this thread, at once. */
void closer_close(struct closer *closer, uid_t uid, int fd);

/* Calls `each` for all descriptors that wait and that no thread has in hand. Nothing else of the
 * closer's may be called meanwhile. */
void closer_each(struct closer *closer, void (*each)(void *data, uid_t uid, int fd), void *data);

/* How many descriptors are not closed yet: all, or a uid's. NULL: none. */
uint64_t closer_waiting(const struct closer *closer);
uint64_t closer_waiting_of(struct closer *closer, uid_t uid);
