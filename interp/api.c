/* The embedding interface (include/tg.h) over the interpreter. */
#include "interp/api.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/journal.h"
#include "interp/module.h"
#include "interp/rule.h"
#include "interp/show.h"
#include "interp/progress.h"
#include "interp/store.h"
#include "interp/watch.h"
#include "runtime/ops/document.h"
#include "runtime/pool/pool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void write_stdout(void *user, const char *text, size_t len) {
    (void)user;
    fwrite(text, 1, len, stdout);
}

void tg_write(tg_interp *in, const char *text, size_t len) {
    tg_progress_clear(in);
    if (len > 0) in->line_open = text[len - 1] != '\n';
    in->write(in->user, text, len);
}

/* ---- a session ---- */

static bool library_value(tg_interp *in, const char *name, tg_value v) {
    const char *key = tg_intern(&in->rt.c, name, strlen(name));
    return key && tg_env_set(in->library, key, v);
}

static bool fill_library(tg_interp *in) {
    static const struct {
        const char *name;
        double value;
    } constants[] = {{"pi", 3.14159265358979323846},
                     {"e", 2.71828182845904523536},
                     {"inf", INFINITY},
                     {"nan", NAN}};
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!library_value(in, constants[i].name, tg_value_number(constants[i].value)))
            return false;
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++)
        if (op->class != TG_CLASS_LEAF &&
            !library_value(in, op->name, (tg_value){.tag = TG_V_OP, .as.op = op}))
            return false;
    const tg_builtin *b;
    for (int i = 0; (b = tg_builtin_at(i)); i++)
        if (!library_value(in, b->name, (tg_value){.tag = TG_V_BUILTIN, .as.builtin = b}))
            return false;
    return true;
}

static bool set_arguments(tg_interp *in, const tg_options *o) {
    tg_value args;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, o->argc, &args)) return false;
    for (int i = 0; i < o->argc; i++)
        if (!tg_value_string(&in->rt.c, o->argv[i], strlen(o->argv[i]), &args.as.items->v[i])) {
            tg_value_drop(args);
            return false;
        }
    return tg_value_seal(&in->rt.c, args, &args) && library_value(in, "args", args);
}

tg_state *tg_open(const tg_options *options) {
    static const tg_options defaults;
    const tg_options *o = options ? options : &defaults;
    tg_state *s = tg_alloc_array(1, sizeof *s);
    if (!s) return NULL;
    tg_interp *in = &s->in;
    in->write = o->write ? o->write : write_stdout;
    in->on_stdout = !o->write;
    in->user = o->user;
    if (!tg_rt_init(&in->rt)) {
        tg_rt_free(&in->rt);
        tg_free(s);
        return NULL;
    }
    tg_guard_enter(&in->rt.c);
    in->rt.precision = o->single ? TG_F32 : TG_F64;
    in->rt.seed = o->seed;
    in->rt.forks = o->forks != 0;
    in->colours = o->colours;
    in->terminal = o->terminal;
    in->rt.check_rule = tg_rule_check;
    tg_runtime_set_threads(&in->rt, o->threads > 0 ? o->threads : tg_pool_default_threads());
    in->globals = tg_env_new(NULL);
    in->library = tg_env_new(NULL);
    if (!in->globals || !in->library || !fill_library(in) || !set_arguments(in, o)) {
        tg_close(s);
        return NULL;
    }
    s->opening = tg_setting_now(in);
    bool core = tg_module_use(in, "core", false);
    s->opening_names = in->library->n;
    s->opening_used = in->nused;
    if (!core) {
        if (in->rt.c.diag.kind == TG_ERR_MEMORY) {
            tg_close(s);
            return NULL;
        }
        tg_report(in, &s->error);
        tg_blame_release(in);
    }
    return s;
}

