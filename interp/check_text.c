/* tg_check_text: from a text to its findings.
 *
 * A text that cannot be parsed is tried again behind the statement that failed, which ends where a
 * line begins without a blank or a closing bracket: so one mistake does not hide the next. Nothing
 * else is said of such a text, as names that were not read would seem to be unknown. */
#include "interp/check.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "interp/api.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/module.h"

#include <string.h>

/* ---- findings ---- */

/* Has this been told? From now on it has. */
static bool is_told(tg_checker *k, const tg_diag *d) {
    uint64_t key =
        tg_hash_text(d->msg) ^ ((uint64_t)d->at.lo << 32 | d->at.hi) * 0x9E3779B97F4A7C15u;
    if (d->at.src) key ^= tg_hash_text(d->at.src->name);
    for (size_t i = 0; i < k->ntold; i++)
        if (k->told[i] == key) return true;
    void *p = k->told;
    if (!tg_grow(&p, &k->told_cap, k->ntold + 1, sizeof *k->told)) return false;
    k->told = p;
    k->told[k->ntold++] = key;
    return false;
}

static int last_column(const tg_diag *d, int line) {
    int last, column;
    size_t lo, hi;
    tg_source_place(d->at.src, d->at.hi, &last, &column, &lo, &hi);
    return last == line ? column : 0;
}

bool tg_check_tell(tg_interp *in, tg_finding_kind kind) {
    tg_checker *k = in->checking;
    tg_diag *d = &in->rt.c.diag;
    if (d->kind == TG_ERR_MEMORY || d->kind == TG_ERR_INTERRUPT) return false;
    if (!k->spent && !is_told(k, d)) {
        size_t lo, hi;
        bool colours = in->colours & TG_COLOURS_ERROR, warning = kind == TG_FINDING_WARNING;
        tg_finding f = {.kind = kind, .message = d->msg, .help = d->help};
        if (d->at.src) {
            f.file = d->at.src->name;
            tg_source_place(d->at.src, d->at.lo, &f.line, &f.column, &lo, &hi);
            f.last_column = last_column(d, f.line);
        }
        k->text.len = 0;
        if (!tg_report_as(in, warning ? "warning:" : "error:",
                          warning ? TG_INK_WARNING : TG_INK_ERROR, colours, &k->text))
            return tg_fail_memory(&in->rt.c);
        f.report = tg_str_text(&k->text);
        k->tell(k->user, &f);
    }
    tg_clear(&in->rt.c);
    tg_blame_release(in);
    return true;
}

void tg_check_remark(tg_interp *in, const char *text) {
    const tg_diag pending = in->rt.c.diag;
    tg_clear(&in->rt.c);
    tg_fail(&in->rt.c, TG_ERR_USER, "%s", text);
    if (in->checking->statement) in->rt.c.diag.at = in->checking->statement->span;
    if (in->checking->calls == 0) tg_check_tell(in, TG_FINDING_WARNING);
    in->rt.c.diag = pending;
}

/* "[N, 10]   needs X" */
static bool describe(tg_interp *in, tg_value v, tg_str *s) {
    const tg_cell *c = tg_value_cell(v);
    tg_type type;
    if (v.tag == TG_V_RECORD || v.tag == TG_V_TUPLE || v.tag == TG_V_LIST) {
        tg_str_addf(s, "%s of %d", tg_value_kind(v), v.as.items->n);
    } else if (v.tag == TG_V_UNKNOWN) {
        tg_str_add(s, "not known before it runs");
    } else if (v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA) {
        type = tg_type_of(v);
        if (type.rank > 0)
            tg_shape_print(&in->rt, s, type.rank, type.dim);
        else
            tg_str_add(s, v.tag == TG_V_FORMULA && v.as.node->live ? "scalar" : "a number");
    } else {
        tg_str_add(s, tg_value_kind(v));
    }
    if (c) tg_str_add(s, c->kind == TG_CELL_VAR ? "   var" : "   input");
    if (v.tag != TG_V_FORMULA || c || !v.as.node->live) return true;
    tg_str needs = {0};
    bool ok = tg_node_needs(&in->rt, 1, &v.as.node, &needs);
    if (ok && needs.len > 0) tg_str_addf(s, "   needs %s", tg_str_text(&needs));
    tg_str_free(&needs);
    return ok;
}

bool tg_check_tell_shape(tg_interp *in, const tg_ast *target) {
    tg_checker *k = in->checking;
    const tg_value *v = tg_env_find(in->globals, target->name);
    tg_diag where = {.kind = TG_ERR_USER, .msg = "shape", .at = target->span};
    if (!v || k->spent || is_told(k, &where)) return true;
    tg_finding f = {.kind = TG_FINDING_SHAPE, .help = ""};
    tg_str message = {0};
    size_t lo, hi;
    tg_str_addf(&message, "%s : ", target->name);
    bool ok = describe(in, *v, &message);
    if (target->span.src) {
        f.file = target->span.src->name;
        tg_source_place(target->span.src, target->span.lo, &f.line, &f.column, &lo, &hi);
        f.last_column = last_column(&where, f.line);
    }
    f.message = tg_str_text(&message);
    k->text.len = 0;
    tg_str_addf(&k->text, "%s:%d  %s", f.file ? f.file : "", f.line, f.message);
    ok = ok && !message.failed && !k->text.failed;
    f.report = tg_str_text(&k->text);
    if (ok) k->tell(k->user, &f);
    tg_str_free(&message);
    return ok || tg_fail_memory(&in->rt.c);
}

