/* Running files and texts of tg code. */
#include "interp/module.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/nearest.h"
#include "interp/blame.h"
#include "interp/check.h"
#include "interp/journal.h"
#include "runtime/io/paths.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tg_module_run(tg_interp *in, tg_env *env, tg_source *src, tg_parse_status *status) {
    if (in->checking) return tg_check_source(in, src);
    tg_unit *unit = NULL, *outer = in->unit;
    tg_parse_status how = tg_parse(&in->rt.c, src, &unit);
    if (status) *status = how;
    if (how != TG_PARSE_OK) {
        tg_blame_keep(in, src);
        return false;
    }
    bool computing = in->computing, live_draws = in->rt.live_draws, failed;
    const bool entry = tg_journal_takes(in, unit, &failed);
    in->unit = unit;
    in->computing = in->rt.live_draws = false; /* `use` may stand in a function that `:=` calls */
    tg_flow flow = failed ? TG_FLOW_ERROR : TG_FLOW_NEXT;
    for (int i = 0; i < unit->n && flow == TG_FLOW_NEXT; i++) {
        tg_value last = TG_NONE_VALUE;
        const size_t answers = in->answers;
        if (entry) tg_journal_statement(in, unit->statements[i]);
        if (!tg_check_interrupt(&in->rt.c)) {
            tg_blame(in, unit->statements[i]);
            flow = TG_FLOW_ERROR;
            break;
        }
        flow = tg_exec(in, env, unit->statements[i], &last);
        if (flow == TG_FLOW_NEXT && in->echo && env == in->globals &&
            !tg_module_echo(in, unit->statements[i], last)) {
            tg_blame(in, unit->statements[i]);
            flow = TG_FLOW_ERROR;
        } else if (flow == TG_FLOW_BREAK || flow == TG_FLOW_CONTINUE) {
            tg_stray(in, flow);
            tg_blame(in, unit->statements[i]);
            flow = TG_FLOW_ERROR;
        }
        if (entry && in->answers > answers) tg_journal_answered(in, unit->statements[i]);
        tg_value_drop(last);
    }
    in->unit = outer;
    in->computing = computing;
    in->rt.live_draws = live_draws;
    tg_unit_drop(unit);
    if (flow != TG_FLOW_NEXT) tg_blame_keep(in, src);
    return flow == TG_FLOW_NEXT;
}

/* ---- what the prompt shows after a statement ---- */

static bool echo_one(tg_interp *in, const char *name, tg_value v) {
    tg_str s = {0};
    bool ok = tg_show_echo(in, name, v, &s);
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}

/* The name that a target begins with. */
static const char *root_of(const tg_ast *target) {
    while (target->kind == TG_AST_INDEX || target->kind == TG_AST_FIELD) target = target->kids[0];
    return target->name;
}

/* Each name once, also when several of its parts were stored. */
static bool echo_targets(tg_interp *in, const tg_ast *s) {
    for (int i = 0; i < s->ntargets; i++) {
        const char *name = root_of(s->kids[i]);
        tg_value *v = tg_env_find(in->globals, name);
        for (int k = 0; v && k < i; k++)
            if (root_of(s->kids[k]) == name) v = NULL;
        if (!v) continue;
        tg_value held = tg_value_hold(*v);
        bool ok = echo_one(in, name, held);
        tg_value_drop(held);
        if (!ok) return false;
    }
    return true;
}

enum { ANSWERS = 9 };

bool tg_module_names_answer(const char *name) {
    return strcmp(name, "ans") == 0 ||
           (name[0] == '_' && name[1] >= '1' && name[1] <= '0' + ANSWERS && !name[2]);
}

/* What was shown becomes ans and _1; _1 becomes _2, and so on to _9. */
static bool keep_answer(tg_interp *in, tg_value v) {
    char name[] = "_0";
    in->answers++;
    const char *key[ANSWERS + 1] = {tg_intern(&in->rt.c, "ans", 3)};
    for (int i = 1; i <= ANSWERS; i++) {
        name[1] = (char)('0' + i);
        key[i] = tg_intern(&in->rt.c, name, 2);
        if (!key[i]) return false;
    }
    if (!key[0]) return false;
    for (int i = ANSWERS; i > 1; i--) {
        const tg_value *last = tg_env_find(in->globals, key[i - 1]);
        if (last && !tg_env_set(in->globals, key[i], tg_value_hold(*last)))
            return tg_fail_memory(&in->rt.c);
    }
    return (tg_env_set(in->globals, key[0], tg_value_hold(v)) &&
            tg_env_set(in->globals, key[1], tg_value_hold(v))) ||
           tg_fail_memory(&in->rt.c);
}

bool tg_module_echo(tg_interp *in, const tg_ast *s, tg_value last) {
    if (s->flags & TG_AST_SILENT) return true;
    if (s->kind == TG_AST_DEFINE || s->kind == TG_AST_STORE) return echo_targets(in, s);
    if (tg_ast_is_statement(s) && s->kind != TG_AST_IF) return true;
    if (last.tag == TG_V_NONE) return true;
    const char *name = s->kind == TG_AST_NAME ? s->name : NULL;
    bool again = name && tg_module_names_answer(name); /* looked at, not answered */
    return (again || keep_answer(in, last)) && echo_one(in, name, last);
}

