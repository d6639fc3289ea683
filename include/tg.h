/* tg.h - the embedding interface of libtg.
 *
 * A tg_state is one session: its names, formulas, plans and random generator. Statements are given
 * as text; values go in and out by name. Nothing here aborts the process: every call that can fail
 * returns a status, and the text of the last error is kept until the next call. A state may be used
 * by one thread at a time; tg_interrupt alone may be called from a signal handler or another
 * thread.
 *
 * The first part is what every program needs; each part behind it says what it is for.
 *
 *     tg_state *s = tg_open(NULL);
 *     double g;
 *     tg_run(s, "demo", "x = var(2); g = grad(x^3, x)", TG_QUIET);
 *     if (tg_get_number(s, "g", &g) != TG_DONE) puts(tg_error(s)); // g is 12
 *     tg_close(s);
 */
#ifndef TG_H
#define TG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define TG_API __attribute__((visibility("default")))
#else
#define TG_API
#endif

typedef struct tg_state tg_state;

typedef enum tg_status {
    TG_DONE,   /* all statements ran */
    TG_MORE,   /* the text is right so far but goes on (an open bracket): give it again with more */
    TG_FAILED, /* an error; statements before it have taken effect, the failing one has not */
    TG_INTERRUPTED, /* stopped by tg_interrupt */
} tg_status;

enum {
    TG_COLOURS_ECHO = 1,  /* what the echo and the prompt's commands show */
    TG_COLOURS_ERROR = 2, /* the text of tg_error */
};

typedef struct tg_options {
    int single; /* 1: single precision by default */
    /* How many threads one operation may use; results are the same bits for every number. 0: what
     * the environment says (TG_NUM_THREADS, OMP_NUM_THREADS), else one for each processor. OpenBLAS
     * is set to one thread, for the whole process: tg spreads products over threads of its own. */
    int threads;
    uint64_t seed; /* of the random generator */
    int argc;      /* of a script: what `args` gives */
    const char *const *argv;
    int colours;  /* TG_COLOURS_ of what goes to a terminal; 0: none */
    int terminal; /* 1: standard output is one, and what is shown fits its width */
    /* 1: what takes long and looks for no interrupt, eigenvalues and their like, may be computed in
     * a child process, which an interrupt ends. */
    int forks;
    /* Where print and echo write; NULL: standard output. */
    void (*write)(void *user, const char *text, size_t len);
    void *user;
} tg_options;

/* A new session with the standard library, or NULL when there is no memory. `options` may be NULL.
 * If the standard library cannot be read the state is still made, and tg_error says why. */
TG_API tg_state *tg_open(const tg_options *options);
TG_API void tg_close(tg_state *s);

enum {
    TG_QUIET = 0,     /* only what the program prints, as a script file */
    TG_ECHO = 1,      /* show each statement's result, as the prompt does */
    TG_MAY_GO_ON = 2, /* unfinished text is TG_MORE, not an error */
    TG_ENTRY = 4,     /* it can be undone, and is saved: see tg_undo */
};

/* Runs the statements of `text`; `name` is what errors call it. */
TG_API tg_status tg_run(tg_state *s, const char *name, const char *text, int flags);
/* The same for bytes that may contain 0, whose first line has the number `line`. */
TG_API tg_status tg_run_bytes(tg_state *s, const char *name, const char *text, size_t len, int line,
                              int flags);
TG_API tg_status tg_run_file(tg_state *s, const char *path, int flags);

/* The last error, with the source line and carets; "" when there was none. Valid until the next
 * call. */
TG_API const char *tg_error(const tg_state *s);

/* Makes the running call return TG_INTERRUPTED soon. Async-signal-safe. */
TG_API void tg_interrupt(tg_state *s);

/* Values by name. A live formula is evaluated. Tensors are row-major doubles. */
TG_API tg_status tg_get_number(tg_state *s, const char *name, double *out);
/* Shape into dim[0..7] and rank; copies at most `room` elements to data (which may be NULL); *count
 * is how many there are. */
TG_API tg_status tg_get_tensor(tg_state *s, const char *name, int *rank, int64_t dim[8],
                               double *data, size_t room, size_t *count);
/* As `name := value`: stores into a var or input (the shape is checked), or makes a plain value. */
TG_API tg_status tg_set_number(tg_state *s, const char *name, double value);
TG_API tg_status tg_set_tensor(tg_state *s, const char *name, int rank, const int64_t *dim,
                               const double *data);

/* ---- entries: what the prompt's :undo, :redo, :reset and :save stand on ---- */

