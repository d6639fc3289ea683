/* Builtins in a program that is read and not run.
 *
 * Those that only look at shapes, or make formulas, do their work; what makes a var, reads data or
 * draws gives stand-ins of the types that it would give; what prints, writes or measures does
 * nothing. Of all others the arguments are matched, and the result is unknown. */
#include "base/alloc.h"
#include "base/file.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "runtime/io/paths.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static bool nothing(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                    tg_value *out) {
    (void)in;
    (void)b;
    (void)n;
    (void)args;
    (void)out;
    return true;
}

static bool itself(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                   tg_value *out) {
    return b->run(in, n, args, out);
}

/* Of what walks over values or writes them: a stand-in has no elements. */
static bool on_values(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                      tg_value *out) {
    enum { MANY = 1000 };
    for (int i = 0; i < n; i++) {
        tg_value v = args[i].value;
        int64_t count = 0;
        if (tg_check_is_stand_in(v)) return tg_check_give_up(in);
        if (v.tag == TG_V_RANGE && tg_range_count(&in->rt.c, v.as.range, &count) && count > MANY)
            return tg_check_give_up(in);
    }
    return b->run(in, n, args, out);
}

/* What is appended to a list stays what it is. */
static bool appending(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                      tg_value *out) {
    const bool list = tg_is_container(args[0].value);
    return list ? b->run(in, n, args, out) : on_values(in, b, n, args, out);
}

/* What the formula of a stand-in would be differentiated by is a plain value in a run. */
static bool on_formula(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                       tg_value *out) {
    for (int i = 0; i < n; i++)
        if (tg_check_has_stand_in(args[i].value)) return tg_check_give_up(in);
    return b->run(in, n, args, out);
}

static bool number(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                   tg_value *out) {
    if (n > 0 && args[0].value.tag == TG_V_STRING) return b->run(in, n, args, out);
    return tg_check_stand_in(in, &(tg_type){.dtype = TG_F64, .weak = true}, out);
}

/* error(...): on a path that may not be taken, its end. */
static bool stop(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                 tg_value *out) {
    tg_checker *k = in->checking;
    if (k->unsure == 0) return b->run(in, n, args, out);
    k->stopped = true;
    return tg_check_give_up(in);
}

/* Its message may have values in it that only a run knows; what is asserted then says it. */
static bool assertion(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                      tg_value *out) {
    const tg_value v = args[0].value;
    tg_argument known[2] = {args[0], args[1]};
    bool wrong = v.tag == TG_V_BOOL ? !v.as.truth : v.tag == TG_V_STRING;
    if (known[1].value.tag == TG_V_UNKNOWN) known[1].value = TG_NONE_VALUE;
    return !wrong || in->checking->unsure > 0 || b->run(in, n, known, out);
}

/* ---- variables and values ---- */

static bool var_leaf(tg_interp *in, tg_value v, void *user, tg_value *out) {
    (void)user;
    tg_type type;
    if (v.tag == TG_V_UNKNOWN) return tg_check_give_up(in);
    if (!tg_check_type(in, v, &type)) { /* the words of a run */
        tg_tensor *t = NULL;
        bool ok = tg_to_tensor(in, v, "the value of a var", &t);
        tg_tensor_drop(t);
        return ok && tg_check_give_up(in);
    }
    for (int i = 0; i < type.rank; i++)
        if (type.dim[i] < 0) return tg_check_give_up(in);
    bool keeps = tg_dtype_is_float(type.dtype) && type.rank > 0 && v.tag != TG_V_LIST;
    if (!keeps) type.dtype = in->rt.precision;
    type.weak = false;
    tg_cell *c = tg_cell_new(&in->rt, TG_CELL_VAR, NULL, &type, NULL);
    tg_node *node = c ? tg_node_cell(&in->rt, c) : NULL;
    tg_cell_drop(c);
    if (node) *out = tg_value_formula(node, 0);
    return node != NULL;
}

static bool variable(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                     tg_value *out) {
    if (args[1].ast || args[2].ast) return b->run(in, n, args, out); /* the variance */
    return tg_map_leaves(in, args[0].value, var_leaf, NULL, out);
}

