/*
 * The limit of the machine for a message at a time: as net-sockets.mjs, in C, with epoll and one write() for each subscriber. It speaks no more of
 * HTTP than the benchmark's own clients need, waits for a reader that is slow, and ends with SIGTERM. It writes its port on its first line.
 *
 * Requests that came in one read are sent on in one write.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_SOCKETS 65536
#define READ_BYTES (1 << 20)

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache, no-transform\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"message\":\"OK\"}";

/* What is left of a request that came in parts. */
static struct { char *bytes; size_t length; } rest[MAX_SOCKETS];
/* The sockets of the streams, and the place of each in that list; -1 for those that are none. */
static int streams[MAX_SOCKETS], place[MAX_SOCKETS], stream_count;
static long last_id;

static void close_socket(int fd) {
  if (place[fd] >= 0) {
    int moved = streams[--stream_count];
    streams[place[fd]] = moved;
    place[moved] = place[fd];
    place[fd] = -1;
  }
  free(rest[fd].bytes);
  rest[fd].bytes = NULL;
  rest[fd].length = 0;
  close(fd);
}

/* Writes all of it; 0 when the socket is broken. */
static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written >= 0) {
      bytes += written;
      length -= (size_t)written;
    } else if (errno == EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return 0;
    }
  }
  return 1;
}

/* One chunk with a block for each of the bodies, to every stream. */
static void publish(char *blocks, size_t length) {
  /* Room for the size stands before the blocks, and for the line break behind them. */
  char size[24];
  int digits = snprintf(size, sizeof size, "%zx\r\n", length);
  char *frame = blocks - digits;
  memcpy(frame, size, (size_t)digits);
  memcpy(blocks + length, "\r\n", 2);
  for (int index = stream_count - 1; index >= 0; index--)
    if (!write_all(streams[index], frame, length + (size_t)digits + 2)) close_socket(streams[index]);
}

static void subscribe(int fd) {
  place[fd] = stream_count;
  streams[stream_count++] = fd;
  write_all(fd, stream_head, sizeof stream_head - 1);
}

/* Handles the whole requests in the text; gives the number of bytes that they took. */
static size_t handle(int fd, char *text, size_t length) {
  static char room[2 * READ_BYTES + 4096];
  char *blocks = room + 64;
  size_t taken = 0, used = 0;
  int bodies = 0;
  while (taken < length) {
    char *request = text + taken;
    char *end = memmem(request, length - taken, "\r\n\r\n", 4);
    if (end == NULL) break;
    end += 4;
    if (memcmp(request, "GET ", 4) == 0) {
      subscribe(fd);
      taken = (size_t)(end - text);
      continue;
    }
    end[-1] = '\0';
    char *field = strcasestr(request, "\ncontent-length:");
    size_t size = field == NULL ? 0 : strtoul(field + 16, NULL, 10);
    end[-1] = '\n';
    if ((size_t)(end - text) + size > length) break;
    used += (size_t)sprintf(blocks + used, "id: %ld\nevent: publish\ndata: %.*s\n\n", ++last_id, (int)size, end);
    taken = (size_t)(end - text) + size;
    bodies++;
  }
  if (bodies > 0) publish(blocks, used);
  for (int index = 0; index < bodies; index++) write_all(fd, answer, sizeof answer - 1);
  return taken;
}

static void read_socket(int fd) {
  static char text[2 * READ_BYTES];
  size_t kept = rest[fd].length;
  if (kept > 0) memcpy(text, rest[fd].bytes, kept);
  ssize_t length = read(fd, text + kept, READ_BYTES - kept);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) {
    close_socket(fd);
    return;
  }
  size_t all = kept + (size_t)length, taken = handle(fd, text, all);
  rest[fd].length = all - taken;
  rest[fd].bytes = realloc(rest[fd].bytes, all - taken + 1);
  memcpy(rest[fd].bytes, text + taken, all - taken);
}

int main(void) {
  memset(place, -1, sizeof place);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1);
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      if (fd != listener) {
        read_socket(fd);
        continue;
      }
      int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (accepted < 0 || accepted >= MAX_SOCKETS) continue;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      event = (struct epoll_event){.events = EPOLLIN, .data.fd = accepted};
      epoll_ctl(poller, EPOLL_CTL_ADD, accepted, &event);
    }
  }
}
