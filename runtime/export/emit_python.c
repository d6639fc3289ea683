/* Source in Python, over NumPy or PyTorch. Both have tg's operators with tg's precedences, so that
 * an expression keeps its form. They differ in what a plain number may do: NumPy's functions take
 * numbers, PyTorch's want tensors. Where tg converts a bool to a number, or a double to a single,
 * the text says so, since the libraries' own rules for mixed types are others. */
#include "runtime/export/emit_python.h"
#include "runtime/export/python_helpers.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/print.h"
#include "base/alloc.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const char *numpy_of(const tg_op *op) {
    return op->numpy;
}
static const char *torch_of(const tg_op *op) {
    return op->torch;
}

static bool is_torch(const tg_emitter *e) {
    return e->target == &tg_emit_torch;
}

bool tg_python_is_torch(const tg_emitter *e) {
    return is_torch(e);
}

/* ---- types ---- */

void tg_python_dtype(const tg_emitter *e, tg_str *s, tg_dtype t) {
    static const char *const numpy[] = {"bool_", "uint8", "int32", "int64", "float32", "float64"};
    static const char *const torch[] = {"bool", "uint8", "int32", "int64", "float32", "float64"};
    tg_str_addf(s, "%s.%s", is_torch(e) ? "torch" : "np", (is_torch(e) ? torch : numpy)[t]);
}

/* ---- numbers ---- */

/* A plain number to Python: one that is written, a size, or arithmetic on such. */
static bool is_plain(const tg_emitter *e, const tg_node *n, int depth) {
    if (n->op == &tg_op_number || n->op == &tg_op_size) return true;
    if (tg_emit_is_leaf(n) || depth > 16 || !n->type.weak) return false;
    if (tg_emit_level(n->op, e->target->spelling(n->op)) > TG_EMIT_POWER) return false;
    for (int i = 0; i < n->n; i++)
        if (!is_plain(e, n->arg[i], depth + 1)) return false;
    return true;
}

bool tg_python_is_plain(const tg_emitter *e, const tg_node *n) {
    return is_plain(e, n, 0);
}

static void put_number(tg_str *s, double x) {
    if (isnan(x))
        tg_str_add(s, "float('nan')");
    else if (isinf(x))
        tg_str_add(s, x < 0 ? "-float('inf')" : "float('inf')");
    else {
        tg_str t = {0};
        tg_number_print(&t, x == 0 ? 0 : x);
        bool pi = strstr(tg_str_text(&t), "pi") != NULL;
        tg_str_add(s, pi ? (x < 0 ? "-3.141592653589793" : "3.141592653589793") : tg_str_text(&t));
        if (t.failed) s->failed = true;
        tg_str_free(&t);
    }
}

static void put_element(tg_str *s, const tg_view *v, int64_t flat) {
    double x = tg_view_get(v, flat);
    if (v->dtype == TG_BOOL)
        tg_str_add(s, x != 0 ? "True" : "False");
    else
        put_number(s, x);
}

static void put_elements(tg_str *s, const tg_view *v, int axis, int64_t *flat) {
    if (axis == v->rank) {
        put_element(s, v, (*flat)++);
        return;
    }
    tg_str_addc(s, '[');
    for (int64_t i = 0; i < v->dim[axis]; i++) {
        if (i > 0) tg_str_add(s, ", ");
        put_elements(s, v, axis + 1, flat);
    }
    tg_str_addc(s, ']');
}

/* ---- attributes ---- */

static void put_tuple_end(tg_str *s, int n) {
    tg_str_add(s, n == 1 ? ",)" : ")");
}

void tg_python_shape(const tg_emitter *e, tg_str *s, int n, const tg_size *dim) {
    tg_str_addc(s, '(');
    for (int i = 0; i < n; i++) {
        if (i > 0) tg_str_add(s, ", ");
        tg_emit_size_text(e, s, dim[i], true);
    }
    put_tuple_end(s, n);
}

