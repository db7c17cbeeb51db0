/*
 * A disk that can lose power, fail and be read-only, laid under a real process with LD_PRELOAD.
 *
 * A process that is killed loses nothing that it wrote: the page cache outlives it. This notes how far each file
 * below DISK_ROOT was synced, in the journal DISK_JOURNAL, so that a test can throw the rest away. The first byte of
 * the file DISK_FAULT says what the disk does: '0' works, 'e' fails with EIO, 'r' is read-only, 'f' is full,
 * 'l' lies: a sync does nothing and says that it did.
 *
 * Source: POSIX.1-2024 fdatasync; AUDIT 0.2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *root;
static size_t root_length;
static int journal = -1;
static volatile const char *fault;

__attribute__((constructor)) static void begin(void) {
    const char *place = getenv("DISK_JOURNAL"), *says = getenv("DISK_FAULT");
    root = getenv("DISK_ROOT");
    if (!root || !place) { root = NULL; return; }
    root_length = strlen(root);
    journal = syscall(SYS_openat, AT_FDCWD, place, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    int control = says ? syscall(SYS_openat, AT_FDCWD, says, O_RDONLY | O_CLOEXEC) : -1;
    if (control >= 0) {
        void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, control, 0);
        fault = page == MAP_FAILED ? NULL : page;
        syscall(SYS_close, control);
    }
}

/* The path behind a descriptor, if it lies below the root. */
static int below(int fd, char *path) {
    char link[64];
    if (!root) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strncmp(path, root, root_length) == 0;
}

static void note(char what, long size, const char *path) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%c %ld %s\n", what, size, path);
    syscall(SYS_write, journal, line, length);
}

static int refused(int is_sync) {
    switch (fault ? *fault : '0') {
        case 'e': return EIO;
        case 'r': return is_sync ? 0 : EROFS;
        case 'f': return is_sync ? 0 : ENOSPC;
        default: return 0;
    }
}

#define REFUSE(fd)                                       \
    char path[PATH_MAX];                                 \
    if (below(fd, path)) {                               \
        int error = refused(0);                          \
        if (error) { errno = error; return -1; }         \
    }

ssize_t write(int fd, const void *data, size_t size) {
    REFUSE(fd)
    return syscall(SYS_write, fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REFUSE(fd)
    return syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REFUSE(fd)
    return syscall(SYS_writev, fd, parts, count);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    char path[PATH_MAX];
    if (below(fd, path)) {
        int error = refused(0);
        if (error) return error;
    }
    return syscall(SYS_fallocate, fd, 0, at, size) ? errno : 0;
}

int posix_fallocate(int fd, off_t at, off_t size) { return posix_fallocate64(fd, at, size); }

static int synced(int fd, long call) {
    char path[PATH_MAX];
    struct stat found;
    int tracked = below(fd, path);
    if (tracked) {
        int error = refused(1);
        if (error) { errno = error; return -1; }
        if (fault && *fault == 'l') return 0;
    }
    long before = tracked && !fstat(fd, &found) ? found.st_size : -1;
    int result = syscall(call, fd);
    if (tracked && !result && before >= 0) note(S_ISDIR(found.st_mode) ? 'D' : 'S', before, path);
    return result;
}

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
int fsync(int fd) { return synced(fd, SYS_fsync); }

int ftruncate64(int fd, off64_t size) {
    char path[PATH_MAX];
    int tracked = below(fd, path), error = tracked ? refused(0) : 0;
    if (error && error != ENOSPC) { errno = error; return -1; }
    int result = syscall(SYS_ftruncate, fd, size);
    if (tracked && !result) note('T', size, path);
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
