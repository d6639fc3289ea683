/* The topics as data: a row says what is asked for and shows it. Operations, builtins and functions
 * have their help in their own records; what stands here has no other place. */
#include "interp/topics.h"

#include "base/nearest.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const tg_topic_part tg_topic_parts[] = {
    {"statements", "="}, {"operators", "@"}, {"subjects", "axis"}, {"the prompt", "commands"}, {0}};

const tg_topic tg_topics[] = {
    /* statements */
    {" = definition define ",
     "name = expression defines a name. What depends on a var or an input stays a formula, and "
     "follows it. f(x) = expression defines a function. To keep a value as it is now: name := "
     "expression.",
     "x = var(2); y = x^2; x := 3; y", "y = x^2\n  = 9"},
    {" := += -= *= /= store ",
     "name := expression computes now and stores, into a var, an input or any other name. x += 1 "
     "is x := x + 1; so are -=, *= and /=. Several targets are computed before any is stored.",
     "x = var(2); x := x + 1; x += 1", "x = 4"},
    {" input inputs ",
     "input X[N, 3], s declares inputs: X with sizes, where a name is decided by the data and ? is "
     "any size, and the number s. Data come by X := ..., or for one evaluation by eval(e, X = "
     "...).",
     "input X[N, 3]; sum(X, axis=0)", "sum(X, axis=0)      [3]   needs X"},
    {" assume assumption assumptions ",
     "assume condition tells the simplifier what it may use: equations, signs, A == A'. It is "
     "checked on the data. assume alone lists what is assumed; unassume() drops it.",
     "x = var(2); assume x > 0; same(abs(x), x)", "equal (proved, assuming x > 0)"},
    {" rule rules g ",
     "rule f(x) = ... gives a function of your own its derivative: a formula of the parameters, of "
     "g, the incoming cotangent, and of out, the value f(x). With several parameters, a tuple. It "
     "is compared with differences when first used, unless it says so: rule f(x) unchecked = ...",
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
     "before, to _9. A formula stays live under these names. A statement that ends in ; shows "
     "nothing, and gives no answer.",
     "2 + 3\nans * 10", "5\n50"},
    {" format short long sci ",
     "format long shows numbers with all their digits, format sci five of them and an exponent; "
     "format, or format short, goes back to five. It is about what the prompt shows: print and {x} "
     "in texts keep their twelve digits.",
     "format long; 1 / 3", "0.3333333333333333"},
    {" for ",
     "for i in 1..10 { } goes over a range, a list, the rows of a tensor; for a, b in pairs { } "
     "takes items apart; for X, Y := batches(...) { } stores into the inputs X and Y each turn.",
     "total = 0; for i in 1..4 { total += i }; total", "total = 10"},
    {" while ",
     "while condition { } goes on as long as the condition holds; while true { } ends by break.",
     "n = 1; while n < 100 { n := 2 * n }; n", "n = 128"},
    {" repeat ", "repeat n { } does its block n times.", "x = var(1); repeat 3 { x := 2 * x }; x",
     "x = 8"},
    {" break continue loop ",
     "break leaves the innermost loop, continue goes on with its next turn. Loops are for, while "
     "and repeat.",
     "n = 0; while true { n += 1; if n > 4 { break } }; n", "n = 5"},
    {" if else ",
     "if c { } else if d { } else { } chooses once, by the value now; it is an expression too. "
     "where(c, a, b) chooses for each element, and stays a formula.",
     "x = 3; if x > 2 { \"large\" } else { \"small\" }", "\"large\""},
    {" return block { } ",
     "f(x) = { a = 2 * x; a^2 } is a function of several statements; its value is that of the "
     "last, or return's.",
     "f(x) = { if x < 0 { return 0 }; x^2 }; f(-1) + f(3)", "9"},
    {" -> lambda function functions ",
     "f(x, k=2) = expression defines a function, with a default for k; x -> expression is one "
     "without a name.",
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
     "x[:, 0] is a column; x[..., 0] the last axis; x[:, none] a new one; x[mask] and x[list] "
     "choose. All can be differentiated.",
     "x = [10, 20, 30, 40]; x[1:3]", "[20, 30]"},
    {" * ⊙ × broadcasting ",
     "+ - * / ^ work element by element. A number goes with anything; else one of the two operands "
     "must have the shape of the result, and the other is repeated along its missing axes and "
     "those of size 1.",
     "[[1, 2], [3, 4]] * [10, 100]", "[[10, 200],\n [30, 400]]"},
    {" == same_as compare comparison ",
     "== != < <= > >= compare element by element; a < b < c is a chain. Whether two formulas are "
     "the same: same(a, b).",
     "[1, 2, 3] >= 2", "[false, true, true]"},
    {" and or not ",
     "and, or and not combine truth values, element by element. An if asks no further than it "
     "must: in a and b, b is not looked at where a is false.",
     "[1, 2, 3] > 1 and [1, 2, 3] < 3", "[false, true, false]"},
    {" in ",
     "for x in list { } goes over the things in a list; names on the left take pairs apart.",
     "for a, b in [(1, 2), (3, 4)] { print(a * b) }", "2\n12"},
    {" . field fields ",
     "r.lr is the field lr of the record r, and r.lr := 0.1 stores into it. What is no record has "
     "no fields: write sum(x), not x.sum().",
     "r = {lr: 0.1}; r.lr", "0.1"},
    /* subjects */
    {" axis axes keep ",
     "axis=1 reduces along the second axis, axis=(0, 1) along two, axis=-1 along the last; "
     "keep=true keeps a size of 1.",
     "sum([[1, 2], [3, 4]], axis=1)", "[3, 7]"},
    {" string strings text format ",
     "\"...\" is a string, {expression} in it a value, {expression:.3f} one with three decimals; "
     "{{ is a brace. for c in s walks over characters, codes(s) are their numbers; words, lines "
     "and "
     "split_text take a text apart, join puts it together, replace, trim and lower clean it.",
     "x = 2; \"x is {x:.2f}\"", "\"x is 2.00\""},
    {" record records tuple tuples list lists container ",
     "(1, 2) is a tuple, {a: 1, b: 2} a record with r.a, [x, y] a list or, of numbers, a tensor. "
     "Arithmetic and grad go into them: params := params - 0.1 * grad(cost, params).",
     "r = {a: 1, b: 2}; 2 * r", "{a: 2, b: 4}"},
    {" formula formulas gradient gradients ",
     "grad(y, x) is the gradient as a formula; derive(y, x) says how it comes about, check(y, x) "
     "compares it with differences, same(a, b) two formulas; show, expand, shapes, why and raw "
     "look at one.",
     "x = var(3); grad(x^2, x)", "2 * x\n  = 6"},
    {" number numbers literal infinity nan ",
     "Numbers are real: 1, 0.5, 1e-3, pi, e, inf, nan. There are no integers that divide in "
     "another way: 1 / 2 is 0.5. Digits are not grouped, and 2 * x needs its sign.",
     "1 / 2 + 1e-3", "0.501"},
    {" comment comments # ",
     "# begins a comment, up to the end of the line. Lines of comment right above a function are "
     "its help: ?f shows them, and # tg> lines in them as examples.",
     "1 + 1 # one and one", "2"},
    {" size sizes shape shapes N ",
     "A shape is written [N, 784]. input X[N, 784] declares the size N, known once X has data; in "
     "formulas it is a number like any other. shape(x), size(x) and rank(x) tell, and sizes that "
     "must agree are checked when the line is entered.",
     "input X[N, 3]; sum(X, axis=0)", "sum(X, axis=0)      [3]   needs X"},
    {" type types dtype conversion ",
     "Elements are bool, byte, int32, int64, single or double; single(x), double(x) and so on "
     "convert. Arithmetic is in single or double (?precision); a scalar never widens a tensor.",
     "dtype(single([1, 2]) + 1)", "\"single\""},
    {" variable variables var live ",
     "x = var(2) makes a variable: what is computed from it stays a formula and follows it. x := 3 "
     "stores a new value. value(e) is a formula's value as it is now.",
     "x = var(2); y = x^2; x := 3; value(y)", "9"},
    {" where parts ",
     "where(c, a, b) takes from a where c is true and from b elsewhere; the side that is not taken "
     "never spoils a gradient. Behind a formula, `e where R = ..., S = ...` gives names to its "
     "parts, as long formulas are printed.",
     "a + b where a = 2, b = 3", "5"},
    {" random seed draws fresh ",
     "rand, randn, randint and permutation draw once, when their line runs; fresh(randn(3)) draws "
     "anew whenever := computes it. seed(1) begins a run that is the same bit for bit.",
     "seed(1); a = rand(3); seed(1); max(abs(a - rand(3)))", "0"},
    {" derivations derive check same proof why raw ",
     "derive(y, x) shows how a gradient comes about, line by line. check(y, x) compares it with "
     "differences, same(a, b) says whether two formulas are the same, why(e) what the simplifier "
     "did, raw(e) shows a formula without it.",
     "x = var(2); same((x + 1)^2, x^2 + 2*x + 1)", "equal (proved)"},
    {" jacobian hessian jvp vjp hvp ",
     "jacobian(y, x) holds all slopes of y, hessian(y, x) the second ones; jvp, vjp and hvp are "
     "products with them that are never built. f' is the derivative of a function.",
     "x = var([1, 2]); hessian(sum(x^3), x)",
     "6 * diag(x)      [2, 2]\n  = [[6,  0],\n     [0, 12]]"},
    {" memory recompute ",
     "grad(y, x, memory=\"sqrt\") keeps few intermediate values and computes the others twice; "
     "memory=\"speed\", a number of bytes or a list of values say it otherwise. :mem tells what a "
     "statement will take.",
     "x = var(3); grad(sin(x)^2, x, memory=\"sqrt\")", "2 * sin(x) * cos(x)\n  = -0.27942"},
    {" nn nets networks layers ",
     "use nn takes layers: functions of the data and of their parameters, a record that the "
     "layer's _init makes. net = var({...}) nests them, and a net is a formula. There are dense, "
     "conv, embedding, dropout, batch_norm, layer_norm, rnn, gru, lstm, attention and more; "
     "docs/networks.md has them all.",
     "use nn; input X[N, 4]; p = var(dense_init(4, 2)); relu(dense(X, p))",
     "relu(X @ p.W + p.b)      [N, 2]   needs X"},
    {" optim training optimizers losses ",
     "use loss takes what is made small, use optim what does it: opt = adam(cost, net), and "
     "opt.step() in a loop over batches(images, labels, 100). There are sgd, momentum, nesterov, "
     "adagrad, rmsprop, adam, adamw, lbfgs and newton_cg; use metrics has accuracy, use data "
     "splits and shuffles. docs/training.md tells more.",
     "use optim; x = var([4, 1]); opt = sgd(sum(x^2), x, rate=0.25); repeat 2 { opt.step() }; x",
     "x = [1, 0.25]"},
    {" files file resume checkpoint ",
     "save(\"m.npz\", net) keeps any value, net := load(\"m.npz\") brings it back, also one that "
     "NumPy wrote; read(path) and write(path, text) are for texts, idx(path) for IDX files. "
     "docs/state.md tells how a training that was stopped goes on.",
     "write(\"/tmp/note.txt\", \"a note\"); read(\"/tmp/note.txt\")", "\"a note\""},
    {" data mnist batches ",
     "mnist() and fashion() are digits and clothes to learn from, idx(\"file\") reads a tensor, "
     "and batches(images, labels, 100) gives portions of both to a loop.",
     "for X, Y := batches(arange(4), arange(4), 2, shuffle=false) { print(X) }", "[0, 1]\n[2, 3]"},
    {" export latex emit dot numpy torch ",
     "latex(e) writes a formula for a paper, emit(e, \"numpy\"), \"torch\" and \"c\" as a program, "
     "dot(e) as a drawing.",
     "x = var(2); latex(sqrt(x) / 2)", "\\frac{\\sqrt{x}}{2}"},
    {" error errors assert ",
     "An error stops the line; the session goes on, and nothing was changed by the failing "
     "statement. error(\"message\") raises one, assert(c, \"message\") where c is false.",
     "assert(1 < 2, \"never\")", ""},
    {" script scripts program args ",
     "tg file.tg a b runs a script, in which args is (\"a\", \"b\"); it prints only what it "
     "prints. tg -e 'code' runs a line. A first line #!/usr/bin/env tg makes a file a program.",
     "args", "args = ()"},
    {" unicode greek symbols paste ",
     "Names may be Greek, and formulas paste from papers: α · β, x², Aᵀ, ≤, ≠, π. Other systems' "
     "operators are read too: **, .*, ./, .^.",
     "α = 2; α² + 2 ** 3", "12"},
    {" commands command prompt ",
     "At the prompt, and in transcripts, a line that begins with : is a command about the session: "
     ":time, :profile, :mem. :help lists them all.",
     ":help time",
     ":time statement       How long it takes; an expression is run again and again."},
    {" names who what ",
     "?name tells what a name is, :who lists your names with what each is made of, :deps name "
     "draws that as a tree, :source f shows where a function comes from, :type e and :ops e look "
     "at an expression without computing it.",
     ":type [[1, 2], [3, 4]]", "tensor [2, 2], double"},
    {" interrupt interrupts ctrl-c stop ",
     "Ctrl-C stops what is running and says how far it came: the statement under way stores "
     "nothing, turns of a loop that were done stay done. The session goes on.",
     "1 + 1", "2"},
    {" progress bar ",
     "for x in progress(1..100, cost=c) { } shows how far a loop is, how fast, how long it will "
     "take, and the values that are named: as a bar on a terminal, as lines in a log. batches(...) "
     "do so by themselves.",
     "1 + 1", "2"},
    {" plots pictures draw ",
     "plot(f, -3, 3) draws a function, plot(y, x=-3..3) a formula over a variable with its "
     "tangent, "
     "plot(losses) numbers; scatter(...), hist(...), contour(...) and imshow(...) other pictures. "
     "In "
     "text on the terminal, or into a file by to=\"name.svg\".",
     "plot([1, 4, 9])", "..."},
    {" undo redo save load ",
     ":undo takes the last entry back and :redo does it again; :save file.tg writes the session as "
     "a "
     "script, :load file.tg runs one, :reset begins anew.",
     ":help redo", "..."},
    {" lesson lessons course ",
     "tg lesson lists the lessons that came with tg, and tg lesson name walks through one: it "
     "shows a line, you try it.",
     "1 + 1", "2"},
    {" fmt layout editor editors vim emacs vscode ",
     "tg fmt file.tg lays a program out, tg check file.tg tells its errors and shapes without "
     "running it; docs/editors.md tells how Vim, Emacs and Visual Studio Code show programs.",
     "1 + 1", "2"},
    {0},
};

const tg_topic *tg_topic_find(const char *word) {
    size_t n = strlen(word);
    for (const tg_topic *t = tg_topics; n > 0 && t->words; t++)
        for (const char *at = t->words; (at = strchr(at, ' ')) != NULL; at++)
            if (strncmp(at + 1, word, n) == 0 && at[n + 1] == ' ') return t;
    return NULL;
}

const char *tg_topic_nearest(const char *word, int within) {
    static char best[32];
    tg_nearest near = tg_nearest_to(word);
    if (within < near.within) near.within = within;
    const int least = near.within;
    for (const tg_topic *t = tg_topics; t->words; t++)
        for (const char *at = t->words + 1; *at; at += strcspn(at, " ") + 1) {
            char one[32];
            snprintf(one, sizeof one, "%.*s", (int)strcspn(at, " "), at);
            const int before = near.within;
            tg_nearest_offer(&near, one);
            if (near.within < before) strcpy(best, one);
            near.best = NULL; /* `one` does not stay */
        }
    return near.within < least ? best : NULL;
}