/* A text or file that is run with TG_ENTRY is an entry of the session. Before it, the session is
 * looked at, which copies nothing: values are shared, and a variable that is then updated gets its
 * first new value in memory of its own. The last 100 entries that changed something can be taken
 * back, unless that holds too much memory. What changes the session otherwise, tg_set_number say,
 * counts as an entry of its own without text. Files that were written stay written, and what was
 * printed stays said. */

/* Takes the last entry back, so that the session is as before it: what names stand for, the values
 * of vars and inputs, what is assumed, rules, the precision, the random generator. The entry's
 * text, valid until the next call; NULL: there is none, and tg_error says so. */
TG_API const char *tg_undo(tg_state *s);
/* Does the entry that was taken back last again, without running it: until there is another. */
TG_API const char *tg_redo(tg_state *s);
/* Makes the session what it was when it was opened. That can be undone, but for what was watched.
 */
TG_API tg_status tg_reset(tg_state *s);
/* A script that, run in a fresh session, makes this one again: all entries that are not undone, and
 * where one failed half way what it left. It is to stand in `folder` (absolute; NULL: anywhere),
 * from where it uses the files that are used. *text is valid until the next call. */
TG_API tg_status tg_save_text(tg_state *s, const char *folder, const char **text);
/* Reads the files again that were read by `use`: definitions of the same names are renewed. An
 * entry. *n: how many there were. */
TG_API tg_status tg_reload(tg_state *s, int *n);

/* ---- showing: for commands of the program that embeds tg ---- */

/* Writes where print and echo write. */
TG_API void tg_print(tg_state *s, const char *text);
/* The columns of the terminal that is written to; 0: it is none. */
TG_API int tg_columns(const tg_state *s);
/* Makes `message` the last error, with a line of help unless that is NULL. Returns TG_FAILED. */
TG_API tg_status tg_refuse(tg_state *s, const char *message, const char *help);

typedef struct tg_output {
    void (*write)(void *user, const char *text, size_t len); /* NULL: standard output */
    void *user;
} tg_output;
/* Where print and echo write from now on. Returns where they wrote before. */
TG_API tg_output tg_redirect(tg_state *s, tg_output to);

/* ---- editing: what a line editor or a notebook needs of a text that is still being typed ---- */

typedef enum tg_scan_kind {
    TG_SCAN_END,
    TG_SCAN_NAME,
    TG_SCAN_KEYWORD,
    TG_SCAN_NUMBER,
    TG_SCAN_TEXT, /* a piece of a string, up to a hole or its end, with the quotes at it */
    TG_SCAN_COMMENT,
    TG_SCAN_OPEN,  /* ( [ { and the brace of a hole */
    TG_SCAN_CLOSE, /* what closes one of them */
    TG_SCAN_SIGN,  /* an operator, a comma, a semicolon */
    TG_SCAN_BAD,   /* what tg does not have */
} tg_scan_kind;

enum { TG_SCAN_DEEPEST = 64 };
/* A walk over a text of any bytes: {.text = text, .len = len} at first. It allocates nothing. */
typedef struct tg_scan {
    const char *text;
    size_t len;
    size_t lo, hi; /* the bytes [lo, hi) of the token; the next begins at hi or behind blanks */
    int depth;     /* brackets and strings that are open behind the token */
    struct {
        size_t at;           /* of the bracket or quote */
        char by;             /* ( [ { or " ; of a hole: } */
    } open[TG_SCAN_DEEPEST]; /* the outermost first; of what is deeper only the number is known */
} tg_scan;
TG_API tg_scan_kind tg_scan_next(tg_scan *scan);

/* Is the text right so far, and goes on (as TG_MORE of tg_run)? It is parsed, not run. */
TG_API int tg_goes_on(tg_state *s, const char *text, size_t len);

/* What may stand where `from` bytes of the text end and the cursor stands. */
typedef struct tg_candidate {
    const char *text;      /* "sum", "axis", a field: without what comes behind it */
    const char *kind;      /* "function", "variable", "tensor", "keyword", "argument", ... */
    const char *signature; /* of a function: "sum(x, axis=none, keep=false)"; else "" */
    const char *behind;    /* what belongs behind it: "(", "=", " " or "" */
} tg_candidate;
typedef enum tg_completing {
    TG_COMPLETE_NOTHING, /* within a comment or a number */
    TG_COMPLETE_NAMES,   /* the candidates */
    TG_COMPLETE_FILE,    /* within a string, which may name a file: nobody looked at any */
} tg_completing;
typedef struct tg_completion {
    tg_completing what;
    size_t from;               /* what is to be completed begins here */
    const tg_candidate *items; /* by name; named arguments come first */
    size_t n;
    const char *call; /* the signature of the call around the cursor; "": there is none */
} tg_completion;
/* Nothing is evaluated: fields are looked up in records that names hold. Valid until the next call.
 */
