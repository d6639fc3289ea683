/* Spellings with their places filled in. A spelling that begins with its first argument or a minus
 * sign is an operator and binds as the record says; in any other the arguments stand between
 * brackets and commas. */
#include "runtime/export/emit.h"
#include "runtime/ops/attrs.h"

#include <ctype.h>
#include <string.h>

static bool is_operator(const tg_op *op, const char *text) {
    return (op->style == TG_PRINT_INFIX && text[0] == '{') ||
           (op->style == TG_PRINT_PREFIX && text[0] == '-');
}

int tg_emit_level(const tg_op *op, const char *text) {
    return is_operator(op, text) ? op->precedence : TG_EMIT_TIGHT + 1;
}

bool tg_emit_mentions(const char *text, const char *word) {
    size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)); p += n) {
        bool left = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '_' || p[-1] == '.');
        if (left && !isalnum((unsigned char)p[n]) && p[n] != '_') return true;
    }
    return false;
}

static int param_named(const tg_op *op, const char *name, size_t len) {
    for (int i = 0; op->param[i].name; i++)
        if (strlen(op->param[i].name) == len && memcmp(op->param[i].name, name, len) == 0 &&
            !tg_param_is_tensor(op->param[i].kind))
            return i;
    return -1;
}

static int rank_of(const tg_node *n) {
    return n->n > 0 ? n->arg[0]->type.rank : 0;
}

/* Left out at its default; an axis also goes with keep, which says nothing without it. */
static bool is_omitted(const tg_node *n, int k) {
    const tg_op *op = n->op;
    if (!tg_attr_is_default(op, k, rank_of(n), n->at)) return false;
    for (int i = 0; op->param[k].kind == TG_P_AXES && op->param[i].name; i++)
        if (op->param[i].kind == TG_P_FLAG && !tg_attr_is_default(op, i, rank_of(n), n->at))
            return false;
    return true;
}

/* The least precedence of an argument without brackets: `right` is behind the operator. */
static int least(const tg_op *op, const char *text, bool right) {
    if (!is_operator(op, text)) return 0;
    int p = op->precedence;
    if (op->style == TG_PRINT_PREFIX) return p;
    if (p == TG_EMIT_POWER) return right ? TG_EMIT_MINUS : TG_EMIT_TIGHT;
    return p + (right || p == 4);
}

/* {args}: all of them */
static bool write_list(tg_emit_writer *w, tg_str *s, const tg_node *n) {
    for (int i = 0; i < n->n; i++) {
        if (i > 0) tg_str_add(s, ", ");
        if (!w->argument(w, s, n, i, 0)) return false;
    }
    return true;
}

static bool write_place(tg_emit_writer *w, tg_str *s, const tg_node *n, const char *text,
                        const char *p, size_t len, bool *fits) {
    bool tight = len == 2 && p[1] == '!';
    if (isdigit((unsigned char)p[0]) && (len == 1 || tight))
        return w->argument(w, s, n, p[0] - '0',
                           tight ? TG_EMIT_TIGHT : least(n->op, text, p > text + 1));
    if (len == 4 && memcmp(p, "args", 4) == 0) return write_list(w, s, n);
    if (p[0] == ',') { /* {, dim=axis} */
        const char *eq = memchr(p, '=', len);
        int k = eq ? param_named(n->op, eq + 1, len - (size_t)(eq + 1 - p)) : -1;
        if (k < 0) return false;
        if (is_omitted(n, k)) return true;
        tg_str_addn(s, p, (size_t)(eq + 1 - p));
        return w->attribute(w, s, n, k);
    }
    int k = param_named(n->op, p, len);
    return k >= 0 ? w->attribute(w, s, n, k) : w->word(w, s, n, p, len, fits);
}

static bool fill(tg_emit_writer *w, tg_str *s, const tg_node *n, const char *text, const char *end,
                 bool *fits) {
    *fits = true;
    for (const char *p = text; p < end && *fits; p++) {
        if (*p != '{') {
            tg_str_addc(s, *p);
            continue;
        }
        size_t len = strcspn(p + 1, "}");
        if (!write_place(w, s, n, text, p + 1, len, fits))
            return w->e->rt->c.diag.kind != TG_ERR_NONE
                       ? false
                       : tg_fail(&w->e->rt->c, TG_ERR_VALUE, "the spelling %s of %s is faulty",
                                 text, n->op->name);
        p += len + 1;
    }
    return true;
}

bool tg_emit_template(tg_emit_writer *w, tg_str *s, const tg_node *n, const char *text) {
    const char *other = strstr(text, " | ");
    size_t before = s->len;
    bool fits = true;
    if (!fill(w, s, n, text, other ? other : text + strlen(text), &fits)) return false;
    if (fits) return true;
    if (!other)
        return tg_fail(&w->e->rt->c, TG_ERR_VALUE, "the spelling %s of %s does not fit", text,
                       n->op->name);
    if (s->text) s->text[s->len = before] = 0;
    return fill(w, s, n, other + 3, other + strlen(other), &fits);
}