static void put_mask(tg_str *s, int64_t mask) {
    int n = __builtin_popcountll((unsigned long long)mask), k = 0;
    if (n != 1) tg_str_addc(s, '(');
    for (int i = 0; i < TG_MAX_RANK; i++)
        if (mask >> i & 1) tg_str_addf(s, k++ ? ", %d" : "%d", i);
    if (n != 1) tg_str_addc(s, ')');
}

static void put_real(const tg_emitter *e, tg_str *s, const tg_attrs *at, int i, bool none) {
    if (at->sizes >> i & 1)
        tg_emit_size_text(e, s, at->v[i], true);
    else if (none && isnan(tg_attr_real(at, i)))
        tg_str_add(s, "None");
    else
        put_number(s, tg_attr_real(at, i));
}

/* Does n reduce along no axis at all? To PyTorch dim=() means all axes, so it is given one more. */
static bool needs_axis(const tg_emitter *e, const tg_node *n) {
    if (!is_torch(e) || n->op->class != TG_CLASS_REDUCE || n->arg[0]->type.rank == 0) return false;
    for (int k = 0; n->op->param[k].name; k++)
        if (n->op->param[k].kind == TG_P_AXES)
            return n->at->v[tg_op_values(n->op, n->at, k, NULL)] == 0;
    return false;
}

/* expand(x, shape) lacks its leading axes where no axis is named. */
static bool attribute(tg_emit_writer *w, tg_str *s, const tg_node *n, int k) {
    const tg_op *op = n->op;
    const tg_emitter *e = w->e;
    int count, at = tg_op_values(op, n->at, k, &count);
    const int64_t *v = n->at->v + at;
    switch (op->param[k].kind) {
    case TG_P_AXES:
        if (needs_axis(e, n))
            tg_str_add(s, "-1");
        else
            put_mask(s, *v);
        break;
    case TG_P_FLAG: tg_str_add(s, *v ? "True" : "False"); break;
    case TG_P_SHAPE: tg_python_shape(e, s, count, v); break;
    case TG_P_PERM:
    case TG_P_SPEC:
        tg_str_addc(s, '(');
        for (int i = 0; i < count; i++) tg_str_addf(s, i ? ", %lld" : "%lld", (long long)v[i]);
        put_tuple_end(s, count);
        break;
    case TG_P_REAL:
        put_real(e, s, n->at, at, op->param[k].dflt && strcmp(op->param[k].dflt, "none") == 0);
        break;
    case TG_P_SIZE:
        if (*v == TG_SIZE_NONE)
            tg_str_add(s, "None");
        else
            tg_emit_size_text(e, s, *v, true);
        break;
    default: tg_str_addf(s, "%lld", (long long)*v); break;
    }
    return true;
}

/* ---- indices: [0:3, 1] where all steps go forwards ---- */

static bool put_range(const tg_emitter *e, tg_str *s, tg_size dim, tg_size start, tg_size count,
                      int64_t step) {
    tg_rt *rt = e->rt;
    if (start != 0) tg_emit_size_text(e, s, start, true);
    tg_str_addc(s, ':');
    tg_size last = tg_size_times(rt, tg_size_sub(rt, count, 1), step);
    tg_size stop = count == 0 ? start : tg_size_add(rt, tg_size_add(rt, start, last), 1);
    if (last == TG_SIZE_FAIL || stop == TG_SIZE_FAIL) return false;
    if (stop != dim) tg_emit_size_text(e, s, stop, true);
    if (step != 1) tg_str_addf(s, ":%lld", (long long)step);
    return true;
}

static const int64_t *values_named(const tg_node *n, const char *name) {
    for (int i = 0; n->op->param[i].name; i++)
        if (strcmp(n->op->param[i].name, name) == 0)
            return n->at->v + tg_op_values(n->op, n->at, i, NULL);
    return NULL;
}