static bool value(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                  tg_value *out) {
    if (strcmp(b->name, "value") == 0 && !tg_check_has_data(in, args[0].value)) return false;
    for (int i = 1; i < n; i++) { /* eval(e, X=x) */
        const tg_value *v = args[i].name ? tg_env_find(in->globals, args[i].name) : NULL;
        if (!v || (v->tag != TG_V_UNKNOWN && !tg_value_cell(*v))) return b->run(in, n, args, out);
    }
    if (!tg_check_freeze(in, args[0].value, out)) return false;
    return out->tag != TG_V_UNKNOWN || tg_check_give_up(in);
}

/* ---- data ---- */

static bool items(tg_interp *in, int n, const char *const *field, tg_value *v, tg_value *out) {
    tg_value made;
    bool ok = tg_value_items(&in->rt.c, TG_V_RECORD, n, &made);
    for (int i = 0; i < n; i++) {
        if (!ok) {
            tg_value_drop(v[i]);
            continue;
        }
        made.as.items->v[i] = v[i];
        made.as.items->field[i] = tg_intern(&in->rt.c, field[i], strlen(field[i]));
        if (!made.as.items->field[i]) {
            for (int j = i + 1; j < n; j++) tg_value_drop(v[j]);
            tg_value_drop(made);
            return false;
        }
    }
    return ok && tg_value_seal(&in->rt.c, made, out);
}

/* The digits are not read: the data set has these sizes. Those of a folder of the user's may have
 * others. */
static bool digits(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                   tg_value *out) {
    static const int64_t rows[3] = {55000, 5000, 10000};
    char dir[PATH_MAX];
    tg_value part[3] = {TG_NONE_VALUE, TG_NONE_VALUE, TG_NONE_VALUE};
    bool ok = true;
    tg_value folder = args[0].value;
    if (folder.tag == TG_V_STRING)
        return tg_file_exists(folder.as.text->bytes) ? tg_check_give_up(in)
                                                     : b->run(in, n, args, out);
    if (folder.tag != TG_V_NONE) return b->run(in, n, args, out);
    if (!tg_data_find(&in->rt, b->name, dir, sizeof dir)) return false;
    for (int i = 0; ok && i < 3; i++) {
        const tg_type images = {.dtype = TG_F32, .rank = 2, .dim = {rows[i], 784}},
                      labels = {.dtype = TG_F32, .rank = 2, .dim = {rows[i], 10}};
        tg_value v[2] = {TG_NONE_VALUE, TG_NONE_VALUE};
        ok = tg_check_stand_in(in, &images, &v[0]) && tg_check_stand_in(in, &labels, &v[1]);
        if (ok)
            ok = items(in, 2, (const char *const[]){"images", "labels"}, v, &part[i]);
        else
            tg_value_drop(v[0]);
    }
    if (ok) return items(in, 3, (const char *const[]){"train", "validation", "test"}, part, out);
    for (int i = 0; i < 3; i++) tg_value_drop(part[i]);
    return false;
}

static bool writing(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                    tg_value *out) {
    const bool text = strcmp(b->name, "write") == 0;
    tg_value path = args[0].value;
    bool right = path.tag == TG_V_STRING;
    if (right && text) right = args[1].value.tag == TG_V_STRING;
    if (right && !text) right = strstr(path.as.text->bytes, ".np") != NULL;
    return right || b->run(in, n, args, out); /* which fails before it writes */
}

static bool asked(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                  tg_value *out) {
    return args[0].value.tag == TG_V_STRING ? tg_check_give_up(in) : b->run(in, n, args, out);
}

/* A file that is there may hold anything. */
static bool file(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                 tg_value *out) {
    tg_value path = args[0].value;
    bool there = path.tag == TG_V_STRING && tg_file_exists(path.as.text->bytes);
    bool unsure = path.tag == TG_V_STRING && (in->checking->unsure > 0 || in->checking->wrote);
    return there || unsure ? tg_check_give_up(in) : b->run(in, n, args, out);
}

/* watch() without a formula lists. */
static bool watching(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                     tg_value *out) {
    if (!args[0].ast) return true;
    return tg_check_is_stand_in(args[0].value) ? tg_check_give_up(in) : b->run(in, n, args, out);
}

