/* The history: a text file that a person can read, $XDG_STATE_HOME/tg/history, by default in
 * ~/.local/state. An entry is a line; further lines of the same entry begin with a tab. It is the
 * user's alone (mode 0600) whatever it was before.
 *
 * Each entry is appended when it is entered, so that nothing is lost with the session, and several
 * sessions write to one file. When one of them ends, or the file has grown far, it is written anew
 * without what is there twice (the last one stays), under a lock: who appends holds the same lock,
 * and looks whether the file is still the one it opened. Without a lock, as on some network file
 * systems, it works too, only less surely.
 *
 * What cannot be read or written, is no plain file, or has no place is no reason to complain: the
 * prompt works without. Of a file that is too long only its end is read. */
#include "command/prompt/prompt.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_MOST = 4 << 20,   /* bytes of the file's end that are looked at */
    ENTRY_MOST = 64 << 10, /* of an entry; a longer one is not kept */
    LOCK_TRIES = 20,       /* 10 ms each */
};

static char *path; /* NULL: there is no history */
static int appended;

/* ---- the file ---- */

/* Makes the folders of `file`, for the user alone. */
static void make_folders(char *file) {
    for (char *p = file + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        mkdir(file, 0700);
        *p = '/';
    }
}

static char *find_path(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    tg_str s = {0};
    if (state && state[0] == '/')
        tg_str_addf(&s, "%s/tg/history", state);
    else if (home && home[0] == '/')
        tg_str_addf(&s, "%s/.local/state/tg/history", home);
    if (!s.text || s.failed) {
        tg_str_free(&s);
        return NULL;
    }
    /* One that is a link stays one: what it leads to is written. */
    char *real = realpath(s.text, NULL);
    if (real) {
        s.len = 0;
        tg_str_add(&s, real);
        free(real);
        if (s.failed) tg_str_free(&s);
    }
    return s.text;
}

/* Opens it if it is a plain file. Nothing here waits for anyone: a pipe is opened without its other
 * end, and a lock that somebody keeps is done without. */
static int open_file(int flags) {
    for (int again = 0; again < 4; again++) {
        struct stat now, there;
        int file = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (file < 0) return -1;
        if (fstat(file, &now) != 0 || !S_ISREG(now.st_mode)) {
            close(file);
            return -1;
        }
        for (int i = 0; flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++) {
            static const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
            if (i == LOCK_TRIES) break;
            nanosleep(&pause, NULL);
        }
        if (stat(path, &there) == 0 && there.st_ino == now.st_ino && there.st_dev == now.st_dev) {
            if ((now.st_mode & 07777) != 0600) fchmod(file, 0600);
            return file;
        }
        close(file); /* somebody wrote it anew meanwhile */
    }
    return -1;
}