static bool put_index(const tg_emitter *e, tg_str *s, const tg_node *n, bool *fits) {
    int rank = n->arg[0]->type.rank, to = 0;
    const tg_size *dim = n->arg[0]->type.dim;
    const int64_t *start = values_named(n, "start"), *count = values_named(n, "count"),
                  *step = values_named(n, "step"), *drop = values_named(n, "drop"),
                  *insert = values_named(n, "insert"), *axis = values_named(n, "axis");
    assert(start && count && (axis || (step && drop))); /* narrow, or slice */
    for (int i = 0; step && i < rank; i++) *fits = *fits && step[i] > 0;
    if (!*fits) return true;
    tg_str_addc(s, '[');
    for (int i = 0; i < rank || (insert && *insert >> to);) {
        if (i > 0 || to > 0) tg_str_add(s, ", ");
        if (insert && *insert >> to & 1) {
            tg_str_add(s, "None");
            to++;
            continue;
        }
        if (axis) { /* narrow: one axis */
            tg_size whole = 0;
            if (!put_range(e, s, dim[i], i == *axis ? *start : whole, i == *axis ? *count : dim[i],
                           1))
                return false;
            if (i++ == *axis) break;
            continue;
        }
        if (*drop >> i & 1)
            tg_emit_size_text(e, s, start[i], true);
        else if (!put_range(e, s, dim[i], start[i], count[i], step[i]))
            return false;
        to += !(*drop >> i & 1);
        i++;
    }
    if (rank == 0 && to == 0) tg_str_add(s, "()");
    tg_str_addc(s, ']');
    return true;
}

static bool is_last_swap(const tg_node *n) {
    return n->arg[0]->type.rank == 2 && n->at->v[1] == 1;
}

static bool is_word(const char *word, size_t len, const char *is) {
    return strlen(is) == len && memcmp(word, is, len) == 0;
}

static bool word(tg_emit_writer *w, tg_str *s, const tg_node *n, const char *text, size_t len,
                 bool *fits) {
    if (is_word(text, len, "result"))
        tg_python_shape(w->e, s, n->type.rank, n->type.dim);
    else if (is_word(text, len, "dtype"))
        tg_python_dtype(w->e, s, n->type.dtype);
    else if (is_word(text, len, "index"))
        return put_index(w->e, s, n, fits);
    else if (is_word(text, len, "T")) {
        *fits = is_last_swap(n);
        tg_str_add(s, ".T");
    } else
        return false;
    return true;
}

/* ---- expressions ---- */

static bool expression(tg_emit_writer *w, tg_str *s, const tg_node *n, int min);

/* What stands in place of a leaf. */
static void put_leaf(const tg_emitter *e, tg_str *s, const tg_node *n, int min) {
    if (n->op == &tg_op_number) {
        bool brackets = signbit(n->leaf.number) && min > TG_EMIT_MINUS;
        if (brackets) tg_str_addc(s, '(');
        put_number(s, n->leaf.number);
        if (brackets) tg_str_addc(s, ')');
    } else if (n->op == &tg_op_size) {
        tg_emit_size_text(e, s, n->leaf.size, min == 0);
    } else {
        const tg_view *v = tg_emit_literal(e, n);
        int64_t flat = 0;
        tg_str_add(s, is_torch(e) ? "torch.tensor(" : "np.array(");
        if (tg_view_count(v) > 0 || v->rank == 1)
            put_elements(s, v, 0, &flat);
        else {
            tg_str_add(s, "[]).reshape(");
            tg_python_shape(e, s, v->rank, v->dim);
            tg_str_add(s, is_torch(e) ? ").to(" : ").astype(");
            tg_python_dtype(e, s, v->dtype);
            tg_str_addc(s, ')');
            return;
        }
        tg_str_add(s, ", dtype=");
        tg_python_dtype(e, s, v->dtype);
        tg_str_addc(s, ')');
    }
}

