/* What could stand where the cursor is (tg_complete_at of include/tg.h). The text before it is
 * walked once by tg_scan; what matters of it is the word that ends at the cursor, the names and
 * dots before that, and which call's brackets are open around it. Names are looked up where they
 * are kept, and fields in the records that they hold: nothing is evaluated, so that Tab never
 * computes. */
#include "interp/api.h"

#include "base/alloc.h"
#include "interp/call.h"
#include "interp/module.h"
#include "interp/topics.h"

#include <stdlib.h>
#include <string.h>

typedef struct part {
    size_t lo, hi;
} part;

/* Where the cursor stands. */
typedef struct place {
    const char *text;
    size_t cursor;
    part word;        /* ends at the cursor; perhaps empty */
    part base;        /* of a field: the names before its dot */
    bool field;       /* the word stands behind a dot */
    bool known;       /* ... of something with a name */
    bool argument;    /* it begins an argument of a call */
    part callee;      /* of the innermost call; empty: none */
    size_t arguments; /* where its bracket stands */
    bool text_around; /* within a string, ... */
    size_t text_at;   /* ... whose quote stands here */
    bool nothing;     /* within a comment, or at a number */
} place;

/* One candidate being collected. */
typedef struct found {
    const char *text, *kind, *behind;
    size_t signature; /* from there in the store's text; SIZE_MAX: none */
} found;

struct tg_completing_store {
    tg_str text; /* signatures, each ended by 0 */
    found *found;
    size_t n, cap;
    tg_candidate *items;
    size_t items_cap;
    bool failed;
};

/* ---- where ---- */

static place look(const char *text, size_t cursor) {
    place p = {.text = text, .cursor = cursor, .word = {cursor, cursor}};
    part callee[TG_SCAN_DEEPEST] = {{0, 0}}, path = {0, 0};
    tg_scan scan = {.text = text, .len = cursor};
    tg_scan_kind kind, before = TG_SCAN_END;
    char sign = 0; /* of the token before: its first character, if it has one only */
    bool dotted = false, dots_named = false, argument = false;
    while ((kind = tg_scan_next(&scan)) != TG_SCAN_END) {
        const bool word = kind == TG_SCAN_NAME || kind == TG_SCAN_KEYWORD;
        const bool at_end = scan.hi == cursor;
        p.nothing = at_end && (kind == TG_SCAN_COMMENT || kind == TG_SCAN_NUMBER);
        if (kind == TG_SCAN_COMMENT) continue;
        argument = before == TG_SCAN_OPEN || sign == ',';
        if (word) {
            dotted = sign == '.';
            if (!dotted) path.lo = scan.lo;
            p.word = at_end ? (part){scan.lo, cursor} : (part){cursor, cursor};
            p.base = (part){path.lo, dotted ? path.hi : path.lo};
            p.field = at_end && dotted;
            p.known = dots_named;
            path.hi = scan.hi;
        } else {
            p.field = at_end && scan.hi - scan.lo == 1 && text[scan.lo] == '.';
            if (p.field) p.base = path;
            p.known = dots_named =
                text[scan.lo] == '.' && (before == TG_SCAN_NAME && (!dotted || dots_named));
            if (at_end) p.word = (part){cursor, cursor};
        }
        if (kind == TG_SCAN_OPEN && scan.depth <= TG_SCAN_DEEPEST)
            callee[scan.depth - 1] =
                before == TG_SCAN_NAME && text[scan.lo] == '(' ? path : (part){0, 0};
        before = kind;
        sign = scan.hi - scan.lo == 1 ? text[scan.lo] : '\0';
    }
    if (p.word.lo == cursor) argument = before == TG_SCAN_OPEN || sign == ',';
    if (scan.depth > 0 && scan.depth <= TG_SCAN_DEEPEST) {
        const int top = scan.depth - 1;
        p.text_around = scan.open[top].by == '"';
        p.text_at = scan.open[top].at;
        if (scan.open[top].by == '(') {
            p.callee = callee[top];
            p.arguments = scan.open[top].at;
            p.argument = argument && p.callee.hi > p.callee.lo;
        }
    }
    return p;
}

/* ---- values by their names ---- */

static const char *intern(tg_interp *in, const char *text, part w) {
    return tg_intern(&in->rt.c, text + w.lo, w.hi - w.lo);
}

