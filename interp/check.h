/* Reading a program without running it.
 *
 * While tg_interp.checking is set the interpreter's own evaluator walks the program, but nothing is
 * computed: a tensor whose elements are not looked at is a formula over cells that never get a
 * value ("stand-ins", which are not live), so that shapes, types and messages are those of a run,
 * made by the same code. What would need a value gives up: the expression fails with
 * TG_ERR_UNKNOWN, which is no error, and the names that it was for stand for TG_V_UNKNOWN, which
 * everything accepts. Statements are walked by check_statement.c in place of statement.c: both
 * branches, and each loop until its types rest. */
#ifndef TG_INTERP_CHECK_H
#define TG_INTERP_CHECK_H

#include "interp/interp.h"

/* What a name stood for before it was bound in a branch or loop. */
typedef struct tg_check_write {
    tg_env *env; /* held */
    const char *name;
    tg_value old; /* held */
    bool had;     /* it was bound */
} tg_check_write;

enum {
    TG_CHECK_CALLS = 60,     /* calls in calls that are walked */
    TG_CHECK_STEPS = 200000, /* then the reading ends: what it would still find may be wrong */
};

typedef struct tg_checker {
    void (*tell)(void *user, const tg_finding *finding);
    void *user;
    tg_str text;    /* of the finding under way */
    uint64_t *told; /* hashes of the places and messages that were told */
    size_t ntold, told_cap;
    tg_check_write *writes; /* since the outermost branch or loop began */
    size_t nwrites, writes_cap;
    tg_check_write *exits; /* of the loop under way: what names stood for at its breaks */
    size_t nexits, exits_cap;
    size_t loop_mark;  /* where the writes of the loop under way begin */
    int regions;       /* branches and loops under way: writes are noted */
    int loops;         /* of the function under way */
    int loose;         /* > 0: the body of a function that nothing called */
    bool spent;        /* past the bound: nothing more is told */
    int unsure;        /* > 0: the statement may never run */
    int turns;         /* of the short loops under way, multiplied */
    int calls;         /* of functions written in tg that are under way */
    int steps;         /* statements and calls so far: past a bound no more bodies are walked */
    bool stopped;      /* error(...) was called, or an assertion is false: the path ends */
    tg_value returned; /* of the function under way: all its returns joined */
    bool returns;      /* there was one */
    const tg_ast *active[TG_CHECK_CALLS]; /* definitions whose calls are under way */
    size_t nactive;
    const tg_ast **seen; /* definitions that were called */
    size_t nseen, seen_cap;
    tg_function **functions; /* written in the texts, held */
    size_t nfunctions, functions_cap;
    const tg_ast *statement; /* under way: where remarks are placed */
    uint64_t *stored;        /* inputs that have been given data, by their serials */
    size_t nstored, stored_cap;
    int texts;  /* under way: one, and the files that it uses */
    bool wrote; /* the program writes files: what is missing now may be there then */
    bool lost;  /* names may exist that were not seen: a file that is used is missing */
} tg_checker;

/* ---- check_text.c: the whole, and findings ---- */

/* Tells the pending error, unless it has been told, and forgets it. False when no more can be told:
 * out of memory, an interrupt. */
bool tg_check_tell(tg_interp *in, tg_finding_kind kind);
/* Parses and walks a text: the one given, or a file of the user's that it uses. */
bool tg_check_source(tg_interp *in, tg_source *src);
/* A remark of the interpreter's becomes a warning at the statement under way. */
void tg_check_remark(tg_interp *in, const char *text);

/* Tells what the name stands for that the target has just defined. */
bool tg_check_tell_shape(tg_interp *in, const tg_ast *target);

/* ---- check_value.c: what is known of values ---- */

/* The failure that is no error: what is asked for is not known. Returns false. */
bool tg_check_give_up(tg_interp *in);
/* That v is computed: gives up, or fails where an input has no data that surely should have. */
void tg_check_now(tg_interp *in, tg_value v);
/* Has each input that v reads been stored into, as far as that can be told? False with an error. */
bool tg_check_has_data(tg_interp *in, tg_value v);
bool tg_check_give_data(tg_interp *in, const tg_cell *input);
/* A value of that type, of which nothing else is known. False also where a size is symbolic. */
bool tg_check_stand_in(tg_interp *in, const tg_type *type, tg_value *out);
/* The type of a number, truth value, tensor or formula, or of a list that is one. */
bool tg_check_type(tg_interp *in, tg_value v, tg_type *type);
/* What v may be worth when it is computed: TG_V_UNKNOWN where not even the shape is known. */
bool tg_check_freeze(tg_interp *in, tg_value v, tg_value *out);
/* What is true of both values. Borrows both. */
bool tg_check_join(tg_interp *in, tg_value a, tg_value b, tg_value *out);
/* Are they of one type? */
bool tg_check_alike(tg_value a, tg_value b);
/* Is it a formula of unknown value that is not live? */
bool tg_check_is_stand_in(tg_value v);
/* Is there one in v? */
bool tg_check_has_stand_in(tg_value v);
/* Is an operation worth computing, whose result has that type? All is known, and small. */
bool tg_check_computes(const tg_op *op, const tg_type *type, int n, const tg_value *operand);

