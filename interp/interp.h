/* The interpreter: trees to values and formulas. eval.c walks expressions, statement.c statements,
 * call.c calls; the builtin_*.c files hold the functions that need the interpreter itself (the rest
 * are operations or stdlib). */
#ifndef TG_INTERP_H
#define TG_INTERP_H

#include "base/paint.h"
#include "grammar/parse.h"
#include "interp/format.h"
#include "interp/value.h"
#include "runtime/vec/vec.h"
#include "tg.h"

/* A variable that stands for the argument while a function is being differentiated, or mapped. */
typedef struct tg_slot_var {
    const tg_node *node;
    const struct tg_slot_var *outer; /* of the derivative that is being taken around this one */
    bool mapped; /* it stands for each of many values, by vmap, and has none itself */
} tg_slot_var;

/* What numeric.c remembers of an operation. */
typedef struct tg_numeric {
    const tg_op *op;
    int n;      /* for so many plain numbers */
    bool truth; /* gives a truth value */
    tg_inner_fn *kernel;
} tg_numeric;

typedef struct tg_interp {
    tg_rt rt;
    tg_env *globals;         /* the user's names */
    tg_env *library;         /* stdlib and builtins, looked up after globals */
    const tg_slot_var *slot; /* the innermost; NULL: nothing is being differentiated */
    uint64_t
        remarked[8]; /* what was remarked since the session was entered, so as not to repeat it */
    int nremarked;
    struct tg_checker *checking; /* the program is read, not run (check.h); NULL: it is run */
    int tracing; /* > 0: map tries whether one call serves for all elements (vmap.h) */
    bool raw;    /* inside the argument of raw: gradients are not simplified, and names of gradients
                    stand for what they were */
    bool computing;   /* inside the right side of `:=`: plain values become lift slots */
    bool writing_out; /* known tensors of the user's are constants of a formula (plain.h) */
    tg_env *here;     /* where the operands of the operation under way were written */
    size_t lift_next; /* the next lift slot of this statement */
    size_t nlifts, lifts_cap;
    tg_cell **lifts; /* NULL where one was retired */
    uint64_t rules;  /* `rule` statements so far */
    size_t nslots, slots_cap;
    tg_cell **slots; /* what stands for g and out in rules, one of each type */
    size_t nchecked, checked_cap;
    uint64_t *checked; /* the rules and types that were found right (rule_check.c) */
    tg_unit *unit;     /* whose tree is being walked: functions made now hold it */
    char *dir;         /* folder of the running script, for `use` */
    int nused, used_cap;
    char **used; /* paths already used */
    int nkept, kept_cap;
    tg_source *
        *kept; /* texts that the pending error points into, and that nothing else holds any more */
    void (*write)(void *user, const char *text, size_t len);
    void *user;
    /* tg_more_help; NULL: none */
    int (*more_help)(int i, tg_help_row *out);
    bool on_stdout;             /* that is standard output itself */
    bool echo;                  /* statements are echoed, as at the prompt ... */
    int colours;                /* ... and where that is in colours: TG_COLOURS_ */
    bool terminal;              /* it fits the terminal, ... */
    int margin;                 /* ... of whose columns so many are taken already */
    tg_style format;            /* of numbers in it: what `format` said last */
    size_t answers;             /* expressions that the prompt has answered, so far */
    struct tg_journal *journal; /* of entries (journal.h); NULL: there were none */
    struct tg_watches *watches; /* what is watched (watch.h); NULL: nothing ever was */
    int nwatches;
    int unwatched;           /* > 0: what is computed now is nobody's business */
    struct tg_progress *bar; /* of the innermost loop that has one (progress.h) */
    int nbars, bars_shown;   /* how many there are, and stand on the terminal */
    bool line_open;          /* what was written last does not end in a newline */
    tg_value returned;       /* of a return under way */
    tg_env *idle;            /* scopes of calls that have ended, empty, for others to use */
    int nidle;
    uint64_t functions; /* written in tg, so far */
    double *registers;  /* of number code (code.h) */
    size_t nregisters;
    int no_code;    /* > 0: code is running, or the tree in its place */
    int code_visit; /* walks over code so far */
    tg_numeric numeric[64];
} tg_interp;

/* A function that recursion over the program does not pass through, or seldom: kept apart, so that
 * its locals do not widen the frames of what it does pass through. That is what makes tens of
 * thousands of calls deep fit in a usual stack. */
#define TG_APART __attribute__((noinline))

typedef enum tg_flow {
    TG_FLOW_NEXT,
    TG_FLOW_BREAK,
    TG_FLOW_CONTINUE,
    TG_FLOW_RETURN,
    TG_FLOW_ERROR
} tg_flow;

/* ---- eval.c ---- */
bool tg_eval(tg_interp *in, tg_env *env, const tg_ast *e,
             tg_value *out); /* *out owned; after a failure it holds nothing */
/* ---- statement.c ---- */
tg_flow tg_exec(tg_interp *in, tg_env *env, const tg_ast *s,
                tg_value *last); /* *last owned; none at first */
/* The error of a loop over v, which no loop walks over. Returns false. */
bool tg_walk_refuse(tg_interp *in, tg_value v);
/* The error of a break or continue that no loop has taken. Returns false. */
bool tg_stray(tg_interp *in, tg_flow flow);
/* Looks the name up: scopes inside out, then the user's, then the library. NULL: unknown. */
tg_value *tg_lookup(tg_interp *in, tg_env *env, const char *name);
/* The same without the library. */
tg_value *tg_lookup_own(tg_interp *in, tg_env *env, const char *name);
/* ---- call.c ---- */
/* One argument; name NULL: positional. */
typedef struct tg_argument {
    const char *name;
    tg_value value;
    const tg_ast *ast;
} tg_argument;
/* f(args) into *out, which is none where that fails: callers may drop it in any case. */
bool tg_call_value(tg_interp *in, tg_value f, int n, const tg_argument *args, tg_value *out);
bool tg_call_op(tg_interp *in, const tg_op *op, int n, const tg_argument *args, tg_value *out);