/* The end of the file, from the beginning of an entry on. NULL: nothing. */
static char *read_end(int file, size_t *len, bool *whole) {
    struct stat st;
    if (fstat(file, &st) != 0 || st.st_size <= 0) return NULL;
    size_t want = st.st_size > READ_MOST ? READ_MOST : (size_t)st.st_size, got = 0;
    off_t from = st.st_size - (off_t)want;
    char *text = tg_alloc(want + 1);
    if (!text) return NULL;
    while (got < want) {
        ssize_t n = pread(file, text + got, want - got, from + (off_t)got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got += (size_t)n;
    }
    text[got] = 0;
    *whole = from == 0;
    if (from > 0) { /* it begins within a line */
        char *line = memchr(text, '\n', got);
        while (line && line[1] == '\t') line = strchr(line + 1, '\n');
        size_t skip = line ? (size_t)(line + 1 - text) : got;
        memmove(text, text + skip, got - skip + 1);
        got -= skip;
    }
    *len = got;
    return text;
}

/* ---- entries ---- */

typedef struct entries {
    char **item; /* within the text that was read */
    size_t n, cap;
    bool untidy; /* some are there twice, or are none */
} entries;

/* The time stamps that readline writes are no entries, nor is what is no text. */
static bool is_entry(const char *line, size_t n) {
    if (n == 0 || n > ENTRY_MOST || memchr(line, 0, n)) return false;
    if (line[0] == '#' && n > 8 && strspn(line + 1, "0123456789") >= n - 1) return false;
    for (size_t i = 0; i < n;) {
        unsigned char b = (unsigned char)line[i];
        int k = tg_utf8_next(line + i, n - i, NULL);
        if ((b < ' ' && b != '\t' && b != '\n') || (b >= 0x80 && k == 1)) return false;
        i += (size_t)k;
    }
    return true;
}

/* Cuts the text into its entries, in place. */
static bool split(char *text, size_t len, entries *es) {
    char *at = text, *end = text + len;
    while (at < end) {
        char *first = at, *out = at;
        for (bool more = false;; more = true) {
            char *line = memchr(at, '\n', (size_t)(end - at));
            size_t n = line ? (size_t)(line - at) : (size_t)(end - at);
            if (more) *out++ = '\n';
            memmove(out, at + more, n - more);
            out += n - more;
            at += n + (line != NULL);
            if (at >= end || *at != '\t') break;
        }
        size_t n = (size_t)(out - first);
        if (!is_entry(first, n)) {
            es->untidy = true;
            continue;
        }
        /* There is room for a 0: the line's end stood there, or the text's. */
        *out = 0;
        void *items = es->item;
        if (!tg_grow(&items, &es->cap, es->n + 1, sizeof *es->item)) return false;
        es->item = items;
        es->item[es->n++] = first;
    }
    return true;
}

/* Leaves of equal ones the last, and the last TG_HISTORY_MOST of all. */
static bool make_unique(entries *es) {
    size_t room = 16, kept = 0;
    while (room < 2 * es->n) room *= 2;
    const char **table = tg_alloc_array(room, sizeof *table);
    if (!table) return false;
    for (size_t i = es->n; i-- > 0;) {
        size_t k = tg_hash_text(es->item[i]) & (room - 1);
        while (table[k] && strcmp(table[k], es->item[i]) != 0) k = (k + 1) & (room - 1);
        if (table[k] || kept == TG_HISTORY_MOST) {
            es->item[i] = NULL;
            es->untidy = true;
        } else {
            table[k] = es->item[i];
            kept++;
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < es->n; i++)
        if (es->item[i]) es->item[n++] = es->item[i];
    es->n = n;
    tg_free(table);
    return true;
}

static void add_entry(tg_str *s, const char *entry) {
    for (; *entry; entry++) {
        tg_str_addc(s, *entry);
        if (*entry == '\n') tg_str_addc(s, '\t');
    }
    tg_str_addc(s, '\n');
}

/* ---- what the editor asks for ---- */

void tg_history_open(void (*add)(const char *entry)) {
    path = find_path();
    appended = 0;
    int file = path ? open_file(O_RDWR) : -1;
    if (file < 0) return;
    size_t len = 0;
    bool whole = true;
    char *text = read_end(file, &len, &whole);
    close(file);
    entries es = {0};
    if (text && split(text, len, &es) && make_unique(&es))
        for (size_t i = 0; i < es.n; i++) add(es.item[i]);
    if (es.untidy || !whole) appended = 1; /* to be tidied up at the end */
    tg_free(es.item);
    tg_free(text);
}

void tg_history_append(const char *entry) {
    if (!path || !is_entry(entry, strlen(entry))) return;
    int file = open_file(O_RDWR | O_CREAT | O_APPEND);
    if (file < 0) {
        make_folders(path);
        file = open_file(O_RDWR | O_CREAT | O_APPEND);
    }
    if (file < 0) return;
    tg_str s = {0};
    struct stat st;
    char last = '\n'; /* behind one that a full disk cut off a line begins */
    if (fstat(file, &st) == 0 && st.st_size > 0 && pread(file, &last, 1, st.st_size - 1) == 1 &&
        last != '\n')
        tg_str_addc(&s, '\n');
    add_entry(&s, entry);
    for (size_t at = 0; !s.failed && at < s.len;) {
        ssize_t n = write(file, s.text + at, s.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        at += (size_t)n;
    }
    tg_str_free(&s);
    close(file);
    appended++;
}

void tg_history_close(void) {
    int file = path && appended ? open_file(O_RDWR) : -1;
    size_t len = 0;
    bool whole = true;
    char *text = file >= 0 ? read_end(file, &len, &whole) : NULL;
    entries es = {0};
    if (text && split(text, len, &es) && make_unique(&es) && (es.untidy || !whole)) {
        tg_str s = {0};
        tg_ctx c = {0};
        for (size_t i = 0; i < es.n; i++) add_entry(&s, es.item[i]);
        if (!s.failed) tg_file_save_atomic(&c, path, tg_str_text(&s), s.len);
        tg_str_free(&s);
    }
    tg_free(es.item);
    tg_free(text);
    if (file >= 0) close(file);
    tg_free(path);
    path = NULL;
}