void tg_close(tg_state *s) {
    if (!s) return;
    tg_interp *in = &s->in;
    tg_guard_enter(&in->rt.c);
    tg_journal_free(in);
    if (in->globals) {
        tg_env_clear(in->globals);
        tg_env_clear_ring(in->globals);
    }
    if (in->library) tg_env_clear(in->library);
    tg_free(in->registers);
    for (tg_env *e = in->idle, *next; e; e = next) {
        next = e->dying;
        tg_env_drop(e);
    }
    tg_env_drop(in->globals);
    tg_env_drop(in->library);
    tg_blame_release(in);
    tg_value_drop(in->returned);
    tg_watch_forget(in);
    for (size_t i = 0; i < in->nlifts; i++) tg_cell_drop(in->lifts[i]);
    tg_free(in->lifts);
    for (size_t i = 0; i < in->nslots; i++) tg_cell_drop(in->slots[i]);
    tg_free(in->slots);
    tg_free(in->checked);
    for (int i = 0; i < in->nused; i++) tg_free(in->used[i]);
    tg_free(in->used);
    tg_api_forget_profile(s);
    tg_api_forget_answers(s);
    tg_api_forget_completion(s);
    tg_rt_free(&in->rt);
    tg_str_free(&s->error);
    tg_str_free(&s->document);
    tg_str_free(&s->script);
    tg_free(s);
}

tg_interp *tg_api_enter(tg_state *s) {
    s->in.nremarked = 0;
    tg_guard_enter(&s->in.rt.c);
    tg_clear(&s->in.rt.c);
    tg_blame_release(&s->in);
    s->error.len = 0;
    if (s->error.text) s->error.text[0] = 0;
    s->error.failed = false;
    return &s->in;
}

tg_status tg_api_leave(tg_state *s, bool ok) {
    s->in.rt.c.interrupted = 0; /* one that came too late is not for the next call */
    if (ok) return TG_DONE;
    bool interrupted = s->in.rt.c.diag.kind == TG_ERR_INTERRUPT;
    tg_progress_clear(&s->in);
    tg_report(&s->in, &s->error);
    tg_blame_release(&s->in);
    return interrupted ? TG_INTERRUPTED : TG_FAILED;
}

/* ---- running ---- */

tg_status tg_run_bytes(tg_state *s, const char *name, const char *text, size_t len, int line,
                       int flags) {
    tg_interp *in = tg_api_enter(s);
    tg_source *src = tg_source_new(name, text, len);
    tg_parse_status how = TG_PARSE_OK;
    bool outer = in->echo;
    if (!src) {
        if (len >= UINT32_MAX - 1)
            tg_fail(&in->rt.c, TG_ERR_SYNTAX, "the text is too long: %zu bytes", len);
        else
            tg_fail_memory(&in->rt.c);
        return tg_api_leave(s, false);
    }
    src->first_line = line;
    in->echo = flags & TG_ECHO;
    const bool entry = flags & TG_ENTRY;
    bool ok = !entry || tg_journal_open(in, TG_ENTRY_TYPED);
    const bool open = ok && entry;
    ok = ok && tg_module_run(in, in->globals, src, &how);
    if (open) tg_journal_close(in, ok);
    in->echo = outer;
    tg_status status =
        !ok && how == TG_PARSE_INCOMPLETE && flags & TG_MAY_GO_ON ? TG_MORE : tg_api_leave(s, ok);
    if (status == TG_MORE) tg_clear(&in->rt.c);
    tg_source_drop(src);
    return status;
}

tg_status tg_run(tg_state *s, const char *name, const char *text, int flags) {
    return tg_run_bytes(s, name, text, strlen(text), 1, flags);
}

tg_status tg_run_file(tg_state *s, const char *path, int flags) {
    tg_interp *in = tg_api_enter(s);
    bool outer = in->echo;
    in->echo = flags & TG_ECHO;
    const bool entry = flags & TG_ENTRY;
    bool ok = !entry || tg_journal_open(in, TG_ENTRY_FILE);
    const bool open = ok && entry;
    ok = ok && tg_module_run_file(in, in->globals, path, path);
    if (open) tg_journal_close(in, ok);
    in->echo = outer;
    return tg_api_leave(s, ok);
}

/* Without memory for the whole report, the message alone. */
const char *tg_error(const tg_state *s) {
    return s->error.failed ? s->in.rt.c.diag.msg : tg_str_text(&s->error);
}

tg_output tg_redirect(tg_state *s, tg_output to) {
    tg_interp *in = &s->in;
    tg_output before = {in->write == write_stdout ? NULL : in->write, in->user};
    in->write = to.write ? to.write : write_stdout;
    in->user = to.user;
    return before;
}

