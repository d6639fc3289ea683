/* Errors as values, interned names, sources, and the guard on the depth of the stack. */
#include "base/ctx.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/str.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* ---- errors (the names in brackets are macros as well) ---- */

/* Text that did not fit is cut between characters and ends in dots. */
static void mark_cut(char *buf, size_t size, size_t wanted) {
    if (wanted < size) return;
    memcpy(buf + tg_utf8_start(buf, size - 4), "...", 4);
}

bool(tg_fail)(tg_ctx *c, tg_err kind, const char *fmt, ...) {
    tg_clear(c);
    c->diag.kind = kind;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(c->diag.msg, sizeof c->diag.msg, fmt, ap);
    va_end(ap);
    mark_cut(c->diag.msg, sizeof c->diag.msg, n < 0 ? 0 : (size_t)n);
    return false;
}

bool(tg_fail_memory)(tg_ctx *c) {
    return tg_fail(c, TG_ERR_MEMORY, "out of memory");
}

bool(tg_help)(tg_ctx *c, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(c->diag.help, sizeof c->diag.help, fmt, ap);
    va_end(ap);
    mark_cut(c->diag.help, sizeof c->diag.help, n < 0 ? 0 : (size_t)n);
    return false;
}

bool(tg_note)(tg_ctx *c, const char *fmt, ...) {
    size_t used = strlen(c->diag.notes), room = sizeof c->diag.notes - used;
    if (room < 16) return false;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(c->diag.notes + used, room - 1, fmt, ap);
    va_end(ap);
    mark_cut(c->diag.notes + used, room - 1, n < 0 ? 0 : (size_t)n);
    strcat(c->diag.notes, "\n");
    return false;
}

void tg_clear(tg_ctx *c) {
    c->diag.kind = TG_ERR_NONE;
    c->diag.msg[0] = c->diag.notes[0] = c->diag.help[0] = 0;
    c->diag.at = c->diag.with[0] = c->diag.with[1] = (tg_span){0};
    c->diag.ntrace = c->diag.nframes = 0;
    c->diag.turns = false;
}

/* ---- the guard ---- */

enum { STACK_MARGIN = 160 * 1024, STACK_MOST = 64 * 1024 * 1024 };

/* The lowest address of the running thread's stack, asked for once a thread; NULL: unknown. */
static const char *stack_end(void) {
    static _Thread_local const char *end;
    static _Thread_local bool asked;
    pthread_attr_t attr;
    if (asked || pthread_getattr_np(pthread_self(), &attr) != 0) return end;
    void *low;
    size_t size;
    if (pthread_attr_getstack(&attr, &low, &size) == 0) end = low;
    pthread_attr_destroy(&attr);
    asked = true;
    return end;
}

/* Frames of leaf work (BLAS, printf, readline) must still fit: that is the margin. */
void tg_guard_enter(tg_ctx *c) {
    char here;
    struct rlimit lim;
    size_t room = 8u << 20;
    const char *end = stack_end();
    if (end && end < &here)
        room = (size_t)(&here - end);
    else if (getrlimit(RLIMIT_STACK, &lim) == 0)
        room = (size_t)lim.rlim_cur;
    if (room > STACK_MOST) room = STACK_MOST;
    c->stack_base = &here;
    c->stack_room = room > 2 * STACK_MARGIN ? room - STACK_MARGIN : room / 2;
}

bool tg_guard(tg_ctx *c) {
    char here;
    ptrdiff_t used = c->stack_base - &here;
    if (used < 0) used = -used;
    if ((size_t)used < c->stack_room) return true;
    tg_fail(c, TG_ERR_DEPTH, "nested too deeply: the stack of %zu KB is used up",
            c->stack_room / 1024);
    return tg_help(c, "a recursion without an end? otherwise raise the limit with `ulimit -s`");
}

/* ---- interrupts ---- */

static const char interrupted[] = "interrupted";

/* One more on the way up leaves alone what is said already. */
bool tg_check_interrupt(tg_ctx *c) {
    bool is = c->interrupted || (c->outer && c->outer->interrupted);
    if (!is || c->interrupt_waits) return true;
    c->interrupted = 0;
    return c->diag.kind == TG_ERR_INTERRUPT ? false
                                            : tg_fail(c, TG_ERR_INTERRUPT, "%s", interrupted);
}

