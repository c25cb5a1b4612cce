/* What a disk and a clock can do to a program, done to one program on demand.
 *
 * The file that REA_TEST_CONTROL names is read at each call; each line of it is a verb and a word:
 *   hang PART   opening a path with PART in it waits until the line is gone
 *   fail PART   opening such a path fails: read-only file system
 *   full PART   writing to a file at such a path fails: no space left
 *   clock SECS  the wall clock goes that much before or after the true one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int read_control(char *text, size_t room) {
    const char *path = getenv("REA_TEST_CONTROL");
    long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0) return 0;
    long length = syscall(SYS_read, fd, text, room - 1);
    syscall(SYS_close, fd);
    if (length < 0) length = 0;
    text[length] = 0;
    return length > 0;
}

/* The word behind the verb of the first line whose word is part of the path; any word if there is no path. */
static const char *ruled(char *text, const char *verb, const char *path) {
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        size_t length = strlen(verb);
        if (strncmp(line, verb, length) == 0 && line[length] == ' ') {
            const char *word = line + length + 1;
            if (!path || strstr(path, word)) return word;
        }
    }
    return NULL;
}

static int is_ruled(const char *verb, const char *path) {
    char text[4096];
    return read_control(text, sizeof text) && ruled(text, verb, path) != NULL;
}

static int open_ruled(int folder, const char *path, int flags, int mode) {
    while (is_ruled("hang", path)) {
        struct timespec pause = {0, 10 * 1000 * 1000};
        syscall(SYS_nanosleep, &pause, NULL);
    }
    if (is_ruled("fail", path)) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
}

#define MODE_OF(flags)                             \
    int mode = 0;                                  \
    if ((flags) & (O_CREAT | O_TMPFILE)) {         \
        va_list rest;                              \
        va_start(rest, flags);                     \
        mode = va_arg(rest, int);                  \
        va_end(rest);                              \
    }

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_ruled(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_ruled(AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t path_length = readlink(link, path, sizeof path - 1);
    if (path_length > 0) {
        path[path_length] = 0;
        if (is_ruled("full", path)) {
            errno = ENOSPC;
            return -1;
        }
    }
    return syscall(SYS_write, fd, bytes, length);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    char text[4096];
    if (result == 0 && clock == CLOCK_REALTIME && read_control(text, sizeof text)) {
        const char *seconds = ruled(text, "clock", NULL);
        if (seconds) time->tv_sec += atol(seconds);
    }
    return result;
}
