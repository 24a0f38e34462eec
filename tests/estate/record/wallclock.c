/*
 * Moves the wall clock of the programs that preload it, so that real daemons write a day in minutes.
 *
 * The recorder maps the same page (STATE) and writes a line through time into it: "at monotonic
 * moment M the wall clock shows W and runs at 1/1000 x RATE". Only the wall clock is moved; the
 * monotonic clock, and with it every time-out of a daemon, stays true.
 *
 * Three things besides the clock functions read the kernel's own clock and are moved with it:
 * the stamp inside audit records, the stamp of captured packets, and absolute time-outs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STATE "/run/wallclock"
#define SECOND 1000000000LL

struct line {
    volatile uint64_t turn; /* odd while the recorder writes */
    volatile int64_t wall, monotonic, rate;
    volatile int64_t audit; /* 0: this host shall look as if its kernel had no audit */
};

static const struct line *state;
static int (*real_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_state(void)
{
    int fd;
    if (state) return;
    *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    fd = open(STATE, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *state, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) state = page;
}

static int64_t real_now(clockid_t id)
{
    struct timespec t;
    if (real_gettime) real_gettime(id, &t);
    else syscall(SYS_clock_gettime, id, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t wall_now(void)
{
    uint64_t turn;
    int64_t now;
    if (!state) return real_now(CLOCK_REALTIME);
    do {
        turn = state->turn;
        __sync_synchronize();
        now = state->wall + (real_now(CLOCK_MONOTONIC) - state->monotonic) * state->rate / 1000;
        __sync_synchronize();
    } while ((turn & 1) || turn != state->turn);
    return now;
}

static int64_t shift(void) { return wall_now() - real_now(CLOCK_REALTIME); }

int clock_gettime(clockid_t id, struct timespec *t)
{
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
        return real_gettime ? real_gettime(id, t) : (int)syscall(SYS_clock_gettime, id, t);
    int64_t now = wall_now();
    t->tv_sec = now / SECOND;
    t->tv_nsec = now % SECOND;
    return 0;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    (void)zone;
    int64_t now = wall_now();
    t->tv_sec = now / SECOND;
    t->tv_usec = now % SECOND / 1000;
    return 0;
}

time_t time(time_t *t)
{
    time_t now = wall_now() / SECOND;
    if (t) *t = now;
    return now;
}

/* cron sleeps until the next minute of the wall clock, so its sleep must follow that clock. */
unsigned int sleep(unsigned int seconds)
{
    int64_t end = wall_now() + seconds * SECOND;
    while (wall_now() < end) usleep(5000);
    return 0;
}

/* rsyslog waits until absolute wall times; the kernel compares them with its own clock. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec moved = *until;
    if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (state && until->tv_sec > 1000000000) { /* smaller values belong to the monotonic clock */
        int64_t at = until->tv_sec * SECOND + until->tv_nsec - shift();
        moved.tv_sec = at / SECOND;
        moved.tv_nsec = at % SECOND;
    }
    return real(cond, mutex, &moved);
}

/* The kernel stamps audit records "audit(SECONDS.mmm:SERIAL)" before auditd receives them. */
ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    static ssize_t (*real)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "recvfrom");
    ssize_t got = real(fd, buffer, size, flags, from, from_size);
    if (!state || got < NLMSG_HDRLEN + 24 || !from || from->sa_family != AF_NETLINK) return got;
    char *text = (char *)buffer + NLMSG_HDRLEN;
    long long seconds;
    int milliseconds;
    char stamp[64];
    if (sscanf(text, "audit(%10lld.%3d:", &seconds, &milliseconds) != 2) return got;
    int64_t moved = seconds * SECOND + milliseconds * (SECOND / 1000) + shift();
    snprintf(stamp, sizeof stamp, "%010lld.%03d", (long long)(moved / SECOND),
             (int)(moved % SECOND / (SECOND / 1000)));
    memcpy(text + 6, stamp, 14);
    return got;
}

/* There is one audit trail per kernel; a host without auditd must not write into it. */
int socket(int domain, int type, int protocol)
{
    static int (*real)(int, int, int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "socket");
    if (state && !state->audit && domain == AF_NETLINK && protocol == NETLINK_AUDIT) {
        errno = EPROTONOSUPPORT;
        return -1;
    }
    return real(domain, type, protocol);
}

/* The kernel stamps captured packets; tcpdump hands them to this function to write them. */
struct packet_header {
    struct timeval ts;
    uint32_t caplen, len;
};

void pcap_dump(unsigned char *dumper, const struct packet_header *header, const unsigned char *packet)
{
    static void (*real)(unsigned char *, const struct packet_header *, const unsigned char *);
    struct packet_header moved = *header;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pcap_dump");
    if (state) {
        int64_t at = header->ts.tv_sec * SECOND + header->ts.tv_usec * 1000LL + shift();
        moved.ts.tv_sec = at / SECOND;
        moved.ts.tv_usec = at % SECOND / 1000;
    }
    real(dumper, &moved, packet);
}
