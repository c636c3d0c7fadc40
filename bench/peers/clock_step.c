/* clock_step.c - the wall clock of one process, moved by the seconds that a file holds. Preload it:
 *   LD_PRELOAD=clock_step.so CLOCK_STEP_FILE=file (8 bytes, a native int64, read at every call)
 * The monotonic clocks stay as they are, as when a time server steps the clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *step;
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void setup(void) {
    real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("CLOCK_STEP_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) step = mapped;
    close(file);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    if (!real_clock) setup();
    int answer = real_clock(which, now);
    if (answer == 0 && step && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += *step;
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec fine;
    int answer = clock_gettime(CLOCK_REALTIME, &fine);
    if (answer == 0) { now->tv_sec = fine.tv_sec; now->tv_usec = fine.tv_nsec / 1000; }
    return answer;
}

time_t time(time_t *kept) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (kept) *kept = fine.tv_sec;
    return fine.tv_sec;
}