/* What is outside comes first, and is kept where not all fits into a line or two. */
bool tg_came_to(tg_ctx *c, const char *fmt, ...) {
    enum { MOST = 200 };
    char inner[MOST], text[MOST];
    if (c->diag.kind != TG_ERR_INTERRUPT) return false;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    mark_cut(text, sizeof text, n < 0 ? 0 : (size_t)n);
    const char *said = c->diag.msg + sizeof interrupted - 1;
    said += *said ? sizeof " in " - 1 : 0;
    n = snprintf(inner, sizeof inner, "%s%s", *said ? ", " : "", said);
    mark_cut(inner, sizeof inner, n < 0 ? 0 : (size_t)n);
    snprintf(c->diag.msg, sizeof c->diag.msg, "%s in %s%s", interrupted, text, inner);
    return false;
}

/* ---- names ---- */

typedef struct tg_interner {
    char **slot; /* open addressing; NULL is free */
    size_t cap, count;
    struct tg_name_block {
        struct tg_name_block *next;
        size_t used, size;
    } * blocks; /* not used for large names */
} tg_interner;

static bool rehash(tg_interner *t) {
    size_t cap = t->cap ? t->cap * 2 : 512;
    char **slot = tg_alloc_array(cap, sizeof *slot);
    if (!slot) return false;
    for (size_t i = 0; i < t->cap; i++) {
        if (!t->slot[i]) continue;
        size_t at = tg_hash_bytes(t->slot[i], strlen(t->slot[i])) & (cap - 1);
        while (slot[at]) at = (at + 1) & (cap - 1);
        slot[at] = t->slot[i];
    }
    tg_free(t->slot);
    t->slot = slot;
    t->cap = cap;
    return true;
}

const char *tg_intern(tg_ctx *c, const char *s, size_t n) {
    tg_interner *t = c->names;
    if (t->count * 2 >= t->cap && !rehash(t)) {
        tg_fail_memory(c);
        return NULL;
    }
    size_t at = tg_hash_bytes(s, n) & (t->cap - 1);
    for (; t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (strncmp(t->slot[at], s, n) == 0 && t->slot[at][n] == 0) return t->slot[at];
    struct tg_name_block *b = t->blocks;
    if (!b || b->size - b->used < n + 1) {
        size_t size = n + 1 > 4000 ? n + 1 : 4000;
        b = tg_alloc(sizeof *b + size);
        if (!b) {
            tg_fail_memory(c);
            return NULL;
        }
        *b = (struct tg_name_block){t->blocks, 0, size};
        t->blocks = b;
    }
    char *copy = (char *)(b + 1) + b->used;
    memcpy(copy, s, n);
    copy[n] = 0;
    b->used += n + 1;
    t->slot[at] = copy;
    t->count++;
    return copy;
}

void tg_ctx_free(tg_ctx *c) {
    if (!c->names) return;
    for (struct tg_name_block *b = c->names->blocks, *next; b; b = next) {
        next = b->next;
        tg_free(b);
    }
    tg_free(c->names->slot);
    tg_free(c->names);
    c->names = NULL;
}

bool tg_ctx_init(tg_ctx *c) {
    *c = (tg_ctx){0};
    tg_guard_enter(c);
    c->names = tg_alloc_array(1, sizeof *c->names);
    if (c->names && rehash(c->names)) return true;
    tg_ctx_free(c);
    return false;
}

/* ---- sources ---- */

tg_source *tg_source_new(const char *name, const char *text, size_t len) {
    size_t name_len = strlen(name);
    if (len > UINT32_MAX - 1) return NULL; /* spans are 32 bits */
    tg_source *s = tg_alloc(sizeof *s + name_len + 1 + len + 1);
    if (!s) return NULL;
    *s = (tg_source){.refs = 1, .len = len, .first_line = 1};
    s->name = (char *)(s + 1);
    s->text = s->name + name_len + 1;
    memcpy(s->name, name, name_len + 1);
    if (len) memcpy(s->text, text, len);
    s->text[len] = 0;
    return s;
}

tg_source *tg_source_hold(tg_source *s) {
    if (s) s->refs++;
    return s;
}

void tg_source_drop(tg_source *s) {
    if (s && --s->refs == 0) tg_free(s);
}

void tg_source_place(const tg_source *s, size_t at, int *line, int *col, size_t *line_lo,
                     size_t *line_hi) {
    if (at > s->len) at = s->len;
    size_t lo = at, hi = at;
    while (lo > 0 && s->text[lo - 1] != '\n') lo--;
    while (hi < s->len && s->text[hi] != '\n') hi++;
    *line = s->first_line;
    for (size_t i = 0; i < lo; i++) *line += s->text[i] == '\n';
    *col = 1;
    for (size_t i = lo; i < at;) {
        i += (size_t)tg_utf8_next(s->text + i, at - i, NULL);
        ++*col;
    }
    *line_lo = lo;
    *line_hi = hi;
}