/* A tensor of that type that takes no memory: all its elements are one. */
static tg_tensor *hollow(tg_interp *in, const tg_type *type) {
    tg_tensor *one = tg_tensor_scalar(&in->rt.c, type->dtype, 0), *t = NULL;
    if (!one) return NULL;
    tg_view v = one->v;
    v.rank = type->rank;
    for (int i = 0; i < type->rank; i++) v.dim[i] = type->dim[i];
    memset(v.stride, 0, sizeof v.stride);
    t = tg_tensor_share(&in->rt.c, one, &v);
    tg_tensor_drop(one);
    return t;
}

/* The real stream over parts that have only shapes. It is never asked for a batch. */
static bool batches(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                    tg_value *out) {
    enum { MOST = 10 };
    tg_argument moved[MOST] = {0};
    tg_tensor *part[MOST] = {0};
    bool ok = n <= MOST;
    if (!ok) return b->run(in, n, args, out);
    for (int i = 0; i < n; i++) {
        tg_type type;
        moved[i] = args[i];
        if (i < 5 || i == n - 1 || !tg_check_is_stand_in(args[i].value)) continue;
        type = args[i].value.as.node->type;
        if (type.rank == 0) continue;
        part[i] = ok ? hollow(in, &type) : NULL;
        if (!part[i]) ok = false;
        moved[i].value = (tg_value){.tag = TG_V_TENSOR, .as.tensor = part[i]};
    }
    for (int i = 3; i < 5; i++) /* order and from change no shape */
        if (tg_check_is_stand_in(moved[i].value)) moved[i] = (tg_argument){0};
    ok = ok && b->run(in, n, moved, out);
    for (int i = 0; i < n; i++) tg_tensor_drop(part[i]);
    return ok;
}

/* ---- the table ---- */

typedef bool reading(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                     tg_value *out);

static const struct {
    const char *name;
    reading *read;
} readings[] = {
    {"shape", itself},
    {"rank", itself},
    {"size", itself},
    {"dtype", itself},
    {"append", appending},
    {"zip", on_values},
    {"enumerate", on_values},
    {"map", on_values},
    {"grad", on_formula},
    {"jacobian", on_formula},
    {"hessian", on_formula},
    {"vjp", on_formula},
    {"jvp", on_formula},
    {"hvp", on_formula},
    {"fresh", itself},
    {"raw", itself},
    {"text", on_values},
    {"number", number},
    {"var", variable},
    {"value", value},
    {"eval", value},
    {"mnist", digits},
    {"fashion", digits},
    {"batches", batches},
    {"clock", number},
    {"error", stop},
    {"assert", assertion},
    {"print", nothing},
    {"seed", nothing},
    {"idx", file},
    {"read", file},
    {"write", writing},
    {"save", writing},
    {"load", file},
    {"exists", asked},
    {"data_file", on_values},
    {"watch", watching},
    {"unwatch", watching},
    {"progress", itself},
    {"unassume", nothing},
    {"codes", on_values},
    {"chars", on_values},
    {"words", on_values},
    {"lines", on_values},
    {"split_text", on_values},
    {"join", on_values},
    {"trim", on_values},
    {"replace", on_values},
    {"contains", on_values},
    {"starts_with", on_values},
    {"lower", on_values},
    {"upper", on_values},
    {"leaves", itself},
    {"live", itself},
    {"nest", itself},
    {"vars", itself},
    {"unique", on_values},
    {"places", on_values},
    {"einsum", itself},
    {"scan", itself},
    {"vmap", itself},
};

bool tg_check_builtin(tg_interp *in, const tg_builtin *b, int n, const tg_argument *args,
                      tg_value *out) {
    reading *read = NULL;
    for (size_t i = 0; !read && i < sizeof readings / sizeof *readings; i++)
        if (strcmp(readings[i].name, b->name) == 0) read = readings[i].read;
    if (read == nothing) return true;
    if (!read) return tg_check_give_up(in);
    if (read == assertion) return args[0].value.tag == TG_V_UNKNOWN || read(in, b, n, args, out);
    if (read == stop && args[0].value.tag == TG_V_UNKNOWN) {
        in->checking->stopped = true;
        return tg_check_give_up(in);
    }
    if (read == writing) in->checking->wrote = true; /* also where it is not known what */
    for (int i = 0; i < n; i++)
        if (args[i].value.tag == TG_V_UNKNOWN) return tg_check_give_up(in);
    return read(in, b, n, args, out);
}
