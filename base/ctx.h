/* The context that every fallible function takes: the pending error, the stack guard and the
 * interrupt flag.
 *
 * An error is a value: a function that fails calls tg_fail, which fills ctx->diag and returns
 * false, and hands false or NULL up. The text sits in fixed buffers, so that reporting "out of
 * memory" needs none. Whoever knows the place in the source (the parser, the evaluator) adds the
 * span on the way up. */
#ifndef TG_BASE_CTX_H
#define TG_BASE_CTX_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tg_err {
    TG_ERR_NONE,
    TG_ERR_SYNTAX,    /* the text is not tg */
    TG_ERR_NAME,      /* an unknown name */
    TG_ERR_TYPE,      /* a value of the wrong kind */
    TG_ERR_SHAPE,     /* shapes that do not fit; the evaluator adds the operands' shapes */
    TG_ERR_VALUE,     /* right kind, wrong value: an index out of range, a negative size */
    TG_ERR_DATA,      /* an input that has no data yet */
    TG_ERR_FILE,      /* a file that cannot be read, or is not what it claims to be */
    TG_ERR_USER,      /* raised by the program: error("...") */
    TG_ERR_MEMORY,    /* no memory */
    TG_ERR_UNKNOWN,   /* no error: a program that is only read asks for a value (interp/check.h) */
    TG_ERR_DEPTH,     /* nested too deeply for the stack */
    TG_ERR_INTERRUPT, /* Ctrl-C */
} tg_err;

/* A text with a name: a file, a line of the prompt, a rule. Reference counted. */
typedef struct tg_source {
    int refs;
    char *name; /* as shown in errors: "softmax.tg", "<prompt>" */
    char *text;
    size_t len;
    int first_line; /* the number of its first line, 1 for a file */
} tg_source;

typedef struct tg_span {
    const tg_source *src; /* NULL: unknown */
    uint32_t lo, hi;      /* bytes [lo, hi) of src->text */
} tg_span;

enum { TG_DIAG_MSG = 1024, TG_DIAG_NOTES = 1536, TG_DIAG_HELP = 512, TG_DIAG_TRACE = 6 };

typedef struct tg_diag {
    tg_err kind; /* TG_ERR_NONE: nothing pending */
    /* msg may hold {0}, {1}, ... and {op}: the evaluator puts in the source text of the operands.
     */
    char msg[TG_DIAG_MSG];
    char notes[TG_DIAG_NOTES];    /* whole lines, shown below the carets */
    char help[TG_DIAG_HELP];      /* the likely fix; may hold {0}, {1} as msg does */
    tg_span at;                   /* shown with ^ */
    tg_span with[2];              /* shown with ~ : the operands */
    bool turns;                   /* of an interrupt: a loop had turns before, which stay */
    int ntrace, nframes;          /* recorded, and in all */
    tg_span trace[TG_DIAG_TRACE]; /* calls that were under way, innermost first */
    const char *trace_name[TG_DIAG_TRACE];
} tg_diag;

typedef struct tg_ctx {
    tg_diag diag;
    const char *stack_base; /* an address in the frame that entered the library */
    size_t stack_room;      /* bytes below it that may be used */
    volatile sig_atomic_t interrupted;
    const struct tg_ctx
        *outer;           /* whose interrupts count here too: this is one thread of its work */
    bool interrupt_waits; /* what is under way must come to its end: nobody looks at the flag */
    struct tg_interner *names;
} tg_ctx;

bool tg_ctx_init(tg_ctx *c); /* false: no memory */
void tg_ctx_free(tg_ctx *c);

/* Records the error (a pending one is replaced) and returns false. */
bool tg_fail(tg_ctx *c, tg_err kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool tg_fail_memory(tg_ctx *c);
/* Add to the pending error. tg_note adds one line. Return false. */
bool tg_help(tg_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool tg_note(tg_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tg_clear(tg_ctx *c);
/* These four give false, always: the macros let the compiler see it, and so which results stay
 * unset only on failure. */
static inline bool tg_false(bool result) {
    (void)result;
    return false;
}
#define tg_fail(...) tg_false(tg_fail(__VA_ARGS__))
#define tg_fail_memory(c) tg_false(tg_fail_memory(c))
#define tg_help(...) tg_false(tg_help(__VA_ARGS__))
#define tg_note(...) tg_false(tg_note(__VA_ARGS__))

/* The one depth guard: true while the stack has room. On false the error TG_ERR_DEPTH is recorded.
 * Everything that recurses over user input calls it once a level. */
bool tg_guard(tg_ctx *c);
/* Sets the base to the caller's frame and the room to what this thread's stack has left; call on
 * entry. */
void tg_guard_enter(tg_ctx *c);
/* True when there is no interrupt pending; else records TG_ERR_INTERRUPT, clears the flag, returns
 * false. */
bool tg_check_interrupt(tg_ctx *c);

/* To a pending interrupt: says how far that came which was under way, "turn 57 of 100", before what
 * is said already of what it contains. Other errors stay as they are. Returns false. */
bool tg_came_to(tg_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The one copy of a name: equal names are equal pointers. Lives as long as ctx. NULL: no memory. */
const char *tg_intern(tg_ctx *c, const char *s, size_t n);

tg_source *tg_source_new(const char *name, const char *text,
                         size_t len); /* copies; NULL: no memory */
tg_source *tg_source_hold(tg_source *s);
void tg_source_drop(tg_source *s);
/* 1-based line and column (in characters) of byte `at`; *line_lo and *line_hi bound the line's
 * text. */
void tg_source_place(const tg_source *s, size_t at, int *line, int *col, size_t *line_lo,
                     size_t *line_hi);

#endif
