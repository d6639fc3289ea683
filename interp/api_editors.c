/* What editors stand on: the layout of programs, and the words of the language by kind, from the
 * tables that the language itself goes by. */
#include "base/alloc.h"
#include "grammar/layout.h"
#include "grammar/parse.h"
#include "grammar/token.h"
#include "interp/api.h"
#include "interp/module.h"

#include <string.h>

tg_status tg_format(tg_state *s, const char *name, const char *text, size_t len, const char **out,
                    size_t *out_len) {
    tg_interp *in = tg_api_enter(s);
    tg_source *src = tg_source_new(name, text, len);
    tg_str_free(&s->document);
    bool ok = src ? tg_layout_program(&in->rt.c, src, &s->document) : tg_fail_memory(&in->rt.c);
    *out = tg_str_text(&s->document);
    *out_len = ok ? s->document.len : 0;
    tg_status status = tg_api_leave(s, ok);
    tg_source_drop(src);
    return status;
}

static bool use_all_modules(tg_interp *in) {
    enum { MOST = 100 };
    char *names[MOST];
    int n = tg_module_names(in, names, MOST);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok = ok && tg_module_use(in, names[i], false);
        tg_free(names[i]);
    }
    return ok;
}

static const char *kind_of_keyword(int i) {
    int token = TG_TOK_TRUE + i;
    return token <= TG_TOK_NONE ? "literal" : token <= TG_TOK_NOT ? "operator" : "control";
}

static const char *kind_of_value(tg_value v) {
    switch (v.tag) {
    case TG_V_NUMBER: return "constant";
    case TG_V_OP: return "operation";
    case TG_V_BUILTIN: return "builtin";
    case TG_V_FUNCTION: return "library";
    default: return NULL;
    }
}

tg_status tg_words(tg_state *s, const char **out) {
    tg_interp *in = tg_api_enter(s);
    tg_str *text = &s->document;
    text->len = 0;
    bool ok = use_all_modules(in);
    for (int i = 0; tg_keywords[i]; i++)
        tg_str_addf(text, "%s %s\n", kind_of_keyword(i), tg_keywords[i]);
    for (int i = 0; tg_declaring_words[i]; i++)
        tg_str_addf(text, "declaration %s\n", tg_declaring_words[i]);
    for (size_t i = 0; i < in->library->n; i++) {
        const char *name = in->library->items[i].name;
        const char *kind = kind_of_value(in->library->items[i].value);
        if (kind && !tg_is_keyword(name)) tg_str_addf(text, "%s %s\n", kind, name);
    }
    if (ok && text->failed) ok = tg_fail_memory(&in->rt.c);
    *out = tg_str_text(text);
    return tg_api_leave(s, ok);
}
