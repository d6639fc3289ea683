/* The layout of programs, for editors and `tg fmt` (tg_format). */
#include "grammar/layout.h"
#include "interp/api.h"

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
