/* A bar is drawn at most fifteen times a second, or again at once after the program printed. Its
 * named arguments are evaluated then, in the scope of the loop, but not so often that this takes
 * more than a twentieth of the time: a live formula costs the loop a few percent whatever it is. A
 * name that has no value yet is left out. The rate is an average that forgets within seconds, so
 * that what remains is foreseen by how fast the loop is now.
 *
 * A loop looks at the clock in each turn, or every some turns while these are fast. Loops that end
 * in a moment show nothing. */
#include "interp/progress.h"
#include "base/clock.h"
#include "base/terminal.h"
#include "interp/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SKIP = 16, MOST_LINES = 6, STRIP_MOST = 40, STRIP_LEAST = 6, VALUE_MOST = 40 };

static const double every = 1.0 / 15; /* seconds between drawings */
static const double anew = 1.0 / 60;  /* the same, where what was printed took the bars away */
static const double first = 0.12;     /* seconds before the first */
static const double lines = 5;        /* seconds between lines where there is no terminal */
static const double memory = 3;       /* seconds that the rate is an average of, about */
static const double share = 0.05;     /* of the time that named arguments may take */

/* TG_PROGRESS is `off`, or the seconds between lines. */
static double line_time(bool *off) {
    const char *text = getenv("TG_PROGRESS");
    char *end;
    *off = text && strcmp(text, "off") == 0;
    double seconds = text ? strtod(text, &end) : 0;
    return seconds > 0 ? seconds : lines;
}

/* ---- calls ---- */

static bool run_progress(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    (void)args;
    (void)out;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "progress stands in the head of a loop, around all of it");
    return tg_help(&in->rt.c,
                   "for x in progress(1..100) { ... }, while progress(condition) { ... }");
}

const tg_ast *tg_progress_call(tg_interp *in, tg_env *env, const tg_ast *e) {
    if (e->kind != TG_AST_CALL || e->kids[0]->kind != TG_AST_NAME) return NULL;
    const tg_value *v = tg_lookup(in, env, e->kids[0]->name);
    return v && v->tag == TG_V_BUILTIN && v->as.builtin->run == run_progress ? e : NULL;
}

static bool is_title(const tg_ast *arg) {
    return arg->kind == TG_AST_ARG && strcmp(arg->name, "title") == 0;
}

const tg_ast *tg_progress_subject(tg_interp *in, const tg_ast *call) {
    const tg_ast *subject = NULL;
    int n = 0;
    for (int i = 1; i < call->n; i++) {
        if (call->kids[i]->kind == TG_AST_ARG) continue;
        subject = call->kids[i];
        n++;
    }
    if (n == 1) return subject;
    tg_fail(&in->rt.c, TG_ERR_TYPE, "progress takes one thing to walk over, not %d", n);
    tg_help(&in->rt.c, "what is to be shown has a name: progress(1..100, cost=c)");
    return NULL;
}

/* ---- beginning and ending ---- */

bool tg_progress_begin(tg_progress *p, tg_interp *in, tg_env *env, const tg_ast *call,
                       const char *title, int64_t count) {
    bool off;
    *p = (tg_progress){.in = in, .env = env, .call = call, .count = count, .skip = 1, .pending = 1};
    if (!call && (!title || in->nbars >= MOST_LINES)) return true;
    p->outer = in->bar;
    p->bar = tg_terminal_obeys(STDERR_FILENO);
    line_time(&off);
    for (int i = 1; call && i < call->n; i++) {
        if (!is_title(call->kids[i])) continue;
        if (!tg_eval(in, env, call->kids[i]->kids[0], &p->title)) return false;
        if (p->title.tag != TG_V_STRING)
            return tg_fail(&in->rt.c, TG_ERR_TYPE, "the title must be a string, not %s",
                           tg_value_kind(p->title));
    }
    if (p->title.tag == TG_V_NONE && title &&
        !tg_value_string(&in->rt.c, title, strlen(title), &p->title))
        return false;
    if (off) return true;
    p->on = true;
    p->begun = p->looked = tg_clock_now();
    p->shown = p->bar ? p->begun + first - every : p->begun;
    in->bar = p;
    in->nbars++;
    return true;
}

