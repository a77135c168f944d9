/* A registrar on loopback that is never what is waited for: it challenges every REGISTER without
 * credentials (MD5, any digest is taken) and grants every other one.  One thread, many datagrams a
 * call.
 *
 *     registrar PORT EXPIRES
 *
 * On UDP port PORT + 1 it answers `stats`, `series` and `reset`, and obeys `expires N`.
 * Times are nanoseconds of CLOCK_MONOTONIC.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 2048, SEEN = 1 << 22, SLOTS = 6000 };

static char in[BATCH][SIZE], out[BATCH][SIZE];
static uint64_t seen[SEEN]; /* branches, so that a resend is told from a new request */
static uint32_t series[SLOTS]; /* grants in each tenth of a second since the first request */
static unsigned long requests, challenges, grants, resends;
static uint64_t first, last;
static int expires = 3600;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void reset(void)
{
    memset(seen, 0, sizeof seen);
    memset(series, 0, sizeof series);
    requests = challenges = grants = resends = 0;
    first = last = 0;
}

/* The line that begins with `name`, from its first letter; its length without the line end. */
static const char *line(const char *head, const char *name, size_t *length)
{
    const char *at = strstr(head, name);
    if (!at) {
        *length = 0;
        return "";
    }
    at += 2; /* behind the line end that `name` begins with */
    *length = strcspn(at, "\r");
    return at;
}

static int known(const char *via, size_t length)
{
    const char *branch = memmem(via, length, "branch=", 7);
    uint64_t hash = 1469598103934665603u;
    if (!branch)
        return 0;
    for (branch += 7; branch < via + length && *branch != ';'; branch++)
        hash = (hash ^ (unsigned char)*branch) * 1099511628211u;
    hash |= 1;
    for (size_t at = hash % SEEN;; at = (at + 1) % SEEN) {
        if (seen[at] == hash)
            return 1;
        if (!seen[at]) {
            seen[at] = hash;
            return 0;
        }
    }
}

static int answer(const char *request, char *response)
{
    size_t via_n, from_n, to_n, call_n, cseq_n, contact_n;
    const char *via = line(request, "\r\nVia:", &via_n);
    const char *from = line(request, "\r\nFrom:", &from_n);
    const char *to = line(request, "\r\nTo:", &to_n);
    const char *call = line(request, "\r\nCall-ID:", &call_n);
    const char *cseq = line(request, "\r\nCSeq:", &cseq_n);
    const char *contact = line(request, "\r\nContact:", &contact_n);
    int granted = strstr(request, "\r\nAuthorization:") != NULL;
    int zero = strstr(request, "\r\nExpires: 0\r") != NULL;
    uint64_t at = now();
    if (strncmp(request, "REGISTER ", 9))
        return 0;
    requests++;
    if (!first)
        first = at;
    if (known(via, via_n))
        resends++;
    if (granted) {
        size_t slot = (size_t)((at - first) / 100000000u);
        grants++;
        last = at;
        if (slot < SLOTS)
            series[slot]++;
    } else
        challenges++;
    char more[512] = "";
    if (!granted)
        snprintf(more, sizeof more, "WWW-Authenticate: Digest realm=\"bench\", "
                                    "nonce=\"5f2c8d01a9\", algorithm=MD5, qop=\"auth\"\r\n");
    else if (!zero)
        snprintf(more, sizeof more, "%.*s;expires=%d\r\n", (int)contact_n, contact, expires);
    return snprintf(response, SIZE,
        "SIP/2.0 %s\r\n%.*s\r\n%.*s\r\n%.*s;tag=bench\r\n%.*s\r\n%.*s\r\n%s"
        "Content-Length: 0\r\n\r\n",
        granted ? "200 OK" : "401 Unauthorized", (int)via_n, via, (int)from_n, from, (int)to_n, to,
        (int)call_n, call, (int)cseq_n, cseq, more);
}

static void serve(int sock)
{
    static struct mmsghdr asked[BATCH], said[BATCH];
    static struct iovec asked_at[BATCH], said_at[BATCH];
    static struct sockaddr_in who[BATCH];
    int count, number = 0;
    for (int i = 0; i < BATCH; i++) {
        asked_at[i] = (struct iovec){in[i], SIZE - 1};
        asked[i].msg_hdr = (struct msghdr){&who[i], sizeof who[i], &asked_at[i], 1, NULL, 0, 0};
    }
    count = recvmmsg(sock, asked, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        in[i][asked[i].msg_len] = 0;
        int length = answer(in[i], out[number]);
        if (length <= 0 || length >= SIZE)
            continue;
        said_at[number] = (struct iovec){out[number], (size_t)length};
        said[number].msg_hdr
            = (struct msghdr){&who[i], sizeof who[i], &said_at[number], 1, NULL, 0, 0};
        number++;
    }
    if (number)
        sendmmsg(sock, said, (unsigned)number, 0);
}

static void control(int sock)
{
    static char text[1 << 16];
    char word[64] = "";
    struct sockaddr_in who;
    socklen_t size = sizeof who;
    ssize_t length = recvfrom(sock, word, sizeof word - 1, 0, (struct sockaddr *)&who, &size);
    int n;
    if (length <= 0)
        return;
    word[length] = 0;
    if (!strcmp(word, "reset"))
        reset();
    else if (!strncmp(word, "expires ", 8))
        expires = atoi(word + 8);
    n = snprintf(text, sizeof text, "%lu %lu %lu %lu %llu %llu", requests, challenges, grants,
        resends, (unsigned long long)first, (unsigned long long)last);
    if (!strcmp(word, "series")) {
        n = 0;
        for (size_t i = 0; i < SLOTS && first && i <= (last - first) / 100000000u; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%u ", series[i]);
    }
    sendto(sock, text, (size_t)n, 0, (struct sockaddr *)&who, size);
}

static int opened(int port)
{
    int sock = socket(AF_INET, SOCK_DGRAM, 0), large = 1 << 24;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof at)) {
        perror("registrar");
        exit(1);
    }
    return sock;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct pollfd polled[2] = {{opened(atoi(argv[1])), POLLIN, 0},
        {opened(atoi(argv[1]) + 1), POLLIN, 0}};
    expires = atoi(argv[2]);
    puts("ready");
    fflush(stdout);
    while (poll(polled, 2, -1) >= 0 || errno == EINTR) {
        if (polled[0].revents)
            serve(polled[0].fd);
        if (polled[1].revents)
            control(polled[1].fd);
    }
    return 1;
}