static bool operation(tg_emit_writer *w, tg_str *s, const tg_node *n, int min) {
    const tg_emitter *e = w->e;
    const char *text = e->target->spelling(n->op);
    if (needs_axis(e, n)) {
        tg_str_add(s, "torch.reshape(");
        if (!tg_emit_template(w, s, n, text)) return false;
        tg_str_add(s, ", ");
        tg_python_shape(e, s, n->type.rank, n->type.dim);
        tg_str_addc(s, ')');
        return true;
    }
    if (strcmp(text, "{0}") == 0) return w->argument(w, s, n, 0, min);
    /* a choice between plain numbers has no type of its own in NumPy */
    bool bare = !is_torch(e) && n->type.dtype == TG_F32 && !n->type.weak && n->n > 0 &&
                n->op->class == TG_CLASS_ELEMENTWISE;
    for (int i = 0; i < n->n; i++)
        bare = bare && (n->arg[i]->type.dtype == TG_BOOL || is_plain(e, n->arg[i], 0));
    bool brackets = !bare && tg_emit_level(n->op, text) < min;
    tg_str_add(s, bare ? "np.asarray(" : brackets ? "(" : "");
    if (!tg_emit_template(w, s, n, text)) return false;
    tg_str_add(s, bare ? ", np.float32)" : brackets ? ")" : "");
    return true;
}

static bool expression(tg_emit_writer *w, tg_str *s, const tg_node *n, int min) {
    const char *name = tg_emit_info_of(w->e, n)->name;
    if (!tg_guard(&w->e->rt->c)) return false;
    if (name)
        tg_str_add(s, name);
    else if (tg_emit_is_leaf(n))
        put_leaf(w->e, s, n, min);
    else
        return operation(w, s, n, min);
    return true;
}

/* The type that argument i of n is converted to. */
static bool wanted(const tg_emitter *e, const tg_node *n, int i, tg_dtype *want) {
    tg_type few[8], *in = few, out = {0};
    tg_dtype few_wants[8], *wants = few_wants;
    bool many = n->n > 8;
    if (many) {
        in = tg_alloc_array((size_t)n->n, sizeof *in);
        wants = tg_alloc_array((size_t)n->n, sizeof *wants);
    }
    bool ok = in && wants ? true : tg_fail_memory(&e->rt->c);
    for (int k = 0; ok && k < n->n; k++) in[k] = n->arg[k]->type, wants[k] = in[k].dtype;
    ok = ok && n->op->infer(e->rt, n->op, n->n, in, n->at, &out, wants);
    if (ok) *want = wants[i];
    if (many) {
        tg_free(in);
        tg_free(wants);
    }
    return ok;
}

static bool converted(tg_emit_writer *w, tg_str *s, const tg_node *a, tg_dtype to) {
    bool torch = is_torch(w->e), whole = !tg_dtype_is_float(to) && to != TG_BOOL;
    bool round = whole && tg_dtype_is_float(a->type.dtype);
    if (torch) {
        tg_str_add(s, round ? "torch.round(" : "");
        if (!expression(w, s, a, round ? 0 : TG_EMIT_TIGHT)) return false;
        tg_str_add(s, round ? ").to(" : ".to(");
        tg_python_dtype(w->e, s, to);
    } else {
        tg_str_add(s, round ? "np.asarray(np.rint(" : "np.asarray(");
        if (!expression(w, s, a, 0)) return false;
        tg_str_add(s, round ? "), " : ", ");
        tg_python_dtype(w->e, s, to);
    }
    tg_str_addc(s, ')');
    return true;
}