TG_API tg_status tg_complete_at(tg_state *s, const char *text, size_t cursor, tg_completion *out);

/* ---- asking: what ?, :who, :type, :ops, :source and :deps stand on ---- */

/* Places in the table of names. */
typedef struct tg_name_links {
    const uint32_t *at;
    size_t n;
    int more; /* 1: there are others besides */
} tg_name_links;

typedef struct tg_name_info {
    const char *name;
    const char *kind;  /* "var", "input", "size", "formula", "gradient", "number", "tensor",
                          "record",  "function", ... */
    const char *shape; /* "[N, 784]"; of a function its parameters, of a record its fields; or "" */
    const char *type;  /* of the elements: "single", "double", "byte", ...; or "" */
    size_t bytes;      /* of the elements that the name itself holds now */
    tg_name_links needs; /* the names that it is directly made of ... */
    tg_name_links users; /* ... and those that are directly made of it */
} tg_name_info;
/* The user's names, in the order of their first definition, each with at most `links` others in
 * either direction. Valid until the next call. */
TG_API tg_status tg_names_table(tg_state *s, size_t links, const tg_name_info **rows, size_t *n);

/* What an expression is, without computing it: kind, shape, type; of a record field by field, of a
 * function its signature. In lines. */
TG_API tg_status tg_describe_type(tg_state *s, const char *text, size_t len, int flags,
                                  const char **out);

/* An operation of a formula. */
typedef struct tg_ops_row {
    const char *name;
    size_t count;
    double flops; /* of all of them; negative: not known, as sizes are not */
} tg_ops_row;
typedef struct tg_ops_report {
    const tg_ops_row *rows; /* the most frequent first */
    size_t n;
    size_t count;      /* operations in all, as the builtin `ops` counts them */
    size_t shared;     /* of them, those whose value is used in several places */
    double flops;      /* negative: not known ... */
    const char *needs; /* ... before these have data */
} tg_ops_report;
/* The operations in the formulas that an expression gives. Nothing is computed. */
TG_API tg_status tg_count_ops(tg_state *s, const char *text, size_t len, int flags,
                              tg_ops_report *out);

/* The text of a definition and where it stands: of a function with its comment, of a formula as it
 * was written. For what is written in C: where, and its rules. *out is valid until the next call.
 */
TG_API tg_status tg_source_of(tg_state *s, const char *name, const char **out);
/* The definition alone of a function that is written in tg, as text to edit; NULL: there is none.
 * Valid until the next call. */
TG_API const char *tg_definition(tg_state *s, const char *name);

/* What tg has for a word of another system: "ls" gives "!ls lists the files, ..."; NULL: nothing.
 */
TG_API const char *tg_advice(const char *word);

/* A command of the program that embeds tg, for ?:name, ?? and advice. */
typedef struct tg_help_row {
    const char *name; /* ":time" */
    const char *arguments, *text;
} tg_help_row;
/* row(i, &r) fills in the i-th; 0 past the end. */
TG_API void tg_more_help(tg_state *s, int (*row)(int i, tg_help_row *out));
/* Documentation of all operations as Markdown. */
TG_API const char *tg_operations_document(tg_state *s);
TG_API const char *tg_version(void);

/* ---- measuring: what the prompt's :time, :profile and :mem stand on ---- */

typedef struct tg_timing {
    int64_t runs;
    double best;      /* seconds of the fastest run, without the first if there are others */
    double first;     /* of the first, which compiles what the others find compiled ... */
    double compiling; /* ... and of it, the seconds in which it did */
    size_t bytes;     /* the most memory taken in the last run beyond what was held before */
} tg_timing;
/* Runs the statement again and again, for a third of a second, if it is an expression that neither
 * stores nor prints, and once if not; nothing is echoed. The formula that an expression gives is
 * computed. `flags`: TG_MAY_GO_ON. */
TG_API tg_status tg_time(tg_state *s, const char *text, size_t len, int flags, tg_timing *out);

/* An operation at its place in a formula; sums over all calls. */
typedef struct tg_profile_row {
    const char *kind;    /* "softmax", "product" */
    const char *formula; /* or, for plain values, the shapes of the arguments */
    int64_t calls;
    double seconds, flops, bytes;
    double peak; /* 0 to 1, about: the least time that the machine would need, over the seconds */
} tg_profile_row;
typedef struct tg_profile_report {
    const tg_profile_row *rows; /* the slowest first; valid until the next call */
    size_t n;
    double seconds;   /* of the whole statement */
    double inside;    /* of it, in the rows */
    double compiling; /* and compiling */
    /* What the machine reaches, a second: in products in single and double precision, and moving
     * bytes in the cache and in memory. 0: not measured. */
    double flops_single, flops_double, bytes_cached, bytes_memory;
} tg_profile_report;
/* Runs the text once, and tells where the time went. */
TG_API tg_status tg_profile_run(tg_state *s, const char *text, size_t len, int flags,
                                tg_profile_report *out);

