/* Preloaded into a process, sets its clock of the day anew every few calls, by up to two days either way. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *now) {
    static unsigned calls, seed = 1;
    static long offset;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (clock == CLOCK_REALTIME) {
        if (calls++ % 7 == 0) offset = rand_r(&seed) % 345600 - 172800;
        now->tv_sec += offset;
    }
    return code;
}