static bool plain_argument(tg_emit_writer *w, tg_str *s, const tg_node *n, int i, int min) {
    const tg_node *a = n->arg[i];
    const tg_emitter *e = w->e;
    tg_dtype want = a->type.dtype;
    if (!wanted(e, n, i, &want)) return false;
    bool plain = is_plain(e, a, 0);
    if (plain && !is_torch(e) && want == TG_F32 && !n->type.weak &&
        (n->type.rank == 0 || tg_emit_level(n->op, e->target->spelling(n->op)) > TG_EMIT_POWER)) {
        tg_str_add(s, "np.float32("); /* a single beside a plain number becomes double otherwise */
        if (!expression(w, s, a, 0)) return false;
        tg_str_addc(s, ')');
        return true;
    }
    if (plain) {
        bool arithmetic = tg_emit_level(n->op, e->target->spelling(n->op)) <= TG_EMIT_POWER;
        if (!is_torch(e) ||
            (arithmetic && (n->n == 1 || !is_plain(e, n->arg[1 - i], 0) || is_plain(e, n, 0))))
            return expression(w, s, a, min);
        tg_str_add(s, "torch.tensor(");
        if (!expression(w, s, a, 0)) return false;
        tg_str_add(s, ", dtype=");
        tg_python_dtype(e, s, want);
        tg_str_addc(s, ')');
        return true;
    }
    bool same = a->type.dtype == want && !(a->type.weak && want == TG_F32);
    return same ? expression(w, s, a, min) : converted(w, s, a, want);
}

static bool argument(tg_emit_writer *w, tg_str *s, const tg_node *n, int i, int min) {
    bool more = needs_axis(w->e, n);
    tg_str_add(s, more ? "torch.unsqueeze(" : "");
    if (!plain_argument(w, s, n, i, more ? 0 : min)) return false;
    tg_str_add(s, more ? ", -1)" : "");
    return true;
}

/* ---- the function ---- */

static void put_signature(const tg_emitter *e, tg_str *s) {
    tg_str_addf(s, "def %s(", e->function);
    int n = 0;
    for (int i = 0; i < e->nparams; i++) tg_str_addf(s, n++ ? ", %s" : "%s", e->param[i].name);
    for (int i = 0; i < e->nsizes; i++)
        if (e->size[i].param < 0) tg_str_addf(s, n++ ? ", %s" : "%s", e->size[i].name);
    tg_str_add(s, "):\n");
}

/* What is computed, and of which shapes. */
static bool put_docstring(const tg_emitter *e, tg_str *s) {
    tg_str_add(s, "    \"\"\"");
    for (int i = 0; i < e->ask->n; i++) {
        if (i > 0) tg_str_add(s, "\n    ");
        if (e->ask->called[i]) tg_str_addf(s, "%s = ", e->ask->called[i]);
        if (!tg_node_print(e->rt, s, e->ask->root[i], false)) return false;
    }
    tg_str_add(s, "\n");
    for (int i = 0; i < e->nparams; i++) {
        const tg_node *x = e->param[i].node;
        tg_str_addf(s, i ? "    %s: " : "\n    %s: ", e->param[i].name);
        if (x->type.rank)
            tg_shape_print(e->rt, s, x->type.rank, x->type.dim);
        else
            tg_str_add(s, "a number");
        if (x->op == &tg_op_const) tg_str_add(s, ", a constant of the formula");
        tg_str_addc(s, '\n');
    }
    tg_str_add(s, "    \"\"\"\n");
    return true;
}

/* (g, {'a': h}) */
static bool put_result(tg_emit_writer *w, tg_str *s) {
    tg_emitter *e = w->e;
    tg_str_add(s, "    return ");
    int next = 0;
    for (const char *p = e->ask->form; *p; p++) {
        if (*p != '%') {
            tg_str_addc(s, *p);
            continue;
        }
        const tg_node *n = e->root[next++];
        bool plain = is_torch(e) && is_plain(e, n, 0);
        if (plain) tg_str_add(s, "torch.tensor(");
        if (!expression(w, s, n, 0)) return false;
        if (plain) {
            tg_str_add(s, ", dtype=");
            tg_python_dtype(e, s, e->rt->precision);
            tg_str_addc(s, ')');
        }
    }
    tg_str_addc(s, '\n');
    return true;
}

/* The sizes that the text reads, from the shapes. */
static void put_sizes(const tg_emitter *e, tg_str *s, const char *text) {
    for (int i = 0; i < e->nsizes; i++)
        if (e->size[i].param >= 0 && tg_emit_mentions(text, e->size[i].name))
            tg_str_addf(s, "    %s = %s.shape[%d]\n", e->size[i].name,
                        e->param[e->size[i].param].name, e->size[i].axis);
}

