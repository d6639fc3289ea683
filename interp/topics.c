/* The topics as data: a row says what is asked for and shows it. Operations, builtins and functions
 * have their help in their own records; what stands here has no other place. */
#include "interp/topics.h"

#include <stddef.h>
#include <string.h>

const tg_topic tg_topics[] = {
    /* statements */
    {" = definition define ",
     "name = expression defines a name. What depends on a var or an input stays a formula, and "
     "follows it.\nf(x) = expression defines a function. To keep a value as it is now: name := "
     "expression.",
     "x = var(2); y = x^2; x := 3; y", "y = x^2\n  = 9"},
    {" := += -= *= /= store ",
     "name := expression computes now and stores, into a var, an input or any other name.\nx += 1 "
     "is x := x + 1; so are -=, *= and /=. Several targets are computed before any is stored.",
     "x = var(2); x := x + 1; x += 1", "x = 4"},
    {" input inputs ",
     "input X[N, 3], s declares inputs: X with sizes, where a name is decided by the data and ? "
     "is any size, and the number s.\nData come by X := ..., or for one evaluation by eval(e, X = "
     "...).",
     "input X[N, 3]; sum(X, axis=0)", "sum(X, axis=0)      [3]   needs X"},
    {" assume assumption assumptions ",
     "assume condition tells the simplifier what it may use: equations, signs, A == A'. It is "
     "checked "
     "on the data.\nassume alone lists what is assumed; unassume() drops it.",
     "x = var(2); assume x > 0; same(abs(x), x)", "equal (proved, assuming x > 0)"},
    {" rule rules g ",
     "rule f(x) = ... gives a function of your own its derivative: a formula of the parameters, of "
     "g, the incoming\ncotangent, and of out, the value f(x). With several parameters, a tuple. It "
     "is compared with\ndifferences when first used, unless it says so: rule f(x) unchecked = ...",
     "sq(x) = x^2; rule sq(x) = g * 2 * x; x = var(3); grad(sq(x), x)", "2 * x\n  = 6"},
    {" use module modules ",
     "use \"file.tg\" runs a file, and use name a module of the library: their names are yours "
     "then.",
     "use optim", ""},
    {" precision ",
     "precision single makes single the type of new numbers, precision double goes back to double.",
     "precision single; 0.1", "0.1"},
    {" ans _1 _2 _3 _4 _5 _6 _7 _8 _9 answer ",
     "ans is what the prompt showed last for an expression; _1 is the same, _2 what it showed "
     "before, to _9.\nA formula stays live under these names. A statement that ends in ; shows "
     "nothing, and gives no answer.",
     "2 + 3\nans * 10", "5\n50"},
    {" format short long sci ",
     "format long shows numbers with all their digits, format sci five of them and an exponent;\n"
     "format, or format short, goes back to five. It is about what the prompt shows: print and\n"
     "{x} in texts keep their twelve digits.",
     "format long; 1 / 3", "0.3333333333333333"},
    {" for ",
     "for i in 1..10 { } goes over a range, a list, the rows of a tensor; for a, b in pairs { } "
     "takes "
     "items apart;\nfor X, Y := batches(...) { } stores into the inputs X and Y each turn.",
     "total = 0; for i in 1..4 { total += i }; total", "total = 10"},
    {" while ",
     "while condition { } goes on as long as the condition holds; while true { } ends by "
     "break.",
     "n = 1; while n < 100 { n := 2 * n }; n", "n = 128"},
    {" repeat ", "repeat n { } does its block n times.", "x = var(1); repeat 3 { x := 2 * x }; x",
     "x = 8"},
    {" break continue loop ",
     "break leaves the innermost loop, continue goes on with its next turn.\nLoops are for, while "
     "and repeat.",
     "n = 0; while true { n += 1; if n > 4 { break } }; n", "n = 5"},
    {" if else ",
     "if c { } else if d { } else { } chooses once, by the value now; it is an expression "
     "too.\nwhere(c, "
     "a, b) chooses for each element, and stays a formula.",
     "x = 3; if x > 2 { \"large\" } else { \"small\" }", "\"large\""},
    {" return block { } ",
     "f(x) = { a = 2 * x; a^2 } is a function of several statements; its value is that of the "
     "last, or return's.",
     "f(x) = { if x < 0 { return 0 }; x^2 }; f(-1) + f(3)", "9"},
    {" -> lambda function functions ",
     "f(x, k=2) = expression defines a function, with a default for k; x -> expression is one "
     "without "
     "a name.",
     "f(x, k=2) = x^k; f(3) + f(3, k=3)", "36"},
    {" true false none ", "true and false are truth values; none says that something is not given.",
     "not true", "false"},
    /* operators */
    {" @ · matmul ",
     "A @ B is the product of matrices, A @ x of a matrix and a vector, x @ y of two vectors.",
     "[[1, 2], [3, 4]] @ [1, 1]", "[3, 7]"},
    {" ' ′ ᵀ transpose derivative ",
     "A' is the transpose (of the last two axes), f' the derivative of the function f by its first "
     "parameter.",
     "f(x) = x^3; f'", "f'(x) = 3 * x^2"},
    {" .. range ranges ", "a..b is the range of whole numbers from a to b, both included.",
     "for i in 1..3 { print(i) }", "1\n2\n3"},
    {" : ... slice slices indexing index ",
     "x[i] counts from 0, and from the end for x[-1]; x[a:b] ends before b; x[::2] has a step; "
     "x[:, "
     "0] is a column;\nx[..., 0] the last axis; x[:, none] a new one; x[mask] and x[list] choose. "
     "All can be differentiated.",
     "x = [10, 20, 30, 40]; x[1:3]", "[20, 30]"},
    {" * ⊙ × broadcasting ",
     "+ - * / ^ work element by element. A number goes with anything; else one of the two operands "
     "must have the\nshape of the result, and the other is repeated along its missing axes and "
     "those "
     "of size 1.",
     "[[1, 2], [3, 4]] * [10, 100]", "[[10, 200],\n [30, 400]]"},
    {" == same_as compare comparison ",
     "== != < <= > >= compare element by element; a < b < c is a chain. Whether two formulas are "
     "the "
     "same: same(a, b).",
     "[1, 2, 3] >= 2", "[false, true, true]"},
    /* subjects */
    {" axis axes keep ",
     "axis=1 reduces along the second axis, axis=(0, 1) along two, axis=-1 along the last; "
     "keep=true "
     "keeps a size of 1.",
     "sum([[1, 2], [3, 4]], axis=1)", "[3, 7]"},
    {" string strings text format ",
     "\"...\" is a string, {expression} in it a value, {expression:.3f} one with three decimals; "
     "{{ is a "
     "brace.",
     "x = 2; \"x is {x:.2f}\"", "\"x is 2.00\""},
    {" record records tuple tuples list lists container ",
     "(1, 2) is a tuple, {a: 1, b: 2} a record with r.a, [x, y] a list or, of numbers, a tensor. "
     "Arithmetic and grad\ngo into them: params := params - 0.1 * grad(cost, params).",
     "r = {a: 1, b: 2}; 2 * r", "{a: 2, b: 4}"},
    {" formula formulas gradient gradients ",
     "grad(y, x) is the gradient as a formula; derive(y, x) says how it comes about, check(y, x) "
     "compares it with\ndifferences, same(a, b) two formulas; show, expand, shapes, why and raw "
     "look at one.",
     "x = var(3); grad(x^2, x)", "2 * x\n  = 6"},
    {" commands command prompt ",
     "At the prompt, and in transcripts, a line that begins with : is a command about the session: "
     ":time, :profile, :mem.\n:help lists them all.",
     ":help time",
     ":time statement       How long it takes; an expression is run again and again."},
    {0},
};

const tg_topic *tg_topic_find(const char *word) {
    size_t n = strlen(word);
    for (const tg_topic *t = tg_topics; n > 0 && t->words; t++)
        for (const char *at = t->words; (at = strchr(at, ' ')) != NULL; at++)
            if (strncmp(at + 1, word, n) == 0 && at[n + 1] == ' ') return t;
    return NULL;
}
