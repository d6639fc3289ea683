/* docs/ops.md from the records, grouped by class. Nothing is said here about single operations:
 * what the page tells of one is in its record, and the examples are transcripts, replayed with
 * those of all other documents. */
#include "runtime/ops/document.h"
#include "runtime/ops/op.h"

#include <string.h>

typedef struct chapter {
    tg_op_class class;
    const char *title, *shapes;
} chapter;

static const chapter chapters[] = {
    {TG_CLASS_ELEMENTWISE, "Elementwise",
     "The result has the shape of the arguments, which broadcast: a scalar combines with anything, "
     "otherwise one of the arguments must "
     "already have the shape of the result, and axes of size 1 stretch."},
    {TG_CLASS_REDUCE, "Along axes",
     "`axis=1` or `axis=(0, 1)` names axes, from the end when negative. A reduction drops its "
     "axes, or keeps them with "
     "size 1 with `keep=true`; without `axis` it takes them all."},
    {TG_CLASS_LINEAR, "Products and matrices",
     "`@` is the matrix product; sizes must agree on the inner axis. Leading axes of matrices are "
     "a batch and broadcast."},
    {TG_CLASS_VIEW, "Shape and order",
     "The same elements, arranged in another way; where possible without a copy."},
    {TG_CLASS_INDEX, "Picking and joining",
     "Places are counted from 0, and from the end when negative."},
    {TG_CLASS_CREATE, "Creating",
     "The shape is given as sizes, one after the other or as a tuple; sizes may be symbolic."},
    {TG_CLASS_RANDOM, "Random",
     "Each call draws once, when its line runs; inside `fresh(...)` it draws again at every `:=`. "
     "One seed reproduces a session."},
};

static bool is_tensor(const tg_param *p) {
    return p->kind == TG_P_TENSOR || p->kind == TG_P_LIST;
}

void tg_op_operator(tg_str *s, const tg_op *op) {
    const char *a = op->param[0].name, *sign = op->symbol;
    if (op->style == TG_PRINT_INFIX) tg_str_addf(s, "%s %s %s", a, sign, op->param[1].name);
    if (op->style == TG_PRINT_PREFIX)
        tg_str_addf(s, "%s%s%s", sign, sign[0] >= 'a' && sign[0] <= 'z' ? " " : "", a);
    if (op->style == TG_PRINT_PRIME) tg_str_addf(s, "%s'", a);
}

static void add_heading(tg_str *s, const tg_op *op) {
    tg_str sign = {0};
    tg_op_operator(&sign, op);
    tg_str_add(s, "### ");
    if (sign.len) tg_str_addf(s, "`%s`, ", tg_str_text(&sign));
    tg_str_free(&sign);
    tg_str_addc(s, '`');
    tg_op_signature(s, op);
    tg_str_add(s, "`\n\n");
}

const char *tg_op_rule_text(const tg_op *op, int i) {
    const char *rule = op->grad[i];
    return !rule ? "none" : strcmp(rule, TG_GRAD_ZERO) == 0 ? "zero" : rule;
}

/* "Derivative: `g * b` for `a`, `g * a` for `b`." */
static void add_rules(tg_str *s, const tg_op *op) {
    bool first = true;
    for (int i = 0; i < TG_MAX_TENSORS && op->param[i].name && is_tensor(&op->param[i]); i++) {
        const char *rule = tg_op_rule_text(op, i);
        tg_str_add(s, first ? "Derivative: " : ", ");
        first = false;
        tg_str_addf(s, rule == op->grad[i] ? "`%s`" : "%s", rule);
        tg_str_addf(s, " for %s`%s`", op->param[i].kind == TG_P_LIST ? "each of " : "",
                    op->param[i].name);
    }
    if (!first) tg_str_add(s, ".\n\n");
}

void tg_op_add_value(tg_str *s, const char *value) {
    int depth = 0;
    for (const char *p = value; *p; p++) {
        depth += (*p == '[') - (*p == ']');
        tg_str_addc(s, *p);
        if (*p != ',' || p == value || p[-1] != ']' || p[1] == '\n' || depth == 0) continue;
        tg_str_addc(s, '\n');
        tg_str_repeat(s, ' ', depth);
        while (p[1] == ' ') p++;
    }
}

static void add_operation(tg_str *s, const tg_op *op) {
    add_heading(s, op);
    tg_str_addf(s, "%s\n\n", op->doc);
    add_rules(s, op);
    if (!op->example) return;
    tg_str_addf(s, "```tg new\ntg> %s\n", op->example);
    tg_op_add_value(s, op->value);
    tg_str_add(s, "\n```\n\n");
}

bool tg_ops_document(tg_str *out) {
    tg_str_add(out, "# Operations\n\n"
                    "Generated from the operations' records by `tg --ops-doc`. Each derivative is "
                    "the rule itself: a formula over the "
                    "arguments, the result `out` and the incoming cotangent `g`. Where an argument "
                    "was broadcast, the rule's value is summed "
                    "over the axes along which it was repeated.\n");
    for (size_t i = 0; i < sizeof chapters / sizeof *chapters; i++) {
        tg_str_addf(out, "\n## %s\n\n%s\n\n", chapters[i].title, chapters[i].shapes);
        const tg_op *op;
        for (int k = 0; (op = tg_op_at(k)); k++)
            if (op->class == chapters[i].class) add_operation(out, op);
        if (out->len && !out->failed)
            out->text[--out->len] = 0; /* one blank line between chapters is enough */
    }
    return !out->failed;
}
