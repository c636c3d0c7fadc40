/*
 * fake_clock.c - clocks that a test moves while programs run; preload it with LD_PRELOAD. For tests only.
 *
 * FAKE_CLOCK names a file of two 64-bit numbers: nanoseconds to add to the wall clock, and to the monotonic clock.
 * They are read at each call, so that a test steps the time of a running process by writing the file. Waits until an
 * instant of the monotonic clock are moved back, so that they last as long as they were meant to. The clock since
 * boot is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000LL
static volatile long long none[2], *moved = none;

static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);
static int (*real_clockwait)(sem_t *, clockid_t, const struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_nanosleep = dlsym(RTLD_NEXT, "clock_nanosleep");
    real_clockwait = dlsym(RTLD_NEXT, "sem_clockwait");
    const char *path = getenv("FAKE_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) moved = page;
    close(file);
}

static long long by(clockid_t clock) {
    switch (clock) {
        case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: return moved[0];
        case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: case CLOCK_MONOTONIC_RAW: return moved[1];
        default: return 0;
    }
}

static struct timespec plus(struct timespec at, long long ns) {
    long long all = at.tv_sec * BILLION + at.tv_nsec + ns;
    return (struct timespec){ .tv_sec = all / BILLION, .tv_nsec = all % BILLION };
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    if (!real_gettime) begin();
    int failed = real_gettime(clock, at);
    if (!failed) *at = plus(*at, by(clock));
    return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *at = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left) {
    if (!(flags & TIMER_ABSTIME)) return real_nanosleep(clock, flags, until, left);
    struct timespec back = plus(*until, -by(clock));
    return real_nanosleep(clock, flags, &back, left);
}

int sem_clockwait(sem_t *lock, clockid_t clock, const struct timespec *until) {
    struct timespec back = plus(*until, -by(clock));
    return real_clockwait(lock, clock, &back);
}
