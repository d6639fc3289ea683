/* Values as text. One printer serves print, {x} and the echo of the prompt; they differ in the
 * number of digits, in whether text is quoted, and in that the echo fits its terminal and cuts long
 * text, saying so. Containers are the matter of show_items.c, tensors of show_tensor.c. Formulas
 * are evaluated where their data are known and written as formulas where not. */
#include "interp/show.h"
#include "base/terminal.h"
#include "interp/nonfinite.h"
#include "runtime/graph/print.h"

#include <string.h>
#include <unistd.h>

enum {
    LINE_MOST = 90,      /* columns of a formula */
    TEXT_MOST = 2000,    /* bytes of text that the prompt shows whole, */
    TEXT_WITHIN = 200,   /* and within a container */
    TRIAL_MOST = 1 << 16 /* elements of a tensor that are looked at to see whether it fits */
};

/* ---- text and functions ---- */

/* The first n bytes, quoted so that they read back. */
static void add_quoted(const tg_text *t, size_t n, tg_str *out) {
    tg_str_addc(out, '"');
    for (size_t i = 0; i < n; i++) {
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

/* On the screen the beginning is enough of a long one, if it is said that there is more. */
static void add_text_shown(const tg_shower *s, const tg_text *t, tg_str *out) {
    size_t most = s->depth > 0 ? TEXT_WITHIN : TEXT_MOST, n = t->len;
    if (s->cut && n > most) { n = tg_utf8_start(t->bytes, most); }
    add_quoted(t, n, out);
    if (n == t->len) return;
    tg_str_add(out, tg_ink_on(s->colours, TG_INK_NOTE));
    tg_str_addf(out, " ... %zu of %zu bytes%s", n, t->len, s->depth > 0 ? "" : "; print shows all");
    tg_str_add(out, tg_ink_off(s->colours));
}

static void add_axis(tg_value v, tg_str *out) {
    bool record = v.tag == TG_V_RECORD;
    if (v.tag == TG_V_NUMBER) tg_str_addf(out, "%g", v.as.number);
    if (v.tag != TG_V_TUPLE && v.tag != TG_V_LIST && !record) {
        tg_str_add(out, v.tag == TG_V_NUMBER ? "" : "none");
        return;
    }
    tg_str_addc(out, record ? '{' : '(');
    for (int i = 0; i < v.as.items->n; i++) {
        tg_str_add(out, i ? ", " : "");
        if (record) tg_str_addf(out, "%s: ", v.as.items->field[i]);
        add_axis(v.as.items->v[i], out);
    }
    tg_str_add(out, record ? "}" : v.as.items->n == 1 ? ",)" : ")");
}

/* ", axis=(0, none)" of vmap(f, axis=(0, none)), where it is not 0. */
static void add_axes(const tg_function *f, tg_str *out) {
    static const char *const name[2] = {"axis", "out"};
    for (int i = 0; f->given.tag == TG_V_TUPLE && i < 2; i++) {
        tg_value v = f->given.as.items->v[i];
        if (v.tag == TG_V_NUMBER && v.as.number == 0) continue;
        tg_str_addf(out, ", %s=", name[i]);
        add_axis(v, out);
    }
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
        add_axes(f, out);
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
    if (said && s->colours) return add_ticked(said->bytes, out);
    return said ? add_text(s, said->bytes, said->len, out) : tg_show_items(s, v, out);
}

/* ---- values ---- */

static bool add_number(const tg_shower *s, double x, tg_str *out) {
    bool full = s->style == TG_STYLE_FULL || s->style == TG_STYLE_LONG;
    bool single = s->in->rt.precision == TG_F32 && (double)(float)x == x;
    tg_style style = full && single ? TG_STYLE_SINGLE : s->style;
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

int tg_terminal_width(const tg_interp *in, int usual) {
    enum { LEAST = 20 };
    const int columns = in->terminal ? tg_terminal_columns(STDOUT_FILENO, 0) : 0;
    if (columns == 0) return usual;
    return columns < LEAST + in->margin ? LEAST : columns - in->margin;
}

/* A formula is broken so that a little more fits too. */
static int formula_width(const tg_interp *in) {
    enum { TOLERANCE = 10 };
    int most = tg_terminal_width(in, LINE_MOST + TOLERANCE) - TOLERANCE;
    return most < LINE_MOST ? most : LINE_MOST;
}

bool tg_show_node(tg_interp *in, tg_value v, int indent, size_t limit, tg_str *out) {
    tg_print_options o = {.unfold = v.unfold == TG_UNFOLD_MOST ? TG_UNFOLD_ALL : (int)v.unfold,
                          .limit = limit,
                          .width = formula_width(in),
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
                        .brief = s->depth > 0,
                        .colours = s->colours,
                        .shaped = s->noted && s->depth == 0,
                        .typed = s->noted && s->depth == 0,
                        .width = s->width};
    switch (v.tag) {
    case TG_V_NONE: return add_text(s, "none", 4, out);
    case TG_V_NUMBER: return add_number(s, v.as.number, out);
    case TG_V_BOOL: return add_bool(s, v.as.truth, out);
    case TG_V_STRING:
        if (!s->quoted || (v.as.text->bare && s->depth == 0))
            return add_text(s, v.as.text->bytes, v.as.text->len, out);
        add_text_shown(s, v.as.text, out);
        return true;
    case TG_V_TENSOR:
        if (s->trial && tg_view_count(&v.as.tensor->v) > TRIAL_MOST) {
            s->trial->over = true;
            return true;
        }
        return tg_format_tensor(&s->in->rt, v.as.tensor, &layout, out);
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
    case TG_V_STREAM:
    case TG_V_UNKNOWN: tg_str_add(out, tg_value_kind(v)); return true;
    }
    return true;
}

tg_shower tg_show_at_prompt(tg_interp *in, int indent) {
    return (tg_shower){.in = in,
                       .style = in->format,
                       .indent = indent,
                       .width = tg_terminal_width(in, 0),
                       .quoted = true,
                       .cut = in->echo,
                       .colours = tg_echo_colours(in),
                       .noted = true};
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
