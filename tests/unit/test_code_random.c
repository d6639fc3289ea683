/* Number code against the tree, on random programs.
 *
 * Each program is run twice: as it would be, and with number code forbidden. What it prints, what
 * is remarked, its error with carets and calls, and all of its variables afterwards must be the
 * same to the last digit. The programs are loops and functions on numbers, truth values, elements
 * and fields, with mistakes in them: places out of range, unknown names, values of the wrong kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "interp/api.h"

enum { PROGRAMS = 12000, MOST_TEXT = 1 << 16 };

static uint64_t seed = 1;
static char text[MOST_TEXT];
static size_t used;

static int pick(int n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)n);
}

static void put(const char *s) {
    size_t n = strlen(s);
    if (used + n + 1 > sizeof text) return;
    memcpy(text + used, s, n + 1);
    used += n;
}

static void put_one(int n, const char *const *of) {
    put(of[pick(n)]);
}
#define ONE_OF(...)                                                                                \
    put_one((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),                    \
            (const char *const[]){__VA_ARGS__})

static bool in_function;
static int in_loop;

static void number(int depth);

static void truth(int depth) {
    int kind = depth <= 0 ? pick(3) : pick(9);
    switch (kind) {
    case 0:
        if (in_function)
            ONE_OF("true", "false");
        else
            ONE_OF("p", "q", "p", "true");
        break;
    case 1:
        if (in_function) {
            put("u > 1");
        } else {
            put("m[");
            ONE_OF("0", "1", "i % 3", "-1", "k");
            put("]");
        }
        break;
    case 2:
    case 3:
    case 4:
        number(depth - 1);
        ONE_OF(" < ", " <= ", " > ", " >= ", " == ", " != ");
        number(depth - 1);
        break;
    case 5:
        number(depth - 1);
        ONE_OF(" < ", " <= ");
        number(depth - 1);
        ONE_OF(" < ", " <= ");
        number(depth - 1);
        break;
    case 6:
        put("not (");
        truth(depth - 1);
        put(")");
        break;
    case 7:
        put("(");
        truth(depth - 1);
        ONE_OF(" and ", " or ");
        truth(depth - 1);
        put(")");
        break;
    default:
        ONE_OF("isnan(", "(1 > ");
        number(depth - 1);
        put(")");
    }
}

/* Mostly in range. */
static void place(void) {
    if (in_function)
        ONE_OF("0", "1", "-1", "u % 3", "2");
    else
        ONE_OF("0", "1", "2", "-1", "i % 3", "k % 3", "-1 - i % 3", "i % 4", "i", "a");
}

static void name(void) {
    if (in_function)
        ONE_OF("u", "v", "u", "v", "w", "a");
    else
        ONE_OF("a", "b", "c", "k", "i", "a", "b", "c");
}

static void number(int depth) {
    int kind = depth <= 0 ? pick(3) : pick(16);
    switch (kind) {
    case 0:
    case 1: name(); break;
    case 2: ONE_OF("0", "1", "2", "0.5", "3", "1e3", "-1"); break;
    case 3:
    case 4:
    case 5:
    case 6:
        put("(");
        number(depth - 1);
        ONE_OF(" + ", " - ", " * ", " / ", " % ", " + ", " - ", " * ");
        number(depth - 1);
        put(")");
        break;
    case 7:
        number(0);
        ONE_OF("^2", "^3", "^0.5");
        break;
    case 8:
        ONE_OF("max(", "min(");
        number(depth - 1);
        put(", ");
        number(depth - 1);
        put(")");
        break;
    case 9:
        ONE_OF("sin(", "sqrt(", "abs(", "exp(", "log(", "-(", "floor(");
        number(depth - 1);
        put(")");
        break;
    case 10:
    case 11:
        ONE_OF("x[", "x[", "t[");
        place();
        put("]");
        break;
    case 12:
        if (pick(2)) {
            put("M[");
            place();
            put(pick(2) ? ", " : "][");
            place();
            put("]");
        } else if (in_function) {
            name();
        } else {
            ONE_OF("r.a", "r.v[i % 3]", "r.v[1]", "r.a", "r.b", "r.v[k]");
        }
        break;
    case 13:
        put("(if ");
        truth(depth - 1);
        put(" { ");
        number(depth - 1);
        put(" } else { ");
        number(depth - 1);
        put(" })");
        break;
    case 14:
        if (in_function) {
            number(depth - 1);
        } else {
            put("f(");
            number(depth - 1);
            put(")");
        }
        break;
    default:
        if (in_function) {
            number(depth - 1);
        } else {
            put("g(");
            number(depth - 1);
            put(", ");
            number(depth - 1);
            put(")");
        }
    }
}

static void block(int depth, int n);

static void own_name(void) {
    if (in_function)
        ONE_OF("u", "v", "w", "w");
    else
        ONE_OF("a", "b", "c", "a", "b", "c", "d");
}

