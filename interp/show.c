/* Values as text. One printer serves print, {x} and the echo of the prompt; they differ in the
 * number of digits and in whether text is quoted. Containers are written on one line while that is
 * short, otherwise one item a line; within them tensors are kept to a line. Formulas are evaluated
 * where their data are known and written as formulas where not. */
#include "interp/show.h"
#include "interp/nonfinite.h"
#include "runtime/graph/print.h"

#include <string.h>

enum {
    LINE_MOST = 90,   /* columns of a container on one line */
    ITEMS_MOST = 100, /* items of a container that are all shown */
    ITEMS_HEAD = 10,  /* of a longer one: from the beginning, */
    ITEMS_TAIL = 3,   /* and from the end */
    DEPTH_MOST = 32,  /* containers within containers; what is deeper is left out */
};

/* ---- text and functions ---- */

/* Quoted so that it reads back. */
static void add_quoted(const tg_text *t, tg_str *out) {
    tg_str_addc(out, '"');
    for (size_t i = 0; i < t->len; i++) {
        unsigned char ch = (unsigned char)t->bytes[i];
        switch (ch) {
        case '"': tg_str_add(out, "\\\""); break;
        case '\\': tg_str_add(out, "\\\\"); break;
        case '{': tg_str_add(out, "{{"); break;
        case '}': tg_str_add(out, "}}"); break;
        case '\n': tg_str_add(out, "\\n"); break;
        case '\t': tg_str_add(out, "\\t"); break;
        case '\r': tg_str_add(out, "\\r"); break;
        default:
            if (ch < 0x20 || ch == 0x7F)
                tg_str_addf(out, "\\u{%x}", (unsigned)ch);
            else
                tg_str_addc(out, (char)ch);
        }
    }
    tg_str_addc(out, '"');
}

/* The definition as the user wrote it; of a derivative f' the name, or the definition in brackets.
 */
static void add_function(const tg_function *f, tg_str *out) {
    int primes = 0;
    if (f->by) { /* jacobian(f) */
        tg_str_addf(out, "%s(", f->by->name);
        if (f->native.tag == TG_V_FUNCTION)
            add_function(f->native.as.function, out);
        else
            tg_str_add(out, f->native.tag == TG_V_OP ? f->native.as.op->name
                                                     : f->native.as.builtin->name);
        tg_str_addc(out, ')');
        return;
    }
    for (; f->primal; f = f->primal) primes++;
    if (!f->def) primes++; /* the derivative of an operation or builtin */
    if (primes && f->name) {
        tg_str_add(out, f->name);
    } else if (f->def) {
        const tg_span *span = &f->def->span;
        bool bare = primes && !(f->def->flags & TG_AST_PARENS);
        tg_str_add(out, bare ? "(" : "");
        tg_str_addn(out, span->src->text + span->lo, span->hi - span->lo);
        tg_str_add(out, bare ? ")" : "");
    } else if (f->native.tag == TG_V_OP) {
        tg_str_add(out, f->native.as.op->name);
    } else if (f->native.tag == TG_V_BUILTIN) {
        tg_str_add(out, f->native.as.builtin->name);
    }
    tg_str_repeat(out, '\'', primes);
}

/* ---- containers ---- */

static bool add_text(const tg_shower *s, const char *text, size_t n, tg_str *out) {
    if (s->spec && !s->inlined) return tg_spec_text(&s->in->rt.c, s->spec, text, n, out);
    tg_str_addn(out, text, n);
    return true;
}

/* The texts of the items that are shown, one behind the other; end[k] is where the k-th ends. */
typedef struct pieces {
    tg_str text;
    int n;
    size_t end[ITEMS_MOST + 1];
} pieces;

static bool fill_pieces(const tg_shower *s, const tg_items *items, pieces *p) {
    tg_shower within = *s;
    within.inlined = within.quoted = true;
    within.depth++;
    for (int i = 0; i < items->n; i++) {
        if (items->n > ITEMS_MOST && i == ITEMS_HEAD) {
            tg_str_add(&p->text, "...");
            i = items->n - ITEMS_TAIL - 1;
        } else {
            if (items->field) tg_str_addf(&p->text, "%s: ", items->field[i]);
            if (!tg_show_with(&within, items->v[i], &p->text)) return false;
        }
        p->end[p->n++] = p->text.len;
    }
    return true;
}

/* The k-th text, its lines after the first indented by two more columns. */
static void add_piece(const pieces *p, int k, tg_str *out) {
    const char *text = tg_str_text(&p->text);
    for (size_t i = k ? p->end[k - 1] : 0; i < p->end[k]; i++) {
        tg_str_addc(out, text[i]);
        if (text[i] == '\n') tg_str_add(out, "  ");
    }
}

/* What an answer says, its ticks and crosses painted. */
static bool add_ticked(const char *text, tg_str *out) {
    static const struct {
        const char *mark;
        tg_ink ink;
    } marks[] = {{"\u2713", TG_INK_GOOD}, {"\u2717", TG_INK_BAD}};
    while (*text) {
        const tg_ink *ink = NULL;
        size_t n = 1;
        for (int i = 0; i < 2; i++)
            if (strncmp(text, marks[i].mark, strlen(marks[i].mark)) == 0) {
                ink = &marks[i].ink;
                n = strlen(marks[i].mark);
            }
        if (ink) tg_str_add(out, tg_ink_on(true, *ink));
        tg_str_addn(out, text, n);
        if (ink) tg_str_add(out, tg_ink_off(true));
        text += n;
    }
    return true;
}