/* What `a.b.c` stands for, as it is; NULL: nothing. */
static const tg_value *value_at(tg_interp *in, const char *text, part path) {
    tg_scan scan = {.text = text + path.lo, .len = path.hi - path.lo};
    tg_scan_kind kind;
    const tg_value *v = NULL;
    for (bool first = true; (kind = tg_scan_next(&scan)) != TG_SCAN_END;) {
        if (kind == TG_SCAN_SIGN) continue; /* a dot */
        const char *name = intern(in, scan.text, (part){scan.lo, scan.hi});
        if (!name || kind != TG_SCAN_NAME) return NULL;
        if (first)
            v = tg_lookup(in, in->globals, name);
        else
            v = v->tag == TG_V_RECORD ? tg_value_field(*v, name) : NULL;
        if (!v) return NULL;
        first = false;
    }
    return v;
}

static const char *kind_of(tg_value v) {
    switch (v.tag) {
    case TG_V_FORMULA:
        if (v.as.node->op != &tg_op_cell) return "formula";
        return v.as.node->leaf.cell->kind == TG_CELL_INPUT ? "input" : "variable";
    default: {
        const char *kind = tg_value_kind(v); /* "a number" */
        const char *blank = strchr(kind, ' ');
        return blank ? blank + 1 : kind;
    }
    }
}

/* The function that says how v is called; a derivative is called as what it is one of. */
static tg_value called_as(tg_value v) {
    while (v.tag == TG_V_FUNCTION && !v.as.function->def) {
        const tg_function *f = v.as.function;
        if (f->primal)
            v.as.function = f->primal;
        else
            v = f->native;
    }
    return v;
}

static void add_signature(tg_str *s, tg_value v) {
    v = called_as(v);
    if (v.tag == TG_V_FUNCTION)
        tg_function_signature(s, v.as.function);
    else if (v.tag == TG_V_OP)
        tg_op_signature(s, v.as.op);
    else if (v.tag == TG_V_BUILTIN)
        tg_str_add(s, v.as.builtin->signature);
}

/* ---- collecting ---- */

static bool fits(const place *p, const char *name) {
    size_t n = p->word.hi - p->word.lo;
    return strncmp(name, p->text + p->word.lo, n) == 0;
}

static void add(struct tg_completing_store *c, const char *text, const char *kind,
                const char *behind, const tg_value *v) {
    void *items = c->found;
    if (!tg_grow(&items, &c->cap, c->n + 1, sizeof *c->found)) {
        c->failed = true;
        return;
    }
    c->found = items;
    found f = {text, kind, behind, SIZE_MAX};
    if (v && tg_value_is_function(*v)) {
        f.signature = c->text.len;
        f.behind = "(";
        add_signature(&c->text, *v);
        tg_str_addc(&c->text, '\0');
    }
    c->found[c->n++] = f;
}

static void add_names(tg_interp *in, const place *p, struct tg_completing_store *c) {
    tg_env *const envs[] = {in->globals, in->library};
    const bool hidden = p->word.hi > p->word.lo && p->text[p->word.lo] == '_';
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < envs[k]->n; i++) {
            const struct tg_binding *b = &envs[k]->items[i];
            if (!b->name || !fits(p, b->name) || (b->name[0] == '_' && !hidden)) continue;
            if (k == 1 && tg_env_find(in->globals, b->name)) continue;
            add(c, b->name, kind_of(b->value), "", &b->value);
        }
}

static void add_words(const place *p, struct tg_completing_store *c) {
    /* With a blank behind them, as nothing but it can follow. */
    static const char *const open[] = {"and",   "or",     "not",       "if",    "for",
                                       "in",    "use",    "rule",      "while", "repeat",
                                       "input", "assume", "precision", "where", NULL};
    for (int i = 0; tg_keywords[i]; i++) {
        bool more = false;
        for (int j = 0; open[j]; j++) more = more || strcmp(open[j], tg_keywords[i]) == 0;
        if (!more && fits(p, tg_keywords[i])) add(c, tg_keywords[i], "keyword", "", NULL);
    }
    for (int j = 0; open[j]; j++)
        if (fits(p, open[j])) add(c, open[j], "keyword", " ", NULL);
}

