/* einsum(spec, ...): sums of products of tensors in the index notation of A. Einstein (Die
 * Grundlage der allgemeinen Relativitaetstheorie, Annalen der Physik 49, 1916), as NumPy writes it.
 *
 *     spec    = operand { "," operand } [ "->" operand ]
 *     operand = { letter } [ "..." { letter } ]
 *
 * A letter stands for an axis, in each operand where it occurs for the same one; `...` for those
 * that no letter names, which are aligned at the right and stretch where their size is 1. What is
 * not among the letters of the result is summed. Without -> the result has the letters that occur
 * once, in alphabetical order, behind those of `...`.
 *
 * Here the notation is read and compared with the operands' shapes; einsum.c carries it out by
 * other operations, so that formulas and derivatives are those of the textbook. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/einsum.h"

#include <ctype.h>
#include <string.h>

enum { MOST_OPERANDS = 32, DOTS = 1 << 30 /* the code of the k-th axis of `...` from the right */ };

/* One of the names that the notation gives to axes, and where it stands first. */
typedef struct letter {
    unsigned code; /* of the character */
    size_t at;     /* in the text of the notation */
    size_t bytes;
    int operand; /* with the size it has */
} letter;

/* The letters of one operand, or of the result, as they are written. */
typedef struct group {
    size_t lo, hi; /* in the text */
    int n;
    int letter[TG_MAX_RANK];
    size_t place[TG_MAX_RANK]; /* of each in the text */
    int dots;                  /* before which of them `...` stands; -1: nowhere */
} group;

typedef struct notation {
    tg_interp *in;
    const tg_argument *args; /* the notation, then the operands */
    const char *text;
    size_t len;
    int nletters;
    letter letter[TG_EINSUM_LETTERS];
    int n; /* operands */
    group *operand;
    bool has_result;
    group result;
    int ndots;             /* the axes of `...` where it has most */
    int dots[TG_MAX_RANK]; /* their letters, the last axis first */
    tg_einsum *e;
} notation;

/* ---- errors ---- */

/* The caret at those bytes of the notation, where it stands in the source as it is. */
static bool at(const notation *p, size_t lo, size_t hi) {
    const tg_ast *s = p->args[0].ast;
    tg_diag *d = &p->in->rt.c.diag;
    if (!s || s->kind != TG_AST_STRING || !s->span.src || s->span.hi - s->span.lo != p->len + 2)
        return false;
    if (memcmp(s->span.src->text + s->span.lo + 1, p->text, p->len) != 0) return false;
    d->at = s->span;
    d->at.lo = s->span.lo + 1 + (uint32_t)lo;
    d->at.hi = s->span.lo + 1 + (uint32_t)(hi > lo ? hi : lo + 1);
    return false;
}

/* The letters of the operands, "i, j, k", for help. */
static bool help_letters(const notation *p) {
    tg_str s = {0};
    for (int i = 0; i < p->nletters; i++)
        if (p->letter[i].code < DOTS)
            tg_str_addf(&s, "%s%.*s", s.len ? ", " : "", (int)p->letter[i].bytes,
                        p->text + p->letter[i].at);
    if (s.len) tg_help(&p->in->rt.c, "the operands have %s", tg_str_text(&s));
    tg_str_free(&s);
    return false;
}

/* ---- the text ---- */

static bool is_letter(unsigned code) {
    return code < 128 ? isalpha((int)code) != 0 : code >= 0xAA;
}

/* The number of a letter, new if it has not been met; -1 with an error: there are too many. */
static int letter_of(notation *p, unsigned code, size_t where, size_t bytes) {
    for (int i = 0; i < p->nletters; i++)
        if (p->letter[i].code == code) return i;
    if (p->nletters == TG_EINSUM_LETTERS) {
        tg_fail(&p->in->rt.c, TG_ERR_VALUE, "einsum takes at most %d letters", TG_EINSUM_LETTERS);
        at(p, where, where + bytes);
        return -1;
    }
    p->letter[p->nletters] = (letter){.code = code, .at = where, .bytes = bytes, .operand = -1};
    return p->nletters++;
}

