/* Entries, from their first statement to the day when they are gone back.
 *
 * Before each statement of an entry the session is looked at, so that of one that fails half way it
 * is known what it has left behind: the script cannot run it again, and writes what the names were
 * worth instead.
 *
 * The last MOST_DELTAS entries that changed something can be taken back, and as many of them as
 * hold no more than most_bytes which nobody else holds. An entry that has only answered is taken
 * back along with the one before it: nobody thinks of it as something done. */
#include "interp/journal.h"
#include "base/alloc.h"
#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DELTAS = 100 };
static const size_t most_bytes = (size_t)256 << 20;

static void free_entry(tg_entry *e) {
    if (!e) return;
    tg_delta_free(e->delta);
    for (size_t i = 0; i < e->nuses; i++) tg_free(e->use[i].path);
    for (size_t i = 0; i < e->nleft; i++) {
        tg_str_free(&e->left[i].text);
        tg_tensor_drop(e->left[i].tensor);
    }
    tg_free(e->left);
    tg_free(e->use);
    tg_free(e->answer);
    tg_source_drop(e->src);
    tg_free(e);
}

static void drop_delta(tg_journal *j, tg_entry *e) {
    if (!e->delta) return;
    j->ndeltas--;
    j->bytes -= e->bytes;
    tg_delta_free(e->delta);
    e->delta = NULL;
}

static void forget_undone(tg_journal *j) {
    while (j->nundone > 0) {
        tg_entry *e = j->undone[--j->nundone];
        drop_delta(j, e);
        free_entry(e);
    }
}

/* There is no memory to go on with: what is remembered of the past is not complete any more. */
static void lose(tg_journal *j) {
    forget_undone(j);
    for (size_t i = 0; i < j->n; i++) drop_delta(j, j->done[i]);
    tg_shadow_free(j->shadow);
    j->shadow = NULL;
    j->lost = true;
}

void tg_journal_free(tg_interp *in) {
    tg_journal *j = in->journal;
    if (!j) return;
    lose(j);
    for (size_t i = 0; i < j->n; i++) free_entry(j->done[i]);
    free_entry(j->open);
    tg_free(j->done);
    tg_free(j->undone);
    tg_free(j);
    in->journal = NULL;
}

static bool make_room(tg_interp *in, tg_entry ***items, size_t *cap, size_t need) {
    void *p = *items;
    bool ok = tg_grow(&p, cap, need, sizeof **items);
    *items = p;
    return ok || tg_fail_memory(&in->rt.c);
}

/* ---- beginning ---- */

