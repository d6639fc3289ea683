/* The words of other systems as data. A row is advice, never a second spelling: tg has one name for
 * a thing, and says which. What is a name of tg's own has no row (tests/unit/test_ask.c looks), as
 * nobody would come by. Words that are no functions are the grammar's advice (grammar/advice.c). */
#include "interp/foreign.h"

#include <stddef.h>
#include <string.h>

const tg_foreign tg_foreign_words[] = {
    /* sizes and shapes */
    {" len length numel nelem ", "size(x), or size(x, 0) along the first axis"},
    {" ndim ndims dim ", "rank(x)"},
    {" nrow nrows rows ", "size(x, 0)"},
    {" ncol ncols columns cols ", "size(x, 1)"},
    {" view resize ", "reshape(x, 2, 3)"},
    {" ravel vec ", "flatten(x)"},
    {" permute permutedims transpose_axes swapaxes movedim moveaxis ", "transpose(x, (0, 2, 1))"},
    {" newaxis expand_dims ", "unsqueeze(x, 1), or x[:, none]"},
    {" broadcast_to broadcast ", "expand(x, 3, 4)"},
    {" repmat tile_rep ", "tile(x, 2, 3)"},
    {" cat hstack vstack vcat hcat horzcat vertcat concatenate cbind rbind column_stack row_stack ",
     "concat([a, b], axis=0), or stack([a, b]) along a new axis"},
    {" fliplr flipud rot90 rev reverse ", "flip(x, axis=0)"},
    {" chunk array_split unbind ", "split(x, 2)"},
    {" triu_indices tril_indices ", "triu(x), tril(x)"},
    /* making */
    {" array tensor Tensor asarray as_tensor matrix Matrix ", "[[1, 2], [3, 4]]"},
    {" fill filled ", "full(0.5, 2, 3), zeros(2, 3)"},
    {" identity I ", "eye(3)"},
    {" colon seq ", "1..10, or arange(1, 11)"},
    {" range ", "0..n - 1"},
    {" normal gaussian random_normal rnorm mvnrnd ", "randn(2, 3)"},
    {" random uniform random_uniform runif ", "rand(2, 3)"},
    {" randperm shuffle ", "permutation(n)"},
    {" manual_seed set_seed rng srand set_random_seed ", "seed(1)"},
    {" placeholder ", "input X[N, 784]"},
    {" Variable Parameter requires_grad param ", "W = var(zeros(784, 10))"},
    {" constant ", "c = 3: what depends on no variable is a constant"},
    {" meshgrid ndgrid ", "expand(unsqueeze(x, 1), n, m), or outer(x, ones(m))"},
    /* arithmetic */
    {" ln logn ", "log(x)"},
    {" sqr square ", "x^2"},
    {" power ", "x^y"},
    {" plus ", "a + b"},
    {" minus subtract ", "a - b"},
    {" times multiply hadamard ", "a * b"},
    {" divide true_divide rdivide ", "a / b"},
    {" negative ", "-x"},
    {" absolute fabs magnitude ", "abs(x)"},
    {" fmod remainder modulo rem ", "a % b"},
    {" floor_divide ", "floor(a / b)"},
    {" fmax pmax amax ", "max(a, b), or max(x, axis=0)"},
    {" fmin pmin amin ", "min(a, b), or min(x, axis=0)"},
    {" arctan ", "atan(x)"},
    {" arctan2 ", "atan2(y, x)"},
    {" arcsin ", "asin(x)"},
    {" arccos ", "acos(x)"},
    {" arcsinh asinh ", "log(x + sqrt(x^2 + 1))"},
    {" fix trunc int ", "floor(x), or round(x)"},
    {" sgn signum ", "sign(x)"},
    {" factorial ", "prod(arange(1, n + 1))"},
    {" hypot ", "sqrt(x^2 + y^2)"},
    {" logistic expit ", "sigmoid(x)"},
    {" heaviside step ", "x > 0"},
    {" clamp clip_by_value bound ", "clip(x, 0, 1)"},
    {" isclose allclose isapprox ", "max(abs(a - b)) < 1e-9, or same(a, b) for formulas"},
    {" logical_and ", "a and b"},
    {" logical_or ", "a or b"},
    {" logical_not ", "not a"},
    {" ifelse select ", "where(c, a, b)"},
    {" nonzero flatnonzero argwhere find ", "x[x > 0] for the elements themselves"},
    /* along axes */
    {" reduce_sum nansum total ", "sum(x, axis=0)"},
    {" reduce_mean average avg ", "mean(x, axis=0)"},
    {" reduce_max nanmax ", "max(x, axis=0)"},
    {" reduce_min nanmin ", "min(x, axis=0)"},
    {" product ", "prod(x)"},
    {" sd stdev stddev ", "std(x)"},
    {" histc percentile quantile ", "sort(x)[floor(0.9 * (size(x) - 1))]"},
    {" unique ", "sort(x)"},
    {" sortperm order ", "argsort(x)"},
    {" top topk ", "sort(x)[-3:]"},
    {" log_softmax ", "logsoftmax(x)"},
    {" logcumsumexp ", "log(cumsum(exp(x)))"},
    {" cross_entropy nll_loss categorical_crossentropy binary_cross_entropy crossentropy ",
     "mean(-sum(Y * log(softmax(Z)), axis=1))"},
    {" mse mse_loss mean_squared_error ", "mean((P - Y)^2)"},
    {" linear dense Dense Linear ", "X @ W + b"},
    {" one_hot ", "onehot(k, 10)"},
    {" Adam adam rmsprop RMSprop SGD sgd ", "use optim, then sgd(...)"},
    /* matrices */
    {" mm bmm mtimes einsum tensordot inner multi_dot ", "a @ b"},
    {" T t ctranspose adjoint ", "x'"},
    {" inverse invert ", "inv(A)"},
    {" mldivide linsolve ", "solve(A, b)"},
    {" eig eigvals eigenvalues eigen ",
     "w, V = eigh(A) are eigenvalues and eigenvectors of a symmetric matrix"},
    {" chol ", "cholesky(A)"},
    {" determinant ", "det(A), or logdet(A) for its logarithm"},
    {" tr ", "trace(A)"},
    {" mpower matrix_power ", "matpow(A, 3)"},
    {" cross ", "a[1] * b[2] - a[2] * b[1], and so on"},
    {" lu qr ", "solve(A, b), cholesky(A), svd(A) or eigh(A)"},
    {" magic hilb rosser ", "reshape(arange(9), 3, 3)"},
    /* derivatives */
    {" derivative diff gradient backward autograd differentiate der nabla ∇ D ",
     "grad(y, x), or f'"},
    {" value_and_grad ", "grad(y, x): y itself is a formula already"},
    {" stop_gradient detach no_grad ", "stop(e)"},
    {" custom_vjp custom_gradient ", "rule f(x) = g * ..."},
    {" vmap ", "map(f, x), or a leading axis: @ takes batches"},
    {" simplify ", "show(e): formulas are shown in simple form"},
    {" subs substitute replace ", "eval(e, x=3)"},
    {" lambdify compile jit ", "nothing: formulas are compiled when they are computed"},
    /* texts, numbers, types */
    {" str string num2str sprintf repr ", "text(x), or \"{x:.3f}\""},
    {" float str2num parse ", "number(x) of a text, double(x) of a tensor"},
    {" astype to cast ", "single(x), double(x), int64(x), byte(x) or bool(x)"},
    {" float32 Float32 ", "single(x)"},
    {" float64 Float64 ", "double(x)"},
    {" uint8 ", "byte(x)"},
    {" typeof class type whatis isa ", ":type x at the prompt, or dtype(x)"},
    {" disp echo println printf puts cout fprintf ", "print(x)"},
    {" raise throw panic ", "error(\"message\")"},
    {" item tolist ", "number(x), or print(x)"},
    {" filter ", "x[x > 0]"},
    {" apply arrayfun ", "map(f, x)"},
    {" push push_back ", "append(list, x)"},
    {" loadtxt genfromtxt read_csv csvread ", "map(number, ...) of parts of read(\"file\")"},
    {" fopen readlines readline slurp read_text fileread ",
     "read(\"file.txt\") is the text in a file"},
    {" fwrite write_text writelines writefile ", "write(\"file.txt\", \"{x}\\n\")"},
    {" isfile isdir path_exists file_exists ", "exists(\"file\")"},
    {" tic toc time timeit ", ":time e at the prompt, or clock()"},
    {" figure subplot legend axes show_plot ",
     "plot(f, -3, 3) draws at once; title=, xlabel= and ylabel= name things"},
    {" pretty pprint ", "show(e)"},
    /* the prompt */
    {" exit quit q bye logout ", ":quit, or Ctrl-D"},
    {" clc cls clear_screen ", "Ctrl-L clears the screen"},
    {" who whos vars globals locals workspace ", ":who lists your names"},
    {" ls dir ", "!ls lists the files, :who your names"},
    {" pwd cd chdir ", "!pwd shows the folder, :cd folder goes to another"},
    {" history ", "Up and Ctrl-R find earlier entries, :save file.tg writes them"},
    {" _ it ", "ans is what was shown last"},
    {" info help doc describe inspect ", "?name explains a name"},
    {" run open ", ":load file.tg"},
    {" restart ", ":reset"},
    {" clear clearvars reset rm del ", ":reset forgets the session's names; x = 0 replaces one"},
    {" which edit ", ":source f shows a function and where it comes from, :edit f changes it"},
    {" undo ", ":undo"},
    {" save ", ":save file.tg"},
    {" load ", ":load file.tg, use \"file.tg\" in a script, or idx(\"file\") for a tensor"},
    {" lookfor apropos ", "??word finds names"},
    {0},
};

static bool among(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *at = words; n > 0 && (at = strchr(at, ' ')) != NULL; at++)
        if (strncmp(at + 1, word, n) == 0 && at[n + 1] == ' ') return true;
    return false;
}

const char *tg_foreign_word(const char *word) {
    for (const tg_foreign *f = tg_foreign_words; f->words; f++)
        if (among(f->words, word)) return f->here;
    return NULL;
}

bool tg_foreign_module(const char *word) {
    return among(" np numpy jnp jax torch nn F tf keras math scipy linalg autograd plt pd random "
                 "functional optim Math ",
                 word);
}