static bool wrong_character(notation *p, size_t i, size_t bytes) {
    tg_fail(&p->in->rt.c, TG_ERR_VALUE, "\"%.*s\" is no letter", (int)bytes, p->text + i);
    tg_help(&p->in->rt.c, "a letter for each axis, a comma between operands, and -> before the "
                          "letters of the result: \"ij,jk->ik\"");
    return at(p, i, i + bytes);
}

/* operand = { letter } [ "..." { letter } ], up to a comma, -> or the end. */
static bool read_group(notation *p, size_t *i, group *g) {
    *g = (group){.lo = *i, .dots = -1};
    while (*i < p->len) {
        unsigned code;
        size_t bytes = (size_t)tg_utf8_next(p->text + *i, p->len - *i, &code);
        if (code == ',' || code == '-') break;
        if (code == '.') {
            if (p->len - *i < 3 || strncmp(p->text + *i, "...", 3) != 0 || g->dots >= 0) {
                tg_fail(&p->in->rt.c, TG_ERR_VALUE,
                        g->dots >= 0 ? "`...` can stand once for each operand"
                                     : "`...` has three dots");
                return at(p, *i, *i + 1);
            }
            g->dots = g->n;
            bytes = 3;
        } else if (is_letter(code)) {
            if (g->n == TG_MAX_RANK) {
                tg_fail(&p->in->rt.c, TG_ERR_VALUE, "tensors have at most %d axes", TG_MAX_RANK);
                return at(p, *i, *i + bytes);
            }
            g->place[g->n] = *i;
            if ((g->letter[g->n++] = letter_of(p, code, *i, bytes)) < 0) return false;
        } else if (code != ' ' && code != '\t' && code != '\n') {
            return wrong_character(p, *i, bytes);
        }
        *i += bytes;
    }
    g->hi = *i;
    return true;
}

/* spec = operand { "," operand } [ "->" operand ] */
static bool read_text(notation *p) {
    size_t i = 0;
    for (p->n = 0;; i++) {
        if (p->n == MOST_OPERANDS)
            return tg_fail(&p->in->rt.c, TG_ERR_VALUE, "einsum takes at most %d operands",
                           MOST_OPERANDS);
        if (!read_group(p, &i, &p->operand[p->n++])) return false;
        if (i == p->len || p->text[i] != ',') break;
    }
    if (i == p->len) return true;
    if (p->text[i + 1] != '>') return wrong_character(p, i, 1);
    int known = p->nletters;
    i += 2;
    p->has_result = true;
    if (!read_group(p, &i, &p->result)) return false;
    for (int k = 0; k < p->result.n; k++) {
        const group *g = &p->result;
        size_t where = g->place[k], bytes = p->letter[g->letter[k]].bytes;
        bool twice = false;
        for (int j = 0; j < k; j++) twice = twice || g->letter[j] == g->letter[k];
        if (g->letter[k] < known && !twice) continue;
        tg_fail(&p->in->rt.c, TG_ERR_VALUE,
                twice ? "the letter %.*s stands twice in the result"
                      : "the result has the letter %.*s, and no operand does",
                (int)bytes, p->text + where);
        p->nletters = known;
        if (twice)
            tg_help(&p->in->rt.c, "diag(x) and diag_embed(x) make diagonals");
        else
            help_letters(p);
        return at(p, where, where + bytes);
    }
    return i == p->len || wrong_character(p, i, 1);
}

/* ---- the shapes ---- */

static bool wrong_number(const notation *p, int given) {
    tg_fail(&p->in->rt.c, TG_ERR_TYPE, "the notation is for %d operand%s, and there %s %d", p->n,
            p->n == 1 ? "" : "s", given == 1 ? "is" : "are", given);
    tg_help(&p->in->rt.c, "a comma between what belongs to one and the next: einsum(\"ij,jk->ik\", "
                          "A, B)");
    return at(p, 0, p->len);
}

static bool wrong_rank(const notation *p, int k, int rank) {
    const group *g = &p->operand[k];
    tg_fail(&p->in->rt.c, TG_ERR_SHAPE, "the notation has %d %s for {0}, which has %d %s", g->n,
            g->n == 1 ? "letter" : "letters", rank, rank == 1 ? "axis" : "axes");
    if (rank > g->n)
        tg_help(&p->in->rt.c, "`...` stands for the axes that have no letter: \"%.*s...\"",
                (int)(g->hi - g->lo), p->text + g->lo);
    const int which = k + 1;
    tg_blame_operands(p->in, 1, &which, p->args);
    return at(p, g->lo, g->hi);
}