/* ---- check_writes.c: bindings in branches and loops ---- */

typedef struct tg_check_list {
    tg_check_write *item;
    size_t n, cap;
} tg_check_list;

/* To be called before a name is bound. */
bool tg_check_note(tg_interp *in, tg_env *env, const char *name);
/* The names bound since the mark, each once: with what they stand for now, or stood for before. */
bool tg_check_gather(tg_interp *in, size_t mark, bool now, tg_check_list *l);
void tg_check_forget(tg_check_list *l);
/* All bindings since the mark are as they were. */
bool tg_check_take_back(tg_interp *in, size_t mark);
void tg_check_leave_region(tg_interp *in);
/* Two ways meet: of `a` with what its names stand for at its end, of `b`, which is in force, with
 * what they stood for before. */
bool tg_check_meet(tg_interp *in, tg_env *scope, const tg_check_list *a, tg_flow first,
                   const tg_check_list *b, tg_flow second);
/* Does a name bound since the mark stand for something of another type than before? */
bool tg_check_shapes_changed(tg_interp *in, size_t mark);
/* What a turn of a loop bound since the mark meets what was there. `last`: what has changed again
 * is unknown. */
bool tg_check_widen(tg_interp *in, size_t mark, bool last);
/* A way breaks out of the loop: what it bound meets what stands there behind the loop. */
bool tg_check_note_exit(tg_interp *in);
bool tg_check_meet_exits(tg_interp *in, size_t from);
void tg_check_drop_exits(tg_interp *in, size_t from);

/* ---- check_statement.c ---- */

/* Walks a statement or block as tg_exec runs it. */
tg_flow tg_check_exec(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last);
/* What a failure means: true, with no error pending, if the walk goes on and the value of e is
 * unknown. */
bool tg_check_settle(tg_interp *in, tg_env *env, const tg_ast *e);
/* What e is worth, TG_V_UNKNOWN if that is not known. False: the walk ends. *out is owned. */
bool tg_check_value_of(tg_interp *in, tg_env *env, const tg_ast *e, tg_value *out);

/* ---- check_bind.c ---- */

/* name = v; takes v. */
bool tg_check_bind(tg_interp *in, tg_env *env, const tg_ast *target, tg_value v);
/* The same without a word to the graph. */
bool tg_check_set(tg_interp *in, tg_env *env, const char *name, tg_value v);
/* The n parts of v, which is taken; all unknown if v is, or cannot be taken apart (which is told,
 * as of e). */
bool tg_check_parts(tg_interp *in, tg_env *env, const tg_ast *e, tg_value v, int n, tg_value *out);
/* targets := what the values, which are taken, are worth; s is to blame. */
bool tg_check_store_values(tg_interp *in, tg_env *env, const tg_ast *s, int n,
                           tg_ast *const *targets, tg_value *v);
tg_flow tg_check_define(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last);
tg_flow tg_check_function_statement(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last);
tg_flow tg_check_input(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last);
bool tg_check_store(tg_interp *in, tg_env *env, const tg_ast *s);

/* ---- check_flow.c ---- */

tg_flow tg_check_branch(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last);
tg_flow tg_check_for(tg_interp *in, tg_env *env, const tg_ast *s);
tg_flow tg_check_while(tg_interp *in, tg_env *env, const tg_ast *s);
tg_flow tg_check_repeat(tg_interp *in, tg_env *env, const tg_ast *s);

/* ---- check_call.c ---- */

/* A function written in one of the texts: walked in the end, if nothing calls it. */
bool tg_check_keep_function(tg_interp *in, tg_function *f);
/* A call of f with its parameters bound: tg_function_run. */
bool tg_check_function(tg_interp *in, const tg_function *f, tg_env *scope, tg_value *out);
/* The bodies of functions that nothing called, with arguments of which nothing is known. */
bool tg_check_uncalled(tg_interp *in);

/* ---- check_builtin.c ---- */

/* The call of a builtin with its arguments in their places. */
bool tg_check_builtin(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                      tg_value *out);

/* ---- check_names.c ---- */

/* Tells the names in the text that nothing defines. */
bool tg_check_names(tg_interp *in, tg_unit *unit);

#endif