/* In bytes. */
typedef struct tg_forecast {
    size_t workspace; /* for intermediate values; all plans share one, as large as the largest */
    size_t kept;      /* constants, and the plan itself */
    size_t results;   /* new tensors for the values */
    size_t scratch;   /* the most that one operation takes while it runs */
    size_t inputs;    /* the data that are read: there already */
    size_t peak;      /* the most at once beyond what is there already */
} tg_forecast;
/* What it will take to compute an expression, or the right sides of `:=`, without computing it. */
TG_API tg_status tg_forecast_memory(tg_state *s, const char *text, size_t len, int flags,
                                    tg_forecast *out);

/* In bytes: what is held now. */
typedef struct tg_holdings {
    size_t names;     /* tensors under names of the session */
    size_t plans;     /* compiled formulas ... */
    size_t nplans;    /* ... and their number */
    size_t workspace; /* of all plans */
    size_t undo;      /* tensors that are there for tg_undo and tg_redo alone */
    size_t total;     /* of the process's sessions together, formulas and texts included */
    size_t peak;      /* the most so far */
} tg_holdings;
TG_API void tg_memory_held(tg_state *s, tg_holdings *out);

/* ---- comparing: what a lesson grades answers by ---- */

typedef struct tg_comparison {
    int equal;        /* 1: proved, or found equal at random points */
    int other_name;   /* 1: the first gives a name that the second does not give */
    int tells;        /* 1: the second is no formula or function, and said tells its value */
    const char *said; /* as `same` says it; valid until the next call */
} tg_comparison;
/* Are the values or formulas of two texts the same? Each is an expression or gives one a name,
 * `g = 2 * x`, of which the right side is meant; nothing is stored. TG_FAILED: one of them is
 * neither, or cannot be evaluated. */
TG_API tg_status tg_compare(tg_state *s, const char *a, const char *b, tg_comparison *out);
/* The folder of the lessons that came with tg, into out. */
TG_API tg_status tg_lessons_folder(tg_state *s, char *out, size_t size);

/* ---- checking: what `tg check` and editors stand on ---- */

typedef enum tg_finding_kind {
    TG_FINDING_ERROR,
    TG_FINDING_WARNING,
    TG_FINDING_SHAPE, /* no fault: what a definition stands for */
} tg_finding_kind;
typedef struct tg_finding {
    tg_finding_kind kind;
    const char *file;    /* as the text was called, or a file that it uses; NULL: unknown */
    int line, column;    /* from 1, the column in characters; 0: unknown */
    int last_column;     /* behind what is wrong, if that ends on the line; else 0 */
    const char *message; /* one line: "X @ W' has no meaning: the inner sizes 784 and 10 differ";
                            of a shape "P : [N, 10]   needs X" */
    const char *help;    /* the likely fix, or "" */
    const char *report;  /* the whole, as tg_error words it; of a shape "file:6  P : [N, 10]..." */
} tg_finding;
/* Reads a program without running it: nothing is computed, printed, written or drawn, data files
 * are not read, and it ends soon whatever the program would do. `tell` is called for each finding
 * and may not use the session; what it is given is valid during the call. Names are left behind in
 * the session, of which nothing has a value: use one made for this. TG_DONE also when there are
 * errors to tell. */
TG_API tg_status tg_check_text(tg_state *s, const char *name, const char *text, size_t len,
                               void (*tell)(void *user, const tg_finding *finding), void *user);

/* ---- layout: what `tg fmt` and editors stand on ---- */

/* The program `text` with its blanks, indentation and line ends as tg writes them, into *out and
 * *out_len; valid until the next call. Comments and the meaning stay. TG_FAILED: it cannot be
 * parsed. */
TG_API tg_status tg_format(tg_state *s, const char *name, const char *text, size_t len,
                           const char **out, size_t *out_len);
/* The words of the language, as lines "kind word": literal, operator and control are keywords,
 * declaration words are names elsewhere, constant, operation, builtin and library (with all its
 * modules, which the session then uses) are names. *out is valid until the next call. */
TG_API tg_status tg_words(tg_state *s, const char **out);

#ifdef __cplusplus
}
#endif
#endif