/* ---- use ---- */

static bool remember(tg_interp *in, const char *path, bool *known) {
    for (int i = 0; i < in->nused; i++)
        if (strcmp(in->used[i], path) == 0) return *known = true;
    *known = false;
    void *p = in->used;
    size_t cap = (size_t)in->used_cap;
    bool ok = tg_grow(&p, &cap, (size_t)in->nused + 1, sizeof *in->used);
    in->used = p;
    in->used_cap = (int)cap;
    char *copy = ok ? tg_alloc_text(path, strlen(path)) : NULL;
    if (!copy) return tg_fail_memory(&in->rt.c);
    in->used[in->nused++] = copy;
    return true;
}

char *tg_module_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    return tg_alloc_text(path, slash ? (size_t)(slash - path) + 1 : 0);
}

bool tg_module_run_file(tg_interp *in, tg_env *env, const char *path, const char *shown) {
    size_t len;
    char *text = tg_file_read(&in->rt.c, path, &len);
    if (!text) return false;
    tg_source *src = tg_source_new(shown, text, len);
    tg_free(text);
    char *outer = in->dir, *dir = src ? tg_module_folder(path) : NULL;
    bool ok = dir != NULL;
    if (!ok) tg_fail_memory(&in->rt.c);
    if (ok) {
        in->dir = dir;
        ok = tg_module_run(in, env, src, NULL);
        in->dir = outer;
    }
    tg_free(dir);
    tg_source_drop(src);
    return ok;
}

static bool use_file(tg_interp *in, const char *name, char *path, size_t size) {
    if (name[0] != '/' && in->dir && in->dir[0]) {
        snprintf(path, size, "%s%s", in->dir, name);
        if (tg_file_exists(path)) return true;
    }
    snprintf(path, size, "%s", name);
    if (tg_file_exists(path)) return true;
    tg_fail(&in->rt.c, TG_ERR_FILE, "there is no file \"%s\"", name);
    return in->dir && in->dir[0]
               ? tg_help(&in->rt.c, "looked in %s and in the current folder", in->dir)
               : tg_help(&in->rt.c,
                         "a module of the standard library is used without quotes: use optim");
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Puts the names of the modules in the folder into name, in order; how many. A name with _ is a
 * part of a module, which uses it. */
static int modules_in(const char *folder, char *name[], int most) {
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *e; d && n < most && (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (len < 4 || strcmp(e->d_name + len - 3, ".tg") != 0 || strchr(e->d_name, '_')) continue;
        if (!(name[n] = tg_alloc_text(e->d_name, len - 3))) break;
        n++;
    }
    if (d) closedir(d);
    if (n) qsort(name, (size_t)n, sizeof *name, by_name);
    return n;
}

int tg_module_names(tg_interp *in, char *name[], int most) {
    char path[PATH_MAX];
    const tg_diag pending = in->rt.c.diag;
    bool library = tg_stdlib_find(&in->rt, "core.tg", path, sizeof path);
    in->rt.c.diag = pending;
    if (!library) return 0;
    *strrchr(path, '/') = 0;
    return modules_in(path, name, most);
}

/* There is no module of that name: which one was meant, or which there are. */
static bool blame_module(tg_interp *in, const char *name) {
    enum { MOST = 100 };
    char *there[MOST];
    if (in->rt.c.diag.kind != TG_ERR_FILE) return false;
    int n = tg_module_names(in, there, MOST);
    tg_nearest near = tg_nearest_to(name);
    tg_str list = {0};
    for (int i = 0; i < n; i++) {
        tg_nearest_offer(&near, there[i]);
        tg_str_addf(&list, "%s%s", i ? ", " : "", there[i]);
    }
    if (near.best)
        tg_help(&in->rt.c, "did you mean %s?", near.best);
    else if (n)
        tg_help(&in->rt.c, "the modules are %s; a file of your own is used by its name in quotes",
                tg_str_text(&list));
    tg_str_free(&list);
    for (int i = 0; i < n; i++) tg_free(there[i]);
    return false;
}

bool tg_module_use(tg_interp *in, const char *name, bool quoted) {
    char path[PATH_MAX], real[PATH_MAX], file[256];
    if (quoted) {
        if (!use_file(in, name, path, sizeof path)) return false;
    } else {
        snprintf(file, sizeof file, "%s.tg", name);
        if (!tg_stdlib_find(&in->rt, file, path, sizeof path)) return blame_module(in, name);
    }
    bool known;
    if (!realpath(path, real)) snprintf(real, sizeof real, "%s", path);
    int place = in->nused;
    if (!remember(in, real, &known)) return false;
    if (known) return true;
    char shown[300];
    snprintf(shown, sizeof shown, "<stdlib %s>", file);
    bool echo = in->echo;
    in->echo = false; /* it prints only what it prints */
    bool ok =
        tg_module_run_file(in, quoted ? in->globals : in->library, path, quoted ? path : shown);
    in->echo = echo;
    if (ok) return true;
    tg_free(in->used[place]); /* so that a mended file can be used again */
    in->nused--;
    memmove(in->used + place, in->used + place + 1, (size_t)(in->nused - place) * sizeof *in->used);
    return false;
}
