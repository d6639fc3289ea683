/* Reading and atomic writing of whole files. */
#include "base/file.h"
#include "base/alloc.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *fail_file(tg_ctx *c, const char *what, const char *path) {
    tg_fail(c, TG_ERR_FILE, "%s %s: %s", what, path, strerror(errno));
    return NULL;
}

/* Reads by growing, so that pipes and /dev/stdin work as well as files. */
char *tg_file_read(tg_ctx *c, const char *path, size_t *len) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_file(c, "cannot read", path);
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return fail_file(c, "cannot read", path);
    }
    void *buf = NULL;
    size_t cap = 0, used = 0;
    size_t guess = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 4096;
    for (;;) {
        if (!tg_grow(&buf, &cap, used + (used ? 4096 : guess) + 2, 1)) {
            close(fd);
            tg_free(buf);
            tg_fail(c, TG_ERR_MEMORY, "out of memory while reading %s", path);
            return NULL;
        }
        ssize_t got = read(fd, (char *)buf + used, cap - used - 1);
        if (got < 0 && errno == EINTR) {
            if (tg_check_interrupt(c)) continue;
            tg_came_to(c, "%s, at byte %zu", path, used);
        } else if (got < 0) {
            fail_file(c, "cannot read", path);
        }
        if (got < 0) {
            close(fd);
            tg_free(buf);
            return NULL;
        }
        if (got == 0) break;
        used += (size_t)got;
    }
    close(fd);
    ((char *)buf)[used] = 0;
    *len = used;
    return buf;
}

static bool write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        data += put;
        len -= (size_t)put;
    }
    return fsync(fd) == 0;
}

/* Into a device or pipe, or the file that /dev/stdout is at the time. */
static bool save_special(tg_ctx *c, const char *path, const void *data, size_t len) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool ok = fd >= 0 && (write_all(fd, data, len) || errno == EINVAL); /* it has no disk */
    if (!ok) fail_file(c, "cannot write", path);
    if (fd >= 0) close(fd);
    return ok;
}

static bool replace(tg_ctx *c, const char *path, const void *data, size_t len) {
    tg_str tmp = {0};
    tg_str dir = {0};
    const char *slash = strrchr(path, '/');
    tg_str_addn(&dir, path, slash ? (size_t)(slash - path) + 1 : 0);
    if (!slash) tg_str_add(&dir, ".");
    tg_str_addf(&tmp, "%s.tmpXXXXXX", path);
    bool ok = !tmp.failed && !dir.failed;
    if (!ok) tg_fail_memory(c);
    int fd = -1;
    if (ok && (fd = mkstemp(tmp.text)) < 0) ok = fail_file(c, "cannot write", path) != NULL;
    if (ok) {
        struct stat old;
        mode_t mask = umask(0);
        umask(mask);
        ok = fchmod(fd, stat(path, &old) == 0 ? old.st_mode & 07777 : 0666 & ~mask) == 0 &&
             write_all(fd, data, len);
        ok = close(fd) == 0 && ok;
        if (!ok || rename(tmp.text, path) != 0) {
            ok = false;
            fail_file(c, "cannot write", path);
            unlink(tmp.text);
        }
    }
    if (ok && (fd = open(dir.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        fsync(fd); /* some file systems refuse this: the data are safe, the name may lag */
        close(fd);
    }
    tg_str_free(&tmp);
    tg_str_free(&dir);
    return ok;
}

bool tg_file_save_atomic(tg_ctx *c, const char *path, const void *data, size_t len) {
    struct stat st;
    bool is = stat(path, &st) == 0, device = strncmp(path, "/dev/", 5) == 0;
    if (is && !S_ISDIR(st.st_mode) && (device || !S_ISREG(st.st_mode)))
        return save_special(c, path, data, len);
    char end[PATH_MAX];
    bool link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && realpath(path, end);
    return replace(c, link ? end : path, data, len);
}

bool tg_file_append(tg_ctx *c, const char *path, const void *data, size_t len) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return fail_file(c, "cannot write", path) != NULL;
    bool ok = write_all(fd, data, len) || errno == EINVAL; /* a pipe cannot be synchronised */
    ok = close(fd) == 0 && ok;
    return ok || fail_file(c, "cannot write", path) != NULL;
}

bool tg_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}
