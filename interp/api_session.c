/* Entries of a session (include/tg.h) over the journal. */
#include "base/alloc.h"
#include "interp/api.h"
#include "interp/blame.h"
#include "interp/journal.h"
#include "interp/module.h"
#include "interp/watch.h"
#include "runtime/io/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- back and forth ---- */

/* What is said of an entry: its text, as far as it came. */
static const char *text_of(tg_state *s, const tg_entry *e) {
    tg_str *out = &s->script;
    tg_str_free(out);
    if (e->kind == TG_ENTRY_RESET)
        tg_str_add(out, ":reset");
    else if (e->kind == TG_ENTRY_OUTSIDE || !e->src)
        tg_str_add(out, "values set from outside");
    else if (e->kind == TG_ENTRY_FILE)
        tg_str_addf(out, ":load %s", e->src->name);
    else
        tg_str_addn(out, e->src->text, e->src->len);
    while (out->len > 0 && strchr(" \t\r\n;", out->text[out->len - 1])) out->text[--out->len] = 0;
    if (e->src && e->len < e->src->len) tg_str_add(out, "      (as far as it came)");
    return tg_str_text(out);
}

static const char *move(tg_state *s, const tg_entry *(*to)(tg_interp *), const char *word) {
    tg_interp *in = tg_api_enter(s);
    const tg_entry *e = tg_journal_settle(in) ? to(in) : NULL;
    if (e) {
        tg_api_leave(s, true);
        return text_of(s, e);
    }
    if (in->rt.c.diag.kind == TG_ERR_NONE) {
        const tg_journal *j = in->journal;
        tg_fail(&in->rt.c, TG_ERR_USER, "there is nothing to %s", word);
        if (j->lost)
            tg_help(&in->rt.c, "memory ran out, and what came before is not remembered");
        else if (word[0] == 'u' && j->n > 0 && j->ndeltas > 0)
            tg_help(&in->rt.c, "the last 100 entries can be taken back, or fewer that are large");
        else if (word[0] == 'r')
            tg_help(&in->rt.c, "only what :undo took back, until something else is entered");
    }
    tg_api_leave(s, false);
    return NULL;
}

const char *tg_undo(tg_state *s) {
    return move(s, tg_journal_undo, "undo");
}

const char *tg_redo(tg_state *s) {
    return move(s, tg_journal_redo, "redo");
}

/* ---- a new session ---- */

static void clear_names(tg_env *e, size_t left) {
    const size_t n = e->n;
    e->n = left < n ? left : n;
    for (size_t i = e->n; i < n; i++) {
        const tg_value v = e->items[i].value;
        if (v.tag == TG_V_FORMULA && v.as.node->label == e->items[i].name) v.as.node->label = NULL;
        e->items[i] = (struct tg_binding){0};
        tg_value_drop(v);
    }
    tg_env_find_anew(e);
}

/* Sizes are looked for in all inputs there are: these are to be without data. */
static void clear_inputs(tg_rt *rt) {
    for (tg_cell *c = tg_cell_newest(rt); c; c = tg_cell_before(rt, c)) {
        if (c->kind != TG_CELL_INPUT && c->kind != TG_CELL_VAR) continue;
        c->name = c->was = NULL;
        if (c->kind != TG_CELL_INPUT) continue;
        tg_tensor_drop(c->value);
        c->value = NULL;
        c->version++;
    }
}

tg_status tg_reset(tg_state *s) {
    tg_interp *in = tg_api_enter(s);
    if (!tg_journal_open(in, TG_ENTRY_RESET)) return tg_api_leave(s, false);
    tg_delta *d = in->journal->open->delta;
    const bool ok = tg_delta_reserve_used(in, d, s->opening_used);
    if (ok) {
        clear_names(in->globals, 0);
        clear_names(in->library, s->opening_names);
        in->globals->changes++;
        clear_inputs(&in->rt);
        while (in->nused > s->opening_used) d->tail[d->ntail++] = in->used[--in->nused];
        tg_assume_drop(&in->rt, UINT32_MAX);
        tg_watch_forget(in);
        tg_setting_restore(in, &s->opening);
    }
    tg_journal_close(in, ok);
    return tg_api_leave(s, ok);
}

/* ---- files that are used ---- */

static bool is_of_library(tg_interp *in, const char *path) {
    char core[PATH_MAX], real[PATH_MAX];
    if (!tg_stdlib_find(&in->rt, "core.tg", core, sizeof core)) {
        tg_clear(&in->rt.c);
        return false;
    }
    if (!realpath(core, real)) return false;
    const size_t n = (size_t)(strrchr(real, '/') - real) + 1;
    return strncmp(real, path, n) == 0 && !strchr(path + n, '/');
}

static bool read_again(tg_interp *in, const char *path) {
    char shown[PATH_MAX + 16];
    const bool library = is_of_library(in, path);
    const char *name = strrchr(path, '/') + 1;
    snprintf(shown, sizeof shown, library ? "<stdlib %s>" : "%s", library ? name : path);
    if (!tg_journal_open(in, library ? TG_ENTRY_MODULE : TG_ENTRY_FILE)) return false;
    const bool ok = tg_module_run_file(in, library ? in->library : in->globals, path, shown);
    tg_journal_close(in, ok);
    return ok;
}

tg_status tg_reload(tg_state *s, int *n) {
    tg_interp *in = tg_api_enter(s);
    bool ok = true;
    *n = in->nused - s->opening_used;
    for (int i = s->opening_used; ok && i < in->nused; i++) ok = read_again(in, in->used[i]);
    return tg_api_leave(s, ok);
}

/* ---- texts ---- */

tg_status tg_save_text(tg_state *s, const char *folder, const char **text) {
    tg_interp *in = tg_api_enter(s);
    tg_str_free(&s->script);
    bool ok = tg_journal_settle(in) && tg_script_write(in, folder, &s->script);
    *text = tg_str_text(&s->script);
    return tg_api_leave(s, ok);
}

const char *tg_definition(tg_state *s, const char *name) {
    tg_interp *in = tg_api_enter(s);
    const char *key = tg_intern(&in->rt.c, name, strlen(name));
    const tg_value *v = key ? tg_lookup(in, in->globals, key) : NULL;
    const tg_function *f = v && v->tag == TG_V_FUNCTION ? v->as.function : NULL;
    tg_api_leave(s, true);
    if (!f || !f->def || f->def->kind != TG_AST_FUNCTION) return NULL;
    const tg_span at = f->def->span;
    tg_str_free(&s->script);
    tg_str_addn(&s->script, at.src->text + at.lo, at.hi - at.lo);
    return tg_str_text(&s->script);
}