/* The statement's first word, where the cursor's is the second: "format ", "use op"; "" else. */
static part word_before(const place *p) {
    size_t lo = p->word.lo, end;
    while (lo > 0 && (p->text[lo - 1] == ' ' || p->text[lo - 1] == '\t')) lo--;
    end = lo;
    while (lo > 0 && p->text[lo - 1] >= 'a' && p->text[lo - 1] <= 'z') lo--;
    const part w = {lo, end};
    while (lo > 0 && (p->text[lo - 1] == ' ' || p->text[lo - 1] == '\t')) lo--;
    const bool begins = lo == 0 || strchr("\n;{", p->text[lo - 1]);
    return begins && end < p->word.lo ? w : (part){0, 0};
}

static void add_modules(tg_interp *in, const place *p, struct tg_completing_store *c) {
    enum { MOST = 100 };
    char *there[MOST];
    const int n = tg_module_names(in, there, MOST);
    for (int i = 0; i < n; i++) {
        const char *name = tg_intern(&in->rt.c, there[i], strlen(there[i]));
        if (!name)
            c->failed = true;
        else if (fits(p, name) && strcmp(name, "core") != 0)
            add(c, name, "module", "", NULL);
        tg_free(there[i]);
    }
}

/* Behind precision, format and use only a few words can stand. */
static bool add_settings(tg_interp *in, const place *p, struct tg_completing_store *c) {
    static const struct {
        const char *word;
        const char *can[4];
    } rows[] = {
        {"precision", {"single", "double"}},
        {"format", {"short", "long", "sci"}},
        {"use", {NULL}},
    };
    const part w = word_before(p);
    const size_t n = w.hi - w.lo;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strlen(rows[i].word) != n || memcmp(rows[i].word, p->text + w.lo, n) != 0) continue;
        for (int k = 0; rows[i].can[k]; k++)
            if (fits(p, rows[i].can[k])) add(c, rows[i].can[k], "keyword", "", NULL);
        if (!rows[i].can[0]) add_modules(in, p, c);
        return true;
    }
    return false;
}

static void add_topics(tg_interp *in, const place *p, struct tg_completing_store *c) {
    for (const tg_topic *t = tg_topics; t->words; t++)
        for (const char *at = t->words + 1; *at;) {
            size_t n = strcspn(at, " ");
            const char *word = tg_intern(&in->rt.c, at, n);
            at += n + (at[n] == ' ');
            if (!word)
                c->failed = true;
            else if (((word[0] | 32) >= 'a' && (word[0] | 32) <= 'z') && fits(p, word))
                add(c, word, "topic", "", NULL);
        }
}

/* Is there an argument `name=` in the call already? *before: how many stand before the cursor
 * without a name. */
static bool is_given(const place *p, const char *name, int *before) {
    tg_scan scan = {.text = p->text + p->arguments, .len = p->word.lo - p->arguments};
    tg_scan_kind kind;
    part last = {0, 0};
    bool given = false, named = false;
    *before = 0;
    while ((kind = tg_scan_next(&scan)) != TG_SCAN_END) {
        if (scan.depth != 1) continue;
        const bool sign = kind == TG_SCAN_SIGN && scan.hi - scan.lo == 1;
        if (sign && scan.text[scan.lo] == '=') {
            named = true;
            size_t n = last.hi - last.lo;
            given = given || (strlen(name) == n && memcmp(name, scan.text + last.lo, n) == 0);
        } else if (sign && scan.text[scan.lo] == ',') {
            *before += !named;
            named = false;
        }
        last = kind == TG_SCAN_NAME ? (part){scan.lo, scan.hi} : (part){0, 0};
    }
    return given;
}

static void add_argument(const place *p, struct tg_completing_store *c, int i, const char *name) {
    int before;
    if (name && fits(p, name) && !is_given(p, name, &before) && i >= before)
        add(c, name, "argument", "=", NULL);
}

/* The parameters that have a default: those are given by name. */
static void add_arguments(tg_interp *in, const place *p, struct tg_completing_store *c,
                          tg_value f) {
    f = called_as(f);
    if (f.tag == TG_V_FUNCTION) {
        const tg_ast *def = f.as.function->def;
        for (int i = 0; i + 1 < def->n; i++)
            if (def->kids[i]->n > 0 && def->kids[i]->kids[0])
                add_argument(p, c, i, def->kids[i]->name);
    } else if (f.tag == TG_V_OP) {
        for (int i = 0; f.as.op->param[i].name; i++)
            if (f.as.op->param[i].dflt) add_argument(p, c, i, f.as.op->param[i].name);
    } else if (f.tag == TG_V_BUILTIN) {
        const char *s = strchr(f.as.builtin->signature, '(');
        for (int i = 0; s && *s && *s != ')'; i++) {
            s += strspn(s, "(, ");
            size_t n = strcspn(s, ",=)");
            if (s[n] == '=') {
                const char *name = tg_intern(&in->rt.c, s, n);
                if (!name) c->failed = true;
                add_argument(p, c, i, name);
            }
            s += strcspn(s, ",)");
        }
    }
}

