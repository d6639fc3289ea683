/* Answers. The text is made once, with the record; the fields are for programs. An answer that is
 * changed (r.points := 3) is a plain record: the copy has no text. */
#include "interp/answer.h"
#include "interp/show.h"

#include <assert.h>
#include <string.h>

void tg_answer_add(tg_answer *a, const char *name, tg_value v) {
    assert(a->n < TG_ANSWER_FIELDS);
    a->field[a->n].name = name;
    a->field[a->n++].value = v;
}

static bool give(tg_interp *in, tg_answer *a, tg_value *out) {
    tg_value made, text;
    if (a->said.failed) return tg_fail_memory(&in->rt.c);
    if (!tg_value_items(&in->rt.c, TG_V_RECORD, a->n, &made)) return false;
    bool ok = true;
    for (int i = 0; i < a->n && ok; i++) {
        const char *name = a->field[i].name;
        ok = (made.as.items->field[i] = tg_intern(&in->rt.c, name, strlen(name))) != NULL;
        made.as.items->v[i] = tg_value_hold(a->field[i].value);
    }
    ok = ok && tg_value_string(&in->rt.c, tg_str_text(&a->said), a->said.len, &text);
    if (!ok) {
        tg_value_drop(made);
        return false;
    }
    made.as.items->said = text.as.text;
    return tg_value_seal(&in->rt.c, made, out);
}

bool tg_answer_give(tg_interp *in, tg_answer *a, bool ok, tg_value *out) {
    ok = ok && give(in, a, out);
    for (int i = 0; i < a->n; i++) tg_value_drop(a->field[i].value);
    tg_str_free(&a->said);
    return ok;
}

/* ---- points ---- */

enum { CELLS_SHOWN = 6 };

static bool add_value(tg_interp *in, const tg_tensor *t, tg_style style, tg_str *out) {
    tg_layout layout = {.style = style, .inlined = true};
    return tg_format_tensor(&in->rt, t, &layout, out);
}

bool tg_answer_point(tg_interp *in, const tg_sample *s, bool split, tg_str *out) {
    int shown = 0;
    for (size_t i = 0; i < s->sizes.n; i++) {
        const char *name = tg_size_symbol_name(&in->rt, s->sizes.items[i].symbol);
        if (!name) continue;
        tg_str_addf(out, "%s%s = %lld", shown++ ? ", " : "", name,
                    (long long)(split ? s->split_size[i] : s->sizes.items[i].value));
    }
    for (size_t i = 0; i < s->ncells; i++) {
        const char *name = s->cells[i].cell->name;
        if (shown == CELLS_SHOWN) {
            tg_str_add(out, ", ...");
            break;
        }
        tg_str_addf(out, "%s%s = ", shown++ ? ", " : "", name ? name : "a variable");
        if (!add_value(in, split ? s->split[i] : s->cells[i].twin->value, TG_STYLE_SHORT, out))
            return false;
    }
    return true;
}