static bool add_container(const tg_shower *s, tg_value v, tg_str *out) {
    const tg_text *said = tg_value_said(v);
    if (said && !s->colours) return add_text(s, said->bytes, said->len, out);
    if (said) return add_ticked(said->bytes, out);
    const char *open = v.tag == TG_V_RECORD ? "{" : v.tag == TG_V_TUPLE ? "(" : "[";
    const char *close = v.tag == TG_V_RECORD ? "}" : v.tag == TG_V_TUPLE ? ")" : "]";
    if (s->depth == DEPTH_MOST && v.as.items->n > 0) {
        tg_str_addf(out, "%s...%s", open, close);
        return true;
    }
    pieces p = {0};
    bool ok = fill_pieces(s, v.as.items, &p);
    const char *text = tg_str_text(&p.text);
    int width = s->indent + tg_utf8_width(text, p.text.len) + 2 * p.n;
    bool tall = strchr(text, '\n') || width > LINE_MOST;
    tg_str_add(out, open);
    for (int k = 0; k < p.n; k++) {
        if (k > 0) tg_str_add(out, tall ? "," : ", ");
        if (tall) tg_str_add(out, "\n  ");
        add_piece(&p, k, out);
    }
    if (v.tag == TG_V_TUPLE && p.n == 1) tg_str_addc(out, ',');
    if (tall) tg_str_addc(out, '\n');
    tg_str_add(out, close);
    if (p.text.failed) out->failed = true;
    tg_str_free(&p.text);
    return ok;
}

/* ---- values ---- */

tg_style tg_show_style(const tg_interp *in, double x) {
    return in->rt.precision == TG_F32 && (double)(float)x == x ? TG_STYLE_SINGLE : TG_STYLE_FULL;
}

static bool add_number(const tg_shower *s, double x, tg_str *out) {
    tg_style style = s->style == TG_STYLE_FULL ? tg_show_style(s->in, x) : s->style;
    if (s->spec) return tg_spec_number(&s->in->rt.c, s->spec, x, style, out);
    tg_format_painted(out, x, style, s->colours);
    return true;
}

static bool add_bool(const tg_shower *s, bool truth, tg_str *out) {
    if (s->spec && s->spec->type && s->spec->type != 's') return add_number(s, truth, out);
    return add_text(s, truth ? "true" : "false", truth ? 4 : 5, out);
}

/* A name that stands for something is not given to a part of a formula. */
static bool is_taken(void *user, const char *name) {
    tg_interp *in = user;
    const char *interned = tg_intern(&in->rt.c, name, strlen(name));
    return !interned || tg_env_find(in->globals, interned) || tg_env_find(in->library, interned);
}

bool tg_show_node(tg_interp *in, tg_value v, int indent, size_t limit, tg_str *out) {
    tg_print_options o = {.unfold = v.unfold == TG_UNFOLD_MOST ? TG_UNFOLD_ALL : (int)v.unfold,
                          .limit = limit,
                          .width = LINE_MOST,
                          .indent = indent,
                          .taken = is_taken,
                          .user = in};
    return tg_node_print_with(&in->rt, out, v.as.node, &o);
}

static bool add_value(const tg_shower *s, tg_value v, tg_str *out) {
    tg_layout layout = {.style = s->style,
                        .spec = s->spec,
                        .indent = s->indent,
                        .inlined = s->inlined,
                        .colours = s->colours};
    switch (v.tag) {
    case TG_V_NONE: return add_text(s, "none", 4, out);
    case TG_V_NUMBER: return add_number(s, v.as.number, out);
    case TG_V_BOOL: return add_bool(s, v.as.truth, out);
    case TG_V_STRING:
        if (!s->quoted || (v.as.text->bare && s->depth == 0))
            return add_text(s, v.as.text->bytes, v.as.text->len, out);
        add_quoted(v.as.text, out);
        return true;
    case TG_V_TENSOR: return tg_format_tensor(&s->in->rt, v.as.tensor, &layout, out);
    case TG_V_FORMULA: return tg_node_print(&s->in->rt, out, v.as.node, v.unfold > 0);
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD: return add_container(s, v, out);
    case TG_V_FUNCTION: add_function(v.as.function, out); return true;
    case TG_V_OP: tg_op_signature(out, v.as.op); return true;
    case TG_V_BUILTIN: tg_str_add(out, v.as.builtin->signature); return true;
    case TG_V_RANGE:
        if (!add_number(s, v.as.range->lo, out)) return false;
        tg_str_add(out, "..");
        return add_number(s, v.as.range->hi, out);
    case TG_V_STREAM: tg_str_add(out, tg_value_kind(v)); return true;
    }
    return true;
}

bool tg_show_with(const tg_shower *s, tg_value v, tg_str *out) {
    tg_ctx *c = &s->in->rt.c;
    if (!tg_guard(c) || !tg_check_interrupt(c) || !add_value(s, v, out)) return false;
    return !out->failed || tg_fail_memory(&s->in->rt.c);
}

bool tg_show_value(tg_interp *in, tg_value v, const char *spec, tg_str *out) {
    tg_spec parsed;
    tg_shower s = {.in = in, .style = TG_STYLE_FULL};
    if (spec && spec[0]) {
        if (!tg_spec_parse(&in->rt.c, spec, &parsed)) return false;
        s.spec = &parsed;
    }
    if (!tg_is_live(v) || tg_value_said(v)) return tg_show_with(&s, v, out);
    tg_value now;
    if (tg_value_now(in, v, &now)) {
        bool ok = tg_show_with(&s, now, out) && tg_nonfinite_shown(in, v, now, NULL);
        tg_value_drop(now);
        return ok;
    }
    if (in->rt.c.diag.kind != TG_ERR_DATA || s.spec) return false;
    tg_clear(&in->rt.c); /* what has no value yet is shown as it is written */
    return tg_show_with(&s, v, out);
}
