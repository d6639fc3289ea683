/* Forms that the simplifier knows, for the random formulas of test_simplify_random.c. */
#ifndef TG_TESTS_SIMPLIFY_FORMS_H
#define TG_TESTS_SIMPLIFY_FORMS_H

/* Forms that the simplifier knows, on one or two formulas of the same shape; without a shape they
 * are for several. */
static const char *const forms[] = {"x - x",
                                    "x + x",
                                    "x - y + x",
                                    "2 * x",
                                    "x / 3",
                                    "-x",
                                    "1 - x",
                                    "x + 1",
                                    "x * 0",
                                    "x^2",
                                    "x^3",
                                    "x * y / x",
                                    "x * y - y * x",
                                    "x * (1 - y) + y * x",
                                    "0.5 * x - 0.25 * y",
                                    "exp(x) - 1",
                                    "log(1 + exp(x))",
                                    "log(sigmoid(x))",
                                    "log(1 - sigmoid(x))",
                                    "sin(x)^2 + cos(x)^2",
                                    "-(x - y)",
                                    "exp(log(x))",
                                    "log(exp(x))",
                                    "sqrt(x^2)",
                                    "sqrt(x)^2",
                                    "exp(x) / exp(y)",
                                    "x / y / x",
                                    "where(x > y, x, y)",
                                    "where(x > 1, x, x)",
                                    "max(x, y)",
                                    "relu(-x)",
                                    "abs(-x)",
                                    "(x - y)^2",
                                    "1 / (1 / x)",
                                    "x / y + y / x",
                                    "sin(-x) * cos(-y)",
                                    "tanh(-x)",
                                    "1 / (1 + exp(-x))",
                                    "expand(mean(x), shape(y)) - y",
                                    "sum(x) * y",
                                    "mean(x - y) + y",
                                    "norm(x) * y",
                                    "x / norm(x)",
                                    "x - mean(x)",
                                    "expand(sum(x * y), shape(x))"};
static const char shaped_forms[] =
    "x[3]: exp(x) / sum(exp(x)) | x[3]: exp(x - logsumexp(x)) | x[3,3]: exp(x - logsumexp(x, "
    "axis=1, keep=true)) | x[3,3]: exp(x - logsumexp(x, axis=1)) | x[2,3]: x - mean(x, axis=0) | "
    "x[3,3]: x' | x[3,3], y[3,3]: (x @ y)' | x[3,3], y[3]: x @ y + x' @ y | x[3,3], y[3]: y @ x @ y"
    " | x[2,3]: sum(x', axis=0) | x[2,3]: log(sum(exp(x), axis=1)) | x[2,3]: -mean(sum(x * "
    "log(softmax(x)), axis=1)) | x[3]: expand(x, 2, 3) | x[2]: expand(x, (2, 3), axis=1) | x[3,3]: "
    "diag(diag(x)) | x[3]: diag(x) @ x | x[3]: x[0] * x[1] - x[2] | x[2,3]: x[0] + x[1] | "
    "x[2,3]: x[:, 1:] | x[3]: sum(sort(x)) | x[3]: trace(diag(x)) | x[3,3]: eye(3) @ x | "
    "x[3]: reshape(x, 3, 1) | x[6]: reshape(x, 2, 3) | x[2,3]: reshape(x, 6) | x[3,3]: trace(x' @ "
    "x) | x[3]: x @ x | x[3]: norm(x)^2 | x[3]: sqrt(mean((x - mean(x))^2)) | x[3,3]: sum(sum(x, "
    "axis=0)) | x[3]: outer(x, x) | x[3], y[]: diag(y * x) | x[]: expand(x, 3) | x[]: 3 * x";

#endif