/* ---- what is told ---- */

static void add_rate(double rate, tg_str *out) {
    if (!(rate > 0)) return;
    if (rate >= 1e6)
        tg_str_addf(out, "%.3gM/s", rate / 1e6);
    else if (rate >= 1e4)
        tg_str_addf(out, "%.3gk/s", rate / 1e3);
    else if (rate >= 1)
        tg_str_addf(out, rate >= 999.5 ? "%.0f/s" : "%.3g/s", rate);
    else
        tg_str_addf(out, "%.3g s/turn", 1 / rate);
}

static void add_time(double seconds, tg_str *out) {
    long s = seconds < 3.6e8 ? lround(seconds) : -1;
    if (s < 0)
        tg_str_add(out, "? s");
    else if (seconds < 9.95)
        tg_str_addf(out, "%.1f s", seconds);
    else if (s < 60)
        tg_str_addf(out, "%ld s", s);
    else if (s < 3600)
        tg_str_addf(out, "%ld:%02ld", s / 60, s % 60);
    else
        tg_str_addf(out, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static bool is_given_up(const tg_ctx *c) {
    return c->diag.kind == TG_ERR_INTERRUPT || c->diag.kind == TG_ERR_MEMORY;
}

/* One named argument as it is now; nothing, if it is not known yet. */
static bool add_value(tg_progress *p, const tg_ast *arg, tg_str *out) {
    tg_interp *in = p->in;
    tg_value v = TG_NONE_VALUE, known = TG_NONE_VALUE;
    tg_str text = {0};
    bool computing = in->computing, ok;
    uint64_t stream = in->rt.stream;
    in->computing = false;
    in->unwatched++;
    ok = tg_eval(in, p->env, arg->kids[0], &v) && tg_value_now(in, v, &known);
    in->computing = computing;
    in->unwatched--;
    if (ok && known.tag == TG_V_NUMBER)
        tg_str_addf(&text, "%.4g", known.as.number);
    else if (ok)
        ok = tg_show_value(in, known, NULL, &text);
    in->rt.stream = stream; /* to look draws nothing */
    tg_value_drop(known);
    tg_value_drop(v);
    bool unknown = !ok && (in->rt.c.diag.kind == TG_ERR_NAME || in->rt.c.diag.kind == TG_ERR_DATA);
    bool given_up = !ok && is_given_up(&in->rt.c);
    if (!ok && !given_up) tg_clear(&in->rt.c);
    if (!given_up && !unknown) {
        tg_str_addf(out, "  %s=", arg->name);
        const char *shown = ok ? tg_str_text(&text) : "?";
        for (int i = 0; *shown && i < VALUE_MOST; i++, shown++)
            tg_str_addc(out, (unsigned char)*shown < ' ' ? ' ' : *shown);
    }
    tg_str_free(&text);
    return !given_up;
}

/* The named arguments anew, if they have not taken too much of the time. */
static bool take_values(tg_progress *p, double t, bool last) {
    bool ok = true;
    if (!p->call || (!last && p->values.text && t - p->valued < p->value_time / share)) return true;
    tg_str made = {0};
    for (int i = 1; ok && i < p->call->n; i++)
        if (p->call->kids[i]->kind == TG_AST_ARG && !is_title(p->call->kids[i]))
            ok = add_value(p, p->call->kids[i], &made);
    tg_str_free(&p->values);
    p->values = made;
    p->valued = tg_clock_now();
    p->value_time = p->valued - t;
    return ok;
}

static const char *title_of(const tg_progress *p) {
    return p->title.tag == TG_V_STRING ? p->title.as.text->bytes : "";
}

static void add_count(const tg_progress *p, tg_str *out) {
    if (title_of(p)[0]) tg_str_addf(out, "%s ", title_of(p));
    if (p->count >= 0)
        tg_str_addf(out, "%lld/%lld", (long long)p->done, (long long)p->count);
    else
        tg_str_addf(out, "%lld", (long long)p->done);
}

static void add_left(const tg_progress *p, const char *before, tg_str *out) {
    if (p->count < 0 || !(p->rate > 0) || p->done >= p->count) return;
    tg_str_add(out, before);
    add_time((double)(p->count - p->done) / p->rate, out);
    tg_str_add(out, " left");
}

/* ---- lines ---- */

/* title 57/100 12.3/s 3 s left cost=0.41; of what is over: in how long. */
static void write_line(tg_progress *p, double t, bool over) {
    tg_str s = {0};
    add_count(p, &s);
    tg_str_addc(&s, ' ');
    add_rate(over ? (double)p->done / (t - p->begun) : p->rate, &s);
    if (over) {
        tg_str_add(&s, " in ");
        add_time(t - p->begun, &s);
    } else {
        add_left(p, " ", &s);
    }
    for (const char *v = tg_str_text(&p->values); *v; v++)
        if (v[0] != ' ' || v[1] != ' ') tg_str_addc(&s, *v);
    tg_str_addc(&s, '\n');
    if (!s.failed) fputs(tg_str_text(&s), stderr);
    fflush(stderr);
    tg_str_free(&s);
}

/* ---- bars ---- */

/* As much of `text` as there is room for, from *room. */
static void add_within(tg_str *out, const char *text, int *room) {
    int width = tg_utf8_width(text, strlen(text));
    if (width > *room) return;
    tg_str_add(out, text);
    *room -= width;
}

/* " [===>   ]" */
static void add_strip(const tg_progress *p, int width, tg_str *out) {
    int full = (int)((double)width * (double)p->done / (double)p->count);
    tg_str_add(out, " [");
    tg_str_repeat(out, '=', full < width ? full : width);
    tg_str_add(out, full < width ? ">" : "");
    tg_str_repeat(out, ' ', width - full - 1);
    tg_str_addc(out, ']');
}

/* "  19.9/s  40 s, 10 s left  cost=0.41", where there is room for all of it. */
static void add_tail(const tg_progress *p, double t, int *room, tg_str *out) {
    tg_str piece = {0};
    if (p->rate > 0) {
        tg_str_add(&piece, "  ");
        add_rate(p->rate, &piece);
        add_within(out, tg_str_text(&piece), room);
        piece.len = 0;
    }
    tg_str_add(&piece, "  ");
    add_time(t - p->begun, &piece);
    add_left(p, ", ", &piece);
    add_within(out, tg_str_text(&piece), room);
    for (const char *v = tg_str_text(&p->values); *v;) {
        const char *next = strstr(v + 2, "  ");
        size_t n = next ? (size_t)(next - v) : strlen(v);
        piece.len = 0;
        tg_str_addn(&piece, v, n);
        add_within(out, tg_str_text(&piece), room);
        v += n;
    }
    tg_str_free(&piece);
}

/* What does not fit is left out: first the named arguments, from the last, then the times, the rate
 * and the strip. */
static void add_bar(const tg_progress *p, double t, int width, tg_str *out) {
    tg_str head = {0}, tail = {0};
    add_count(p, &head);
    int room = width - tg_utf8_width(tg_str_text(&head), head.len);
    int strip = p->count > 0 && room >= STRIP_LEAST + 3 ? STRIP_LEAST : 0;
    room -= strip ? strip + 3 : 0;
    if (room >= 0) add_tail(p, t, &room, &tail);
    tg_str_addn(out, tg_str_text(&head), tg_utf8_fit(tg_str_text(&head), head.len, width));
    strip += strip ? room : 0;
    if (strip) add_strip(p, strip < STRIP_MOST ? strip : STRIP_MOST, out);
    tg_str_add(out, tg_str_text(&tail));
    tg_str_free(&head);
    tg_str_free(&tail);
}

/* The outermost first. */
static void add_bars(const tg_progress *p, double t, int width, tg_str *out) {
    const tg_progress *all[MOST_LINES + 1];
    int n = 0;
    for (; p && n <= MOST_LINES; p = p->outer) all[n++] = p;
    for (int i = n; i-- > 0;) {
        add_bar(all[i], t, width, out);
        tg_str_add(out, i ? "\n" : "");
    }
}

static void add_wipe(tg_interp *in, tg_str *out) {
    if (in->bars_shown > 1) tg_str_addf(out, "\033[%dA", in->bars_shown - 1);
    tg_str_add(out, in->bars_shown > 0 ? "\r\033[J" : "");
    in->bars_shown = 0;
}

static void draw(tg_progress *p, double t) {
    tg_str s = {0};
    if (p->in->line_open) return; /* the program has begun a line */
    add_wipe(p->in, &s);
    /* A terminal writes ^C at the end of the line, and may wrap behind its last column. */
    add_bars(p, t, tg_terminal_columns(STDERR_FILENO, 80) - 3, &s);
    fflush(stdout);
    if (!s.failed) {
        fputs(tg_str_text(&s), stderr);
        p->in->bars_shown = p->in->nbars;
    }
    fflush(stderr);
    tg_str_free(&s);
}

void tg_progress_clear(tg_interp *in) {
    tg_str s = {0};
    if (in->bars_shown == 0) return;
    add_wipe(in, &s);
    fputs(tg_str_text(&s), stderr);
    fflush(stderr);
    tg_str_free(&s);
}

/* ---- the turns ---- */

static void count_rate(tg_progress *p, double t) {
    double since = t - (p->drawn ? p->shown : p->begun);
    if (since <= 0 || p->done == p->at) return;
    double fresh = (double)(p->done - p->at) / since, weight = 1 - exp(-since / memory);
    p->rate = p->rate > 0 ? p->rate + weight * (fresh - p->rate) : fresh;
    p->at = p->done;
}

bool tg_progress_look(tg_progress *p, int64_t done) {
    bool off;
    double t = tg_clock_now(), since = t - p->looked;
    p->looked = t;
    if (since > 2e-3 || done <= 0) /* how long a turn takes is not known before the first */
        p->skip = 1;
    else if (since < 1e-3 && p->skip < MOST_SKIP)
        p->skip *= 2;
    p->pending = p->skip;
    p->done = done;
    double wait = !p->bar ? line_time(&off) : p->drawn && p->in->bars_shown == 0 ? anew : every;
    if (t - p->shown < wait) return true;
    count_rate(p, t);
    if (!take_values(p, t, false)) return false;
    if (p->bar)
        draw(p, t);
    else
        write_line(p, t, false);
    p->shown = t;
    p->drawn = true;
    return true;
}

void tg_progress_end(tg_progress *p, int64_t done, bool finished) {
    if (p->on) {
        double t = tg_clock_now();
        tg_progress_clear(p->in);
        p->done = done;
        p->in->bar = p->outer;
        p->in->nbars--;
        if (finished && p->drawn && p->call && p->in->nbars == 0 && take_values(p, t, true))
            write_line(p, t, true);
    }
    tg_str_free(&p->values);
    tg_value_drop(p->title);
}

const tg_builtin tg_builtins_progress[] = {
    {"progress", "progress(x, title=none, ...)",
     "In the head of a loop: walks over x, and shows how far the loop is, how fast, and how long "
     "it "
     "will take; named arguments, such as cost=c, are shown with it, as they are at the time. A "
     "bar "
     "on a terminal, elsewhere a line every five seconds. Also `repeat progress(n) { ... }` and "
     "`while progress(condition) { ... }`.",
     "for x in progress(1..3) { print(x) }", "1\n2\n3", run_progress, true, false},
    {0},
};