static tg_entry *new_entry(tg_interp *in, tg_entry_kind kind) {
    tg_journal *j = in->journal;
    tg_entry *e = tg_alloc_array(1, sizeof *e);
    if (e) e->delta = tg_alloc_array(1, sizeof *e->delta);
    if (!e || !e->delta || !tg_shadow_begin(in, j->shadow, e->delta)) {
        free_entry(e);
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    e->kind = kind;
    j->before = e->delta->setting;
    return e;
}

/* The first time, names may be there already: an entry without a text has what they are worth. */
static bool add_opening(tg_interp *in) {
    tg_journal *j = in->journal;
    tg_news news = {0};
    bool ok = true;
    j->opening = tg_setting_now(in);
    if (in->globals->n == 0) return true;
    tg_entry *e = tg_alloc_array(1, sizeof *e);
    news.name = tg_alloc_array(in->globals->n, sizeof *news.name);
    if (!e || !news.name) ok = tg_fail_memory(&in->rt.c);
    for (size_t i = 0; ok && i < in->globals->n; i++) news.name[news.n++] = i;
    if (ok) {
        e->kind = TG_ENTRY_OUTSIDE;
        e->after = j->opening;
        ok = tg_script_leave(in, e, &news) && make_room(in, &j->done, &j->cap, j->n + 1);
    }
    if (ok)
        j->done[j->n++] = e;
    else
        free_entry(e);
    tg_news_free(&news);
    return ok;
}

static bool make_journal(tg_interp *in) {
    if (!in->journal) {
        in->journal = tg_alloc_array(1, sizeof *in->journal);
        if (!in->journal) return tg_fail_memory(&in->rt.c);
        if (!add_opening(in)) {
            tg_journal_free(in);
            return false;
        }
    }
    tg_journal *j = in->journal;
    if (!j->shadow) j->shadow = tg_shadow_new(in);
    return j->shadow != NULL;
}

bool tg_journal_open(tg_interp *in, tg_entry_kind kind) {
    if (!tg_journal_settle(in)) return false;
    return (in->journal->open = new_entry(in, kind)) != NULL;
}

/* ---- the text ---- */

/* A file that is used by a path that depends on where one stands. */
static bool note_use(void *user, const tg_ast *s) {
    tg_interp *in = user;
    tg_entry *e = in->journal->open;
    char path[PATH_MAX], real[PATH_MAX];
    if (s->kind != TG_AST_USE || !(s->flags & TG_AST_QUOTED) || s->name[0] == '/') return true;
    snprintf(path, sizeof path, "%s%s", in->dir ? in->dir : "", s->name);
    if (!tg_file_exists(path)) snprintf(path, sizeof path, "%s", s->name);
    if (!realpath(path, real)) return true;
    void *p = e->use;
    bool ok = tg_grow(&p, &e->uses_cap, e->nuses + 1, sizeof *e->use);
    e->use = p;
    char *copy = ok ? tg_alloc_text(real, strlen(real)) : NULL;
    if (!copy) return tg_fail_memory(&in->rt.c);
    e->use[e->nuses++] = (tg_entry_use){s->span.lo, s->span.hi, copy};
    return true;
}

bool tg_journal_takes(tg_interp *in, const tg_unit *unit, bool *failed) {
    tg_entry *e = in->journal ? in->journal->open : NULL;
    *failed = false;
    if (!e || e->src) return false;
    e->src = tg_source_hold(unit->src);
    for (int i = 0; i < unit->n && !*failed; i++)
        *failed = !tg_ast_walk(&in->rt.c, unit->statements[i], note_use, in);
    return true;
}

void tg_journal_statement(tg_interp *in, const tg_ast *s) {
    tg_journal *j = in->journal;
    tg_entry *e = j->open;
    const bool first = e->len == 0 && s->span.lo == 0;
    e->len = s->span.lo;
    j->before = tg_setting_now(in);
    if (first || !j->shadow || tg_shadow_look(in, j->shadow, e->delta, NULL)) return;
    tg_clear(&in->rt.c);
    tg_delta_free(e->delta);
    e->delta = NULL;
    lose(j);
}

void tg_journal_answered(tg_interp *in, const tg_ast *s) {
    tg_entry *e = in->journal->open;
    void *p = e->answer;
    bool ok = tg_grow(&p, &e->answers_cap, e->nanswers + 1, sizeof *e->answer);
    e->answer = p;
    if (ok) e->answer[e->nanswers++] = s->span.lo;
}

/* ---- the end ---- */

static void keep_within_bounds(tg_journal *j) {
    for (; j->bare < j->n && (j->ndeltas > MOST_DELTAS || j->bytes > most_bytes); j->bare++)
        drop_delta(j, j->done[j->bare]);
}

/* Looks at what e has done. False: no memory. */
static bool look(tg_interp *in, tg_entry *e, bool ok) {
    tg_journal *j = in->journal;
    tg_news news = {0};
    e->after = tg_setting_now(in);
    bool seen = e->delta && tg_shadow_look(in, j->shadow, e->delta, &news);
    if (seen && !ok) {
        e->drawn = e->after.seed != j->before.seed || e->after.stream != j->before.stream;
        e->counted = e->after.tick != j->before.tick;
        seen = tg_script_leave(in, e, &news);
    }
    tg_news_free(&news);
    return seen;
}

/* An answer has made names where those that redoing makes are to stand: these go behind them. */
static void make_place(tg_interp *in, const tg_delta *made) {
    const tg_journal *j = in->journal;
    const size_t n = in->globals->n;
    size_t from = n;
    for (size_t i = 0; i < made->nscopes; i++)
        if (made->scope[i].env == in->globals) from = made->scope[i].n;
    for (size_t i = 0; i < j->nundone && from < n; i++) {
        tg_delta *d = j->undone[i]->delta;
        for (size_t k = 0; d && k < d->nnames; k++)
            if (d->name[k].env == in->globals && d->name[k].at >= from) d->name[k].at += n - from;
        for (size_t k = 0; d && k < d->nscopes; k++)
            if (d->scope[k].env == in->globals) d->scope[k].n += n - from;
    }
}

/* Makes e the last entry, for which there is room, if it has done anything. */
static void push(tg_interp *in, tg_entry *e) {
    tg_journal *j = in->journal;
    if (e->delta && tg_delta_is_empty(in, e->delta)) {
        tg_delta_free(e->delta);
        e->delta = NULL;
    }
    e->changed = e->delta != NULL;
    e->answers = e->delta && tg_delta_is_answer(in, e->delta);
    if (!e->changed && e->len == 0 && e->nleft == 0 && !e->drawn && !e->counted &&
        e->kind != TG_ENTRY_RESET) {
        free_entry(e);
        return;
    }
    if (e->delta && e->answers)
        make_place(in, e->delta);
    else if (e->delta)
        forget_undone(j);
    if (e->delta) {
        e->bytes = tg_delta_bytes(in, e->delta);
        j->bytes += e->bytes;
        j->ndeltas++;
    }
    j->done[j->n++] = e;
    keep_within_bounds(j);
}

void tg_journal_close(tg_interp *in, bool ok) {
    tg_journal *j = in->journal;
    tg_entry *e = j->open;
    const tg_diag pending = in->rt.c.diag;
    j->open = NULL;
    if (ok && e->src) e->len = e->src->len;
    tg_clear(&in->rt.c);
    if (!j->shadow || !look(in, e, ok)) {
        tg_delta_free(e->delta);
        e->delta = NULL;
        lose(j);
    }
    tg_clear(&in->rt.c);
    if (make_room(in, &j->done, &j->cap, j->n + 1)) {
        push(in, e);
    } else {
        tg_delta_free(e->delta);
        e->delta = NULL;
        free_entry(e);
        lose(j);
    }
    in->rt.c.diag = pending;
}

bool tg_journal_settle(tg_interp *in) {
    if (!make_journal(in)) return false;
    tg_entry *e = new_entry(in, TG_ENTRY_OUTSIDE);
    if (!e) return false;
    in->journal->open = e;
    tg_journal_close(in, false);
    return in->journal->shadow || make_journal(in);
}

/* ---- back and forth ---- */

static void exchange(tg_interp *in, tg_entry *e) {
    tg_journal *j = in->journal;
    if (!e->delta) return;
    tg_delta_exchange(in, j->shadow, e->delta);
    j->bytes -= e->bytes;
    e->bytes = tg_delta_bytes(in, e->delta);
    j->bytes += e->bytes;
}

/* What has only answered goes for good: nobody wants it back, and so looking at something after an
 * undo leaves what is to be redone as it is. */
const tg_entry *tg_journal_undo(tg_interp *in) {
    tg_journal *j = in->journal;
    size_t at = j->n;
    while (at > 0 &&
           (!j->done[at - 1]->changed || (j->done[at - 1]->answers && j->done[at - 1]->delta)))
        at--;
    if (at == 0 || !j->done[at - 1]->delta) return NULL;
    if (!make_room(in, &j->undone, &j->undone_cap, j->nundone + j->n)) return NULL;
    while (j->n >= at) {
        tg_entry *e = j->done[--j->n];
        exchange(in, e);
        if (e->answers) {
            drop_delta(j, e);
            free_entry(e);
        } else {
            j->undone[j->nundone++] = e;
        }
    }
    return j->undone[j->nundone - 1];
}

const tg_entry *tg_journal_redo(tg_interp *in) {
    tg_journal *j = in->journal;
    if (j->nundone == 0) return NULL;
    if (!make_room(in, &j->done, &j->cap, j->n + j->nundone)) return NULL;
    const tg_entry *first = j->undone[j->nundone - 1];
    do {
        tg_entry *e = j->undone[--j->nundone];
        exchange(in, e);
        j->done[j->n++] = e;
    } while (j->nundone > 0 && !j->undone[j->nundone - 1]->changed);
    return first;
}