void tg_print(tg_state *s, const char *text) {
    tg_write(&s->in, text, strlen(text));
}

int tg_columns(const tg_state *s) {
    return tg_terminal_width(&s->in, 0);
}

tg_status tg_refuse(tg_state *s, const char *message, const char *help) {
    tg_interp *in = tg_api_enter(s);
    tg_fail(&in->rt.c, TG_ERR_USER, "%s", message);
    if (help) tg_help(&in->rt.c, "%s", help);
    return tg_api_leave(s, false);
}

void tg_interrupt(tg_state *s) {
    s->in.rt.c.interrupted = 1;
}

/* ---- values ---- */

/* The value of a name, evaluated; owned. */
static bool get(tg_interp *in, const char *name, tg_value *out) {
    const char *key = tg_intern(&in->rt.c, name, strlen(name));
    tg_value *v = key ? tg_lookup(in, in->globals, key) : NULL;
    if (!key) return false;
    return v ? tg_value_now(in, *v, out) : tg_blame_name(in, in->globals, key);
}

tg_status tg_get_number(tg_state *s, const char *name, double *out) {
    tg_interp *in = tg_api_enter(s);
    tg_value v = TG_NONE_VALUE;
    if (!get(in, name, &v)) return tg_api_leave(s, false);
    bool ok = tg_to_number(in, v, name, out);
    tg_value_drop(v);
    return tg_api_leave(s, ok);
}

tg_status tg_get_tensor(tg_state *s, const char *name, int *rank, int64_t dim[8], double *data,
                        size_t room, size_t *count) {
    tg_interp *in = tg_api_enter(s);
    tg_value v = TG_NONE_VALUE;
    tg_tensor *t;
    if (!get(in, name, &v)) return tg_api_leave(s, false);
    bool ok = tg_to_tensor(in, v, name, &t);
    tg_value_drop(v);
    if (!ok) return tg_api_leave(s, false);
    *rank = t->v.rank;
    memcpy(dim, t->v.dim, (size_t)t->v.rank * sizeof *dim);
    *count = (size_t)tg_view_count(&t->v);
    for (size_t i = 0; data && i < *count && i < room; i++)
        data[i] = tg_view_get(&t->v, (int64_t)i);
    tg_tensor_drop(t);
    return tg_api_leave(s, true);
}

/* Could a program read the name? */
static bool is_name(const char *s) {
    if (!*s || (*s >= '0' && *s <= '9') || tg_is_keyword(s)) return false;
    for (; *s; s++)
        if (!strchr("_", *s) && !((unsigned char)*s >= 0x80) && !(*s >= '0' && *s <= '9') &&
            !((*s | 32) >= 'a' && (*s | 32) <= 'z'))
            return false;
    return true;
}

/* name := v; takes v. */
static tg_status set(tg_state *s, tg_interp *in, const char *name, tg_value v) {
    const char *key = is_name(name) ? tg_intern(&in->rt.c, name, strlen(name)) : NULL;
    if (!key) {
        if (!is_name(name)) tg_fail(&in->rt.c, TG_ERR_NAME, "\"%s\" cannot be a name", name);
        tg_value_drop(v);
        return tg_api_leave(s, false);
    }
    tg_ast target = {.kind = TG_AST_NAME, .name = key}, *targets = &target;
    return tg_api_leave(s, tg_store_all(in, in->globals, 1, &targets, &v));
}

tg_status tg_set_number(tg_state *s, const char *name, double value) {
    tg_interp *in = tg_api_enter(s);
    return set(s, in, name, tg_value_number(value));
}

tg_status tg_set_tensor(tg_state *s, const char *name, int rank, const int64_t *dim,
                        const double *data) {
    tg_interp *in = tg_api_enter(s);
    tg_tensor *t = tg_tensor_new(&in->rt.c, TG_F64, rank, dim);
    if (!t) return tg_api_leave(s, false);
    memcpy(t->v.data, data, (size_t)tg_view_count(&t->v) * sizeof *data);
    return set(s, in, name, tg_value_tensor(t));
}

/* ---- documents ---- */

const char *tg_operations_document(tg_state *s) {
    s->document.len = 0;
    tg_ops_document(&s->document);
    return tg_str_text(&s->document);
}

const char *tg_version(void) {
    return TG_VERSION;
}