static bool wrong_size(const notation *p, int l, int k, tg_size size) {
    const letter *x = &p->letter[l];
    tg_str a = {0}, b = {0};
    tg_size_print(&p->in->rt, &a, p->e->size[l]);
    tg_size_print(&p->in->rt, &b, size);
    bool same = x->operand == k, dots = x->code >= DOTS;
    if (same)
        tg_fail(&p->in->rt.c, TG_ERR_SHAPE,
                "{0} has the letter %.*s twice, for axes of the sizes %s and %s", (int)x->bytes,
                p->text + x->at, tg_str_text(&a), tg_str_text(&b));
    else if (dots)
        tg_fail(&p->in->rt.c, TG_ERR_SHAPE,
                "the axes of `...` do not agree: a size is %s in {0} and %s in {1}",
                tg_str_text(&a), tg_str_text(&b));
    else
        tg_fail(&p->in->rt.c, TG_ERR_SHAPE, "the letter %.*s is %s in {0} and %s in {1}",
                (int)x->bytes, p->text + x->at, tg_str_text(&a), tg_str_text(&b));
    tg_str_free(&a);
    tg_str_free(&b);
    tg_blame_operands(p->in, same ? 1 : 2, (int[]){x->operand + 1, k + 1}, p->args);
    if (dots) return at(p, p->operand[k].lo, p->operand[k].hi);
    for (int i = 0; i < p->operand[k].n; i++)
        if (p->operand[k].letter[i] == l)
            at(p, p->operand[k].place[i], p->operand[k].place[i] + x->bytes);
    return false;
}

/* Axis `axis` of operand k is what letter l stands for. *one: it is to be stretched. */
static bool fit(notation *p, int l, int k, tg_size size, bool *one) {
    letter *x = &p->letter[l];
    tg_size *known = &p->e->size[l];
    bool stretches = x->code >= DOTS;
    *one = false;
    if (x->operand < 0 || (stretches && *known == 1)) {
        x->operand = k;
        *known = size;
    } else if (stretches && size == 1) {
        *one = true;
    } else if (*known != size) {
        return wrong_size(p, l, k, size);
    }
    return true;
}

/* The letters of an axis that `...` stands for, `i` from the right. */
static int dots_letter(notation *p, int i) {
    while (p->ndots <= i) {
        int l = letter_of(p, DOTS + (unsigned)p->ndots, 0, 0);
        if (l < 0) return -1;
        p->dots[p->ndots++] = l;
    }
    return p->dots[i];
}

/* Gives the axes of operand k their letters. */
static bool name_axes(notation *p, int k, tg_einsum_term *t) {
    const group *g = &p->operand[k];
    tg_type type = tg_type_of(t->x.value);
    int more = type.rank - g->n, at_dots = g->dots < 0 ? 0 : more;
    if (more < 0 || (more > 0 && g->dots < 0)) return wrong_rank(p, k, type.rank);
    for (int i = 0; i < type.rank; i++) {
        bool dots = g->dots >= 0 && i >= g->dots && i < g->dots + more, one;
        int l = dots ? dots_letter(p, g->dots + more - 1 - i)
                     : g->letter[g->dots < 0 || i < g->dots ? i : i - at_dots];
        if (l < 0 || !fit(p, l, k, type.dim[i], &one)) return false;
        t->letter[t->n++] = l;
    }
    return true;
}

/* Axes of size 1 that stretch go: the operand is the same along them. */
static bool drop_ones(notation *p, tg_einsum_term *t) {
    for (int i = 0; i < t->n; i++) {
        tg_type type = tg_type_of(t->x.value);
        if (p->letter[t->letter[i]].code < DOTS || type.dim[i] == p->e->size[t->letter[i]])
            continue;
        const tg_argument args[2] = {t->x, {.name = "axis", .value = tg_value_number(i)}};
        tg_value made;
        if (!tg_call_op(p->in, tg_op_find("squeeze"), 2, args, &made)) return false;
        tg_value_drop(t->x.value);
        t->x = (tg_argument){.value = made};
        for (int k = i--; k + 1 < t->n; k++) t->letter[k] = t->letter[k + 1];
        t->n--;
    }
    return true;
}

