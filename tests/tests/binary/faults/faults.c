/* Loaded into a process with LD_PRELOAD, lets calls on files fail while a file says so.
 *
 * CONVENANT_TEST_FAULT names that file. Each of its lines reads
 *     CALL PART ERRNO DONE
 * and lets CALL fail with ERRNO on every file whose path holds PART, or ends in it where PART ends in `$`.
 * DONE is "none" where nothing comes of the call, "half" where half of the bytes are written, "all" where it is
 * done and fails all the same. Where ERRNO is 0, the process is killed there instead (SIGKILL): before the call,
 * in the midst of it or after it.
 * The first failure makes the file's name with ".hit" behind it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum done { NONE, HALF, ALL };

/* In place of an error: the process is killed. */
enum { KILLED = -1 };

static int holds(const char *path, const char *part)
{
    size_t length = strlen(part), whole = strlen(path);
    if (length == 0 || part[length - 1] != '$')
        return strstr(path, part) != NULL;
    length--;
    return whole >= length && strncmp(path + whole - length, part, length) == 0;
}

static int fault(const char *call, const char *path, enum done *done)
{
    const char *control = getenv("CONVENANT_TEST_FAULT");
    char wanted[32], part[256], how[8], hit[512];
    int error = 0, found = 0, before = errno;
    FILE *lines = control ? fopen(control, "r") : NULL;
    while (lines && !found && fscanf(lines, "%31s %255s %d %7s", wanted, part, &error, how) == 4)
        found = strcmp(call, wanted) == 0 && holds(path, part);
    if (lines)
        fclose(lines);
    if (found) {
        *done = how[0] == 'a' ? ALL : how[0] == 'h' ? HALF : NONE;
        snprintf(hit, sizeof hit, "%s.hit", control);
        close(creat(hit, 0600));
    }
    errno = before;
    return !found ? 0 : error ? error : KILLED;
}

/* Ends the call that fails. */
static int failed(int error)
{
    if (error == KILLED)
        raise(SIGKILL);
    errno = error;
    return -1;
}

static int fault_of(const char *call, int fd, enum done *done)
{
    char name[64], path[4096] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return readlink(name, path, sizeof path - 1) < 0 ? 0 : fault(call, path, done);
}

#define REAL(name, type, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
/* Ends the call with its fault; without one, or where it is done all the same, does it first. */
#define END(error, done, call)                                                                        \
    do {                                                                                               \
        int result = !(error) || (done) == ALL ? (call) : -1;                                          \
        return (error) ? failed(error) : result;                                                       \
    } while (0)

int fdatasync(int fd)
{
    enum done done = NONE;
    int error = fault_of("fdatasync", fd, &done);
    END(error, done, REAL("fdatasync", int, int)(fd));
}

int fsync(int fd)
{
    enum done done = NONE;
    int error = fault_of("fsync", fd, &done);
    END(error, done, REAL("fsync", int, int)(fd));
}

int ftruncate64(int fd, off64_t length)
{
    enum done done = NONE;
    int error = fault_of("ftruncate", fd, &done);
    END(error, done, REAL("ftruncate64", int, int, off64_t)(fd, length));
}

int rename(const char *from, const char *to)
{
    enum done done = NONE;
    int error = fault("rename", to, &done);
    END(error, done, REAL("rename", int, const char *, const char *)(from, to));
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    enum done done = NONE;
    int error = fault("link", to, &done);
    END(error, done,
        REAL("linkat", int, int, const char *, int, const char *, int)(from_dir, from, to_dir, to, flags));
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    enum done done = NONE;
    int error = fault_of("write", fd, &done);
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (!error)
        return real(fd, bytes, count);
    if (done != NONE)
        real(fd, bytes, done == ALL ? count : count / 2);
    return failed(error);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    enum done done = NONE;
    int error = fault_of("pwrite", fd, &done);
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    if (!error)
        return real(fd, bytes, count, at);
    if (done != NONE)
        real(fd, bytes, done == ALL ? count : count / 2, at);
    return failed(error);
}