static void add_fields(tg_interp *in, const place *p, struct tg_completing_store *c) {
    const tg_value *v = p->known ? value_at(in, p->text, p->base) : NULL;
    if (!v || v->tag != TG_V_RECORD) return;
    const tg_items *items = v->as.items;
    for (int i = 0; i < items->n; i++)
        if (fits(p, items->field[i]))
            add(c, items->field[i], kind_of(items->v[i]), "", &items->v[i]);
}

/* Arguments first, then by name. */
static int in_order(const void *a, const void *b) {
    const tg_candidate *x = a, *y = b;
    bool first = x->behind[0] == '=', second = y->behind[0] == '=';
    return first != second ? (first ? -1 : 1) : strcmp(x->text, y->text);
}

static bool settle(struct tg_completing_store *c, tg_completion *out, size_t call) {
    void *items = c->items;
    if (c->failed || c->text.failed || !tg_grow(&items, &c->items_cap, c->n + 1, sizeof *c->items))
        return false;
    c->items = items;
    const char *text = tg_str_text(&c->text);
    for (size_t i = 0; i < c->n; i++) {
        const found *f = &c->found[i];
        c->items[i] = (tg_candidate){
            f->text, f->kind, f->signature == SIZE_MAX ? "" : text + f->signature, f->behind};
    }
    qsort(c->items, c->n, sizeof *c->items, in_order);
    size_t n = 0; /* a topic may be a keyword too */
    for (size_t i = 0; i < c->n; i++)
        if (n == 0 || strcmp(c->items[n - 1].text, c->items[i].text) != 0 ||
            c->items[n - 1].behind[0] == '=')
            c->items[n++] = c->items[i];
    out->items = c->items;
    out->n = n;
    out->call = call == SIZE_MAX ? "" : text + call;
    return true;
}

tg_status tg_complete_at(tg_state *s, const char *text, size_t cursor, tg_completion *out) {
    tg_interp *in = tg_api_enter(s);
    if (!s->completing) {
        s->completing = tg_alloc_array(1, sizeof *s->completing);
        if (!s->completing) return tg_api_leave(s, tg_fail_memory(&in->rt.c));
    }
    struct tg_completing_store *c = s->completing;
    const place p = look(text, cursor);
    size_t call = SIZE_MAX;
    c->n = c->text.len = 0;
    c->failed = c->text.failed = false;
    *out = (tg_completion){TG_COMPLETE_NAMES, p.word.lo, NULL, 0, ""};
    const tg_value *f = p.callee.hi > p.callee.lo ? value_at(in, text, p.callee) : NULL;
    if (f && tg_value_is_function(*f)) {
        call = c->text.len;
        add_signature(&c->text, *f);
        tg_str_addc(&c->text, '\0');
    }
    if (p.text_around) {
        out->what = TG_COMPLETE_FILE;
        out->from = p.text_at + 1;
    } else if (p.nothing) {
        out->what = TG_COMPLETE_NOTHING;
    } else if (p.field) {
        add_fields(in, &p, c);
    } else if (!add_settings(in, &p, c)) {
        const size_t first = strspn(text, " \t");
        if (p.argument && call != SIZE_MAX) add_arguments(in, &p, c, *f);
        if (first < cursor && text[first] == '?') add_topics(in, &p, c);
        add_names(in, &p, c);
        if (p.word.hi > p.word.lo) add_words(&p, c);
    }
    if (!settle(c, out, call)) return tg_api_leave(s, tg_fail_memory(&in->rt.c));
    return tg_api_leave(s, true);
}

int tg_goes_on(tg_state *s, const char *text, size_t len) {
    tg_interp *in = tg_api_enter(s);
    tg_reading r;
    bool ok = tg_api_read(in, text, len, &r);
    return tg_api_done(s, &r, ok, TG_MAY_GO_ON) == TG_MORE;
}

void tg_api_forget_completion(tg_state *s) {
    if (!s->completing) return;
    tg_str_free(&s->completing->text);
    tg_free(s->completing->found);
    tg_free(s->completing->items);
    tg_free(s->completing);
}