/* ---- the result ---- */

static bool add_result(notation *p, int l) {
    if (p->e->nout == TG_MAX_RANK)
        return tg_fail(&p->in->rt.c, TG_ERR_SHAPE,
                       "the result would have more than %d axes, the most a tensor can have",
                       TG_MAX_RANK);
    p->e->out[p->e->nout++] = l;
    return true;
}

static bool add_dots(notation *p) {
    for (int i = p->ndots - 1; i >= 0; i--)
        if (!add_result(p, p->dots[i])) return false;
    return true;
}

/* The letters that occur once, in alphabetical order. */
static bool implied_result(notation *p) {
    int count[TG_EINSUM_LETTERS] = {0};
    for (int k = 0; k < p->n; k++)
        for (int i = 0; i < p->operand[k].n; i++) count[p->operand[k].letter[i]]++;
    if (!add_dots(p)) return false;
    for (;;) {
        int next = -1;
        for (int i = 0; i < p->nletters; i++)
            if (count[i] == 1 && (next < 0 || p->letter[i].code < p->letter[next].code)) next = i;
        if (next < 0) return true;
        count[next] = 0;
        if (!add_result(p, next)) return false;
    }
}

static bool written_result(notation *p) {
    const group *g = &p->result;
    if (g->dots < 0 && p->ndots > 0) {
        tg_fail(&p->in->rt.c, TG_ERR_VALUE, "the operands have `...`, and the result does not");
        tg_help(&p->in->rt.c, "write ->...%.*s, or letters for the axes that are summed",
                (int)(g->hi - g->lo), p->text + g->lo);
        return at(p, g->lo, g->hi);
    }
    for (int i = 0; i <= g->n; i++) {
        if (i == g->dots && !add_dots(p)) return false;
        if (i < g->n && !add_result(p, g->letter[i])) return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool compute(notation *p, tg_value *out) {
    tg_einsum *e = p->e;
    for (int k = 0; k < p->n; k++) {
        tg_einsum_term *t = &e->term[k];
        t->x.ast = p->args[k + 1].ast;
        if (!tg_to_array(p->in, p->args[k + 1].value, "an operand of einsum", &t->x.value))
            return false;
        e->nterms = k + 1;
        if (!name_axes(p, k, t)) return false;
    }
    for (int k = 0; k < p->n; k++)
        if (!drop_ones(p, &e->term[k])) return false;
    return (p->has_result ? written_result(p) : implied_result(p)) && tg_einsum_compute(e, out);
}

static bool run_einsum(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    if (args[0].value.tag != TG_V_STRING) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "the notation comes first, as a string, not %s",
                tg_value_kind(args[0].value));
        return tg_help(&in->rt.c, "for example einsum(\"ij,jk->ik\", A, B)");
    }
    tg_einsum e = {.in = in};
    notation p = {.in = in,
                  .args = args,
                  .text = args[0].value.as.text->bytes,
                  .len = args[0].value.as.text->len,
                  .e = &e};
    p.operand = tg_alloc_array(MOST_OPERANDS, sizeof *p.operand);
    e.term = tg_alloc_array(MOST_OPERANDS, sizeof *e.term);
    bool ok = p.operand && e.term ? true : tg_fail_memory(&in->rt.c);
    ok = ok && read_text(&p) && (p.n == n - 1 || wrong_number(&p, n - 1)) && compute(&p, out);
    for (int i = 0; e.term && i < MOST_OPERANDS; i++) tg_value_drop(e.term[i].x.value);
    tg_free(e.term);
    tg_free(p.operand);
    return ok;
}

const tg_builtin tg_builtins_einsum[] = {
    {"einsum", "einsum(spec, ...)",
     "The sum of products that the index notation says, as in NumPy: a letter for each axis, and "
     "what the result lacks is summed. Done by products, transposes, diagonals and sums.",
     "einsum(\"ij,jk->ik\", [[1, 2], [3, 4]], [[1], [10]])", "[[21],\n [43]]", run_einsum, false,
     false},
    {0},
};