/* ---- parsing on behind an error ---- */

/* Where the next statement seems to begin behind `at`; the text's length: nowhere. */
static size_t next_start(const tg_source *src, size_t at) {
    while (at < src->len) {
        const char *end = memchr(src->text + at, '\n', src->len - at);
        if (!end) break;
        at = (size_t)(end - src->text) + 1;
        if (at < src->len && !strchr(" \t\r\n)]}#", src->text[at])) return at;
    }
    return src->len;
}

/* The same text with blanks up to `at`: places stay what they are. */
static tg_source *text_from(tg_interp *in, const tg_source *src, size_t at) {
    tg_source *rest = tg_source_new(src->name, src->text, src->len);
    if (!rest) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    rest->first_line = src->first_line;
    for (size_t i = 0; i < at; i++)
        if (rest->text[i] != '\n') rest->text[i] = ' ';
    return rest;
}

enum { SYNTAX_MOST = 20 };

/* A byte that no text has: the file is no program, and more such bytes say nothing new. */
static bool is_at_no_text(const tg_span *at) {
    unsigned char b = at->src && at->lo < at->src->len ? (unsigned char)at->src->text[at->lo] : ' ';
    if (b > 0 && b < 0x80) return false;
    return b == 0 || tg_utf8_next(at->src->text + at->lo, at->src->len - at->lo, NULL) == 1;
}

/* The pending error of a text that could not be parsed, and those behind it. */
static bool tell_syntax(tg_interp *in, tg_source *src) {
    tg_source *rest = NULL;
    bool ok = true;
    size_t at = 0;
    for (int i = 0; ok && i < SYNTAX_MOST; i++) {
        const tg_diag *d = &in->rt.c.diag;
        size_t from = d->at.lo; /* where a bracket was opened, if that was never closed */
        if (d->with[0].src && d->with[0].lo < from && d->with[0].lo >= at) from = d->with[0].lo;
        bool over = d->kind != TG_ERR_SYNTAX || !d->at.src || is_at_no_text(&d->at);
        at = over ? src->len : next_start(src, from);
        tg_unit *unit = NULL;
        ok = tg_check_tell(in, TG_FINDING_ERROR);
        tg_source_drop(rest);
        rest = NULL;
        if (!ok || at >= src->len) break;
        rest = text_from(in, src, at);
        ok = rest != NULL;
        if (!ok || tg_parse(&in->rt.c, rest, &unit) == TG_PARSE_OK) {
            tg_unit_drop(unit);
            break;
        }
    }
    tg_source_drop(rest);
    return ok;
}

/* ---- the whole ---- */

static bool walk(tg_interp *in, tg_unit *unit) {
    tg_unit *outer = in->unit;
    bool ok = true;
    in->unit = unit;
    for (int i = 0; ok && i < unit->n; i++) {
        tg_value last = TG_NONE_VALUE;
        ok = tg_check_exec(in, in->globals, unit->statements[i], &last) != TG_FLOW_ERROR;
        tg_value_drop(last);
        tg_graph_collect(&in->rt, false);
    }
    in->unit = outer;
    return ok;
}

bool tg_check_source(tg_interp *in, tg_source *src) {
    tg_checker *k = in->checking;
    tg_unit *unit = NULL;
    if (tg_parse(&in->rt.c, src, &unit) != TG_PARSE_OK) {
        k->lost = true;
        return tell_syntax(in, src);
    }
    k->texts++;
    bool ok = walk(in, unit);
    k->texts--;
    ok = ok && (k->texts > 0 || tg_check_uncalled(in)) && (k->lost || tg_check_names(in, unit));
    tg_unit_drop(unit);
    return ok;
}

static void forget(tg_checker *k) {
    for (size_t i = 0; i < k->nfunctions; i++)
        tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = k->functions[i]});
    tg_free(k->functions);
    tg_free((void *)k->seen);
    tg_free(k->writes);
    tg_free(k->exits);
    tg_str_free(&k->text);
    tg_free(k->told);
    tg_free(k->stored);
}

tg_status tg_check_text(tg_state *s, const char *name, const char *text, size_t len,
                        void (*tell)(void *user, const tg_finding *finding), void *user) {
    tg_interp *in = tg_api_enter(s);
    tg_checker k = {.tell = tell, .user = user, .turns = 1};
    tg_source *src = tg_source_new(name, text, len);
    bool ok = src ? true : tg_fail_memory(&in->rt.c);
    const char *args = tg_intern(&in->rt.c, "args", 4); /* other ones in each run */
    ok = ok && args && tg_env_set(in->library, args, (tg_value){.tag = TG_V_UNKNOWN});
    bool (*check_rule)(tg_rt * rt, tg_node * call) = in->rt.check_rule;
    char *dir = in->dir, *own = tg_module_folder(name);
    ok = ok && (own || tg_fail_memory(&in->rt.c));
    in->checking = &k;
    in->rt.check_rule = NULL;
    in->no_code++;
    in->dir = own;
    ok = ok && tg_check_source(in, src);
    in->dir = dir;
    in->no_code--;
    in->rt.check_rule = check_rule;
    in->checking = NULL;
    tg_source_drop(src);
    tg_free(own);
    forget(&k);
    return tg_api_leave(s, ok);
}