bool tg_python_lines(tg_emitter *e, tg_str *s) {
    tg_emit_writer w = {e, argument, attribute, word};
    for (size_t i = 0; i < e->count; i++) {
        const tg_node *n = e->node[i];
        if (tg_node_is_loop(n) && !tg_python_loop(e, s, n)) return false;
        if (tg_emit_is_leaf(n) || tg_node_is_item(n) || !e->info[i].name) continue;
        tg_str_repeat(s, ' ', 4 * (1 + e->indent));
        tg_str_addf(s, "%s = ", e->info[i].name);
        if (!operation(&w, s, n, 0) || !tg_check_interrupt(&e->rt->c)) return false;
        tg_str_addc(s, '\n');
    }
    return true;
}

bool tg_python_expression(tg_emitter *e, tg_str *s, const tg_node *n) {
    tg_emit_writer w = {e, argument, attribute, word};
    return expression(&w, s, n, 0);
}

/* The functions that the text mentions, and those that these mention, in the table's order. */
static void put_helpers(const tg_emitter *e, const char *body) {
    enum { MOST = 128 };
    bool needed[MOST] = {false};
    int n = 0;
    while (n < MOST && tg_python_helpers[n].name) n++;
    for (int i = n - 1; i >= 0; i--) {
        const char *name = tg_python_helpers[i].name;
        needed[i] = tg_emit_mentions(body, name);
        for (int k = i + 1; k < n && !needed[i]; k++) {
            const char *text =
                is_torch(e) ? tg_python_helpers[k].torch : tg_python_helpers[k].numpy;
            needed[i] = needed[k] && text && tg_emit_mentions(text, name);
        }
    }
    for (int i = 0; i < n; i++) {
        const char *text = is_torch(e) ? tg_python_helpers[i].torch : tg_python_helpers[i].numpy;
        if (needed[i] && text) tg_str_addf(e->out, "\n\n%s", text);
    }
}

static bool mentions_math(const char *text) {
    return strstr(text, "math.") != NULL;
}

static bool write_python(tg_emitter *e) {
    tg_emit_writer w = {e, argument, attribute, word};
    tg_str body = {0}, lines = {0}, *out = e->out;
    put_signature(e, &body);
    bool ok = put_docstring(e, &body) && tg_python_lines(e, &lines) && put_result(&w, &lines);
    put_sizes(e, &body, tg_str_text(&lines));
    tg_str_add(&body, tg_str_text(&lines));
    if (lines.failed) body.failed = true;
    tg_str_free(&lines);
    size_t begin = out->len;
    tg_str_add(out, is_torch(e) ? "import torch\n" : "import numpy as np\n");
    if (ok) put_helpers(e, tg_str_text(&body));
    if (ok && mentions_math(tg_str_text(out) + begin)) { /* only helpers do */
        tg_str all = {0};
        tg_str_addf(&all, "import math\n\n%s", tg_str_text(out) + begin);
        out->len = begin;
        tg_str_add(out, tg_str_text(&all));
        if (all.failed) out->failed = true;
        tg_str_free(&all);
    }
    tg_str_addf(out, "\n\n%s", tg_str_text(&body));
    if (body.failed) out->failed = true;
    tg_str_free(&body);
    return ok;
}

#define PYTHON                                                                                     \
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",            \
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",    \
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return",  \
        "try", "while", "with", "yield", "float", "len", "math", "range", "reversed"

static const char *const numpy_words[] = {PYTHON, "np", NULL};
static const char *const torch_words[] = {PYTHON, "torch", NULL};

const tg_emit_target tg_emit_numpy = {.name = "numpy",
                                      .spelling = numpy_of,
                                      .write = write_python,
                                      .reserved = numpy_words,
                                      .loops = true};
const tg_emit_target tg_emit_torch = {.name = "torch",
                                      .spelling = torch_of,
                                      .write = write_python,
                                      .reserved = torch_words,
                                      .loops = true};