/* ---- convert.c ---- */
bool tg_is_live(tg_value v); /* a formula, or a container with one */
/* Evaluates formulas within v (containers too, in one pass); plain values are held. *out owned. */
bool tg_value_now(tg_interp *in, tg_value v, tg_value *out);
bool tg_to_number(tg_interp *in, tg_value v, const char *what,
                  double *out); /* a scalar; formulas are evaluated */
bool tg_to_truth(tg_interp *in, tg_value v, const char *what, bool *out);
bool tg_to_int(tg_interp *in, tg_value v, const char *what, int64_t *out);
/* An owned tensor: numbers become rank 0, lists stack, formulas are evaluated. */
bool tg_to_tensor(tg_interp *in, tg_value v, const char *what, tg_tensor **out);
/* A node: numbers and tensors become constants (or lift slots while computing), lists of formulas
 * stack. */
bool tg_to_node(tg_interp *in, tg_value v, const char *what, tg_node **out);
/* [a, b] as a tensor where all are numbers or equal shapes; otherwise v as it is. Takes v, gives
 * *out. */
bool tg_list_settle(tg_interp *in, tg_value v, tg_value *out);

/* ---- show.c: values as text ---- */
/* As print and {e} write a value: 0.5, [1, 2, 3], text bare; formulas are evaluated first if they
 * have data. spec is a format such as ".3f", "04d", ">10", or NULL. */
bool tg_show_value(tg_interp *in, tg_value v, const char *spec, tg_str *out);
/* As the prompt echoes `name = ...` (name NULL: no name): the formula, its shape, what it needs,
 * its value below. Ends with a newline. */
bool tg_show_echo(tg_interp *in, const char *name, tg_value v, tg_str *out);
/* Of a derivative f' its formula, "f'(t) = 3 * t^2 - 2". False, and nothing written: it has none.
 */
bool tg_show_slope(tg_interp *in, tg_value f, tg_str *out);
/* A formula without its value, behind it its shape and the assumptions it rests on; other things as
 * the prompt shows them. */
bool tg_show_formula(tg_interp *in, tg_value v, size_t limit, tg_str *out);
/* ---- report.c: the pending error as text, with carets; clears nothing ---- */
bool tg_report(tg_interp *in, tg_str *out);
/* The same with another word than "error:" before it ("": none), it and the caret in that ink. */
bool tg_report_as(tg_interp *in, const char *word, tg_ink ink, bool colours, tg_str *out);
/* Is what is shown now shown in colours? Not what a script prints, nor what becomes a value. */
static inline bool tg_echo_colours(const tg_interp *in) {
    return in->echo && in->colours & TG_COLOURS_ECHO;
}
/* Do remarks appear in colours? At the prompt they are part of the echo, else they go to stderr. */
static inline bool tg_remark_colours(const tg_interp *in) {
    return in->colours & (in->echo ? TG_COLOURS_ECHO : TG_COLOURS_ERROR);
}
void tg_write(tg_interp *in, const char *text, size_t len);

/* ---- builtins ---- */
typedef bool tg_builtin_fn(tg_interp *in, int n, const tg_argument *args, tg_value *out);
typedef struct tg_builtin {
    const char *name;
    const char
        *signature;  /* "grad(y, x, seed=none)": parameters, for help and for matching names */
    const char *doc; /* one sentence */
    const char *example, *value;
    tg_builtin_fn *run; /* args already matched: one for each parameter of the signature; absent
                           ones are TG_V_NONE with ast NULL. A last parameter `...` takes all
                           further positional ones. */
    bool raw_lists;     /* bracket literals stay lists */
    bool draws;         /* fresh: draws among the arguments stay formulas */
} tg_builtin;
const tg_builtin *tg_builtin_at(int i); /* the i-th; NULL past the end */
/* The file of the sources in which its record stands. */
const char *tg_builtin_file(const tg_builtin *which);
/* The tables, one a file; each ends with a row without a name. */
extern const tg_builtin tg_builtins_formula[];
extern const tg_builtin tg_builtins_jacobian[];
extern const tg_builtin tg_builtins_show[];
extern const tg_builtin tg_builtins_assume[];
extern const tg_builtin tg_builtins_prove[];
extern const tg_builtin tg_builtins_check[];
extern const tg_builtin tg_builtins_derive[];
extern const tg_builtin tg_builtins_scan[];
extern const tg_builtin tg_builtins_data[];
extern const tg_builtin tg_builtins_batches[];
extern const tg_builtin tg_builtins_files[];
extern const tg_builtin tg_builtins_nest[];
extern const tg_builtin tg_builtins_text[];
extern const tg_builtin tg_builtins_unique[];
extern const tg_builtin tg_builtins_einsum[];
extern const tg_builtin tg_builtins_vmap[];
extern const tg_builtin tg_builtins_session[];
extern const tg_builtin tg_builtins_progress[];
extern const tg_builtin tg_builtins_watch[];
extern const tg_builtin tg_builtins_export[];
extern const tg_builtin tg_builtins_rebind[];
extern const tg_builtin tg_builtins_plot[];
extern const tg_builtin tg_builtins_picture[];
extern const tg_builtin tg_builtins_imshow[];

#endif