static void statement(int depth) {
    int kind = pick(depth > 0 ? 20 : 11);
    switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3:
        own_name();
        put(" = ");
        number(3);
        break;
    case 4:
    case 5:
        own_name();
        ONE_OF(" := ", " += ", " -= ", " *= ", " := ");
        number(3);
        break;
    case 6:
    case 7:
        if (in_function)
            put("w = 1");
        else
            ONE_OF("x[", "y[", "x[", "x[");
        if (in_function) break;
        place();
        ONE_OF("] := ", "] += ", "] *= ", "] := ");
        number(2);
        break;
    case 8:
        if (in_function) {
            put("w = 0.25");
        } else {
            put("m[");
            place();
            put("] := ");
            truth(2);
        }
        break;
    case 9:
        if (in_function) {
            put("w = u");
        } else {
            ONE_OF("p", "q");
            ONE_OF(" = ", " := ", " = ");
            truth(2);
        }
        break;
    case 10: /* a mistake, now and then */
        if (pick(30))
            put("b = 1");
        else
            ONE_OF("a = nobody", "a = p + 1", "p = a", "a = f(1, 2)", "if a { b = 2 }", "a = x",
                   "a = g(1)", "x = 3", "x = [1, 2]", "t = (1, x)", "r = {a: p, v: 2}", "a = \"s\"",
                   "x[0] := \"s\"", "p := 3", "f = 2");
        break;
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
        put("if ");
        truth(3);
        block(depth - 1, 1 + pick(2));
        if (pick(2)) {
            put(" else");
            block(depth - 1, 1 + pick(2));
        }
        break;
    case 16:
        put(in_function ? "for n in 1.." : "for k in 0..");
        ONE_OF("2", "3", "4", "a % 4");
        in_loop++;
        block(depth - 1, 1 + pick(3));
        in_loop--;
        break;
    case 17:
        put("repeat ");
        ONE_OF("2", "3", "0", "-1", "1.5", "4");
        in_loop++;
        block(depth - 1, 1 + pick(2));
        in_loop--;
        break;
    case 18:
        if (in_loop) {
            put("if ");
            truth(2);
            ONE_OF(" { break }", " { continue }");
        } else {
            put("w = 2");
        }
        break;
    default:
        if (in_function) {
            put("if ");
            truth(2);
            put(" { return ");
            number(2);
            put(" }");
        } else {
            put("l = 0; while l < 4 and ");
            truth(1);
            put(" { l = l + 1; ");
            own_name();
            put(" = ");
            number(2);
            put(" }");
        }
    }
}

static void block(int depth, int n) {
    put(" { ");
    for (int i = 0; i < n; i++) {
        statement(depth);
        put("; ");
    }
    put("}");
}

static void function(const char *head) {
    in_function = true;
    put(head);
    put(" = { w = 0; ");
    for (int i = pick(3); i > 0; i--) {
        statement(2);
        put("; ");
    }
    number(3);
    put(" }\n");
    in_function = false;
}

static void program(void) {
    used = 0;
    put("a = 1; b = 2.5; c = -3; d = 0; k = 1; l = 0; i = 0; p = true; q = false\n"
        "x = [1, 2, 3.5]; y = x; M = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]; t = (1, 2, 3)\n"
        "m = x > 1.5; r = {a: 2, v: x}\n");
    function("f(u, v=1)");
    function("g(u, v)");
    in_loop = 1;
    put("for i in 0..");
    ONE_OF("5", "9", "20");
    block(2, 1 + pick(4));
    in_loop = 0;
    put("\n");
}

typedef struct outcome {
    char said[MOST_TEXT];
    size_t n;
} outcome;

static void keep(void *user, const char *s, size_t n) {
    outcome *o = user;
    if (o->n + n + 1 > sizeof o->said) return;
    memcpy(o->said + o->n, s, n);
    o->n += n;
    o->said[o->n] = 0;
}

static void run(tg_state *s, outcome *o, bool code, bool *failed) {
    static const char *const shown[] = {"a", "b", "c", "d", "k", "l", "i", "p",
                                        "q", "x", "y", "M", "t", "m", "r"};
    o->n = 0;
    o->said[0] = 0;
    s->in.no_code = !code;
    *failed = tg_run(s, "random", text, TG_ECHO) != TG_DONE;
    if (*failed) keep(o, tg_error(s), strlen(tg_error(s)));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char line[60];
        snprintf(line, sizeof line, "print(\"%s = {%s:.17g}\")", shown[i], shown[i]);
        if (strpbrk(shown[i], "pqxyMtmr"))
            snprintf(line, sizeof line, "print(\"%s = {%s}\")", shown[i], shown[i]);
        if (tg_run(s, "show", line, TG_QUIET) != TG_DONE) keep(o, tg_error(s), strlen(tg_error(s)));
    }
    s->in.no_code = 0;
}

static void code_does_what_the_tree_does(void **state) {
    (void)state;
    static outcome by_code, by_tree;
    int failures = 0;
    tg_state *a = tg_open(&(tg_options){.write = keep, .user = &by_code});
    tg_state *b = tg_open(&(tg_options){.write = keep, .user = &by_tree});
    assert_non_null(a);
    assert_non_null(b);
    for (int i = 0; i < PROGRAMS; i++) {
        bool failed, other;
        seed = (uint64_t)i + 1;
        program();
        run(a, &by_code, true, &failed);
        run(b, &by_tree, false, &other);
        if (failed != other || strcmp(by_code.said, by_tree.said) != 0) {
            printf("%s\n---- code:\n%s\n---- tree:\n%s\n", text, by_code.said, by_tree.said);
            fail_msg("program %d", i);
        }
        failures += failed;
    }
    /* most must run to their end, and some must not */
    print_message("%d of %d end in an error\n", failures, PROGRAMS);
    assert_in_range(failures, PROGRAMS / 50, PROGRAMS * 2 / 3);
    tg_close(a);
    tg_close(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(code_does_what_the_tree_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
