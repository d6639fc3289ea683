"""The rows of the bench: what is timed, against whom, what is to be reached, and of which work the floor consists.

Three kinds of rows. A step: `tg` is a program of bench/tg, `peer` a "contender:program" that times the same step (torch:
bench/torch, tg: bench/tg; python, lua and octave: a folder of that name); `per` is the number of units in a step, so that
the table shows the time of a unit, and `turns` how many steps go between two looks at the clock. A process: `tg_command`
and `peer_command` are run from start to end; {python} there is a Python that has torch, {tg} the command
measured. And tg alone: `limit` is the time to stay under. `target` is the ratio to reach, the peer's time by tg's. `floor` are items of bench/floor/floor.c for
one unit, `floor_times` so many of them.
"""
from dataclasses import dataclass, field


@dataclass
class Row:
    key: str
    title: str
    tg: str = ""
    peer: str = ""
    target: float = None
    limit: float = None
    per: float = 1
    turns: int = 1
    floor: list = field(default_factory=list)
    floor_times: int = 1
    gemm_bound: bool = False  # to be within 1.25 times of the floor
    tg_command: list = None
    peer_command: list = None
    peer_name: str = ""
    prompt: str = ""  # of a process: the peer's prompt; the time until it stands there, in place of that to the end
    peak: bool = False  # of a process: the memory that it needed, in place of its time
    one_thread: bool = False  # the number of threads makes no difference
    slow: bool = False  # seconds a step: not in a quick run


def both_layers(batch, sizes, through=1):
    """The products of a training step of a dense net: forward, gradient of weights, gradient of inputs but the first's."""
    items = []
    for layer, (k, n) in enumerate(zip(sizes, sizes[1:])):
        items += [f"gemm:{batch},{n},{k},NN,{through}", f"gemm:{k},{n},{batch},TN,{through}"]
        if layer > 0:
            items.append(f"gemm:{batch},{k},{n},NT,{through}")
    return items


def parameters_pass(sizes, reads, writes):
    """One pass over all parameters that reads and writes so many tensors of their size."""
    count = sum(k * n + n for k, n in zip(sizes, sizes[1:]))
    return f"pass:{4 * count * reads},{4 * count * writes}"


SOFTMAX = ["gemm:100,10,784,NN", "gemm:784,10,100,TN", "pass:313600,313600"]
MLP = [784, 512, 512, 10]
CRITIC = [784, 256, 256]


def critic_products():
    """The least products of a critic's step: 192 rows forwards, back, and for the weights' gradients; and for the penalty 64 rows
    back to the images, and the derivative of that."""
    penalty = ["gemm:64,256,256,NT,2", "gemm:64,784,256,NT", "gemm:64,256,784,NN", "gemm:784,256,64,TN",
               "gemm:256,256,64,TN"]
    return both_layers(192, CRITIC) + penalty


LSTM = ["gemm:32,512,128,NN,64", "gemm:32,128,512,NT,64", "gemm:128,512,2048,TN", "gemm:2048,64,128,NN",
        "gemm:2048,128,64,NT", "gemm:128,64,2048,TN"]

def dense_products(rows, pairs):
    """Of layers applied to so many rows: forward, gradient of weights, gradient of inputs."""
    return [f"gemm:{m},{n},{k},{how}" for a, b in pairs for m, n, k, how in ((rows, b, a, "NN"), (a, b, rows, "TN"), (rows, a, b, "NT"))]


TRANSFORMER = dense_products(1024, 4 * [(128, 128)] + [(128, 512), (512, 128)]) + [
    "gemm:64,64,32,NT,128", "gemm:64,32,64,NN,256", "gemm:64,32,64,TN,128", "gemm:64,64,32,NT,128"]


# The products of a step of the convolutional net by columns, image by image: both layers forwards, the weights' gradients,
# and the gradient by the second layer's input; then the dense layers.
CNN = ["gemm:32,784,25,NN,64", "gemm:32,25,784,NT,64", "gemm:64,196,800,NN,64", "gemm:64,800,196,NT,64",
       "gemm:800,196,64,TN,64", *both_layers(64, [3136, 256, 10]), "gemm:64,3136,256,NT",
       parameters_pass([3136, 256, 10], 1, 1)]


def chains(layers):
    """A chain of layers trained with memory="sqrt", beside the same with all values kept: its time, and its peak of memory."""
    command = ["bench/tg/chain_step.tg", "check", str(layers)]
    what = f"chain of {layers} layers, memory=\"sqrt\""
    return [Row(f"chain_{layers}", f"{what}: time of a step", f"chain_step {layers} sqrt", f"tg:chain_step {layers} speed",
                peer_name="tg, all kept", target=0.77, slow=layers > 256),
            Row(f"chain_{layers}_memory", f"{what}: peak of memory", tg_command=command + ["sqrt"],
                peer_command=["{tg}", "--threads", "{threads}"] + command + ["speed"], peer_name="tg, all kept", peak=True,
                one_thread=True, slow=layers > 256)]


ROWS = [
    Row("softmax_step", "softmax regression step, 784x10, batch 100, with its batch", "softmax_step",
        "torch:softmax_step", target=5, per=55, floor=SOFTMAX),
    Row("softmax_fused", "softmax regression step, against the fused cross entropy", "softmax_step", "torch:softmax_step_fused",
        target=5, per=55, floor=SOFTMAX),
    Row("softmax_by_hand", "softmax regression step, grad against the formula by hand", "softmax_step", "tg:softmax_by_hand", target=1,
        per=55, floor=SOFTMAX),
    Row("seed", "the seed program, 10 epochs, from start to end", target=5,
        tg_command=["examples/mnist/softmax_grad.tg", "10"],
        peer_command=["{python}", "bench/torch/softmax_grad.py", "examples/data/mnist", "10", "{threads}"]),
    Row("seed_training", "the seed program, its training: 5500 steps", "seed_training", "torch:seed_training", target=5, per=0.1,
        floor=SOFTMAX, floor_times=5500),
    Row("seed_memory", "the seed program, peak of memory", peak=True,
        tg_command=["examples/mnist/softmax_grad.tg", "1"],
        peer_command=["{python}", "bench/torch/softmax_grad.py", "examples/data/mnist", "1", "{threads}"]),
    Row("mlp_sgd", "MLP 784-512-512-10, batch 128, SGD step", "mlp_sgd", "torch:mlp_sgd", target=2, turns=5,
        gemm_bound=True, floor=both_layers(128, MLP) + [parameters_pass(MLP, 1, 1)]),
    Row("mlp_by_hand", "MLP SGD step, grad against backpropagation by hand", "mlp_sgd", "tg:mlp_by_hand", target=1, turns=5,
        floor=both_layers(128, MLP) + [parameters_pass(MLP, 1, 1)]),
    Row("mlp_adam", "MLP 784-512-512-10, batch 128, Adam step", "mlp_adam", "torch:mlp_adam", target=2, turns=5, gemm_bound=True,
        floor=both_layers(128, MLP) + [parameters_pass(MLP, 3, 3)]),
    Row("wgan", "WGAN-GP critic step, 784-256-256-1, batch 64", "wgan_critic", "torch:wgan_critic", target=1.25, turns=5,
        gemm_bound=True, floor=critic_products() + [parameters_pass(CRITIC, 1, 1)]),
    Row("cnn_step", "convolutional net 5x5x32, 5x5x64, 3136-256-10, batch 64, SGD step", "cnn_step", "torch:cnn_step", target=1.5,
        floor=CNN),
    Row("elementwise_gradient", "sum(tanh(v)*sigmoid(v) + v*exp(-v^2)), 4M singles, value and gradient",
        "elementwise_gradient", "torch:elementwise_gradient", target=4, per=2,
        floor=["pass:16000000,16000000", "exp:4000000,3"]),
    Row("elementwise_by_hand", "value and gradient, grad against the derivative by hand", "elementwise_gradient",
        "tg:elementwise_by_hand", target=1, per=2, floor=["pass:16000000,16000000", "exp:4000000,3"]),
    Row("elementwise_value", "sum(tanh(v)*sigmoid(v) + v*exp(-v^2)), 4M singles, value", "elementwise_value", "torch:elementwise_value", target=4, per=2,
        floor=["pass:16000000,0", "exp:4000000,3"]),
    Row("lstm", "LSTM cell in the language, hidden 128, 64 steps, batch 32, vocabulary 64", "lstm", "torch:lstm",
        target=2, gemm_bound=True, floor=LSTM),
    Row("lstm_scan", "LSTM as a scan, against torch.nn.LSTM", "lstm_scan", "torch:lstm_fused", target=2, gemm_bound=True, floor=LSTM),
    Row("scan_1000", "scan of 1000 turns, tanh(h @ W + x), 32x128, value and gradient", "scan_1000", "torch:scan_1000", target=2, turns=2),
    Row("lstm_fused", "LSTM, against torch.nn.LSTM", "lstm", "torch:lstm_fused", floor=LSTM),
    Row("transformer", "transformer block, width 128, 4 heads, hidden 512, 16 sequences of 64", "transformer", "torch:transformer", target=1,
        floor=TRANSFORMER),
    Row("scalar_gradient", "gradient of sin(s)*s^2 + exp(-s), and a step", "scalar_gradient", "torch:scalar_gradient",
        target=50, turns=500, one_thread=True),
    Row("rosenbrock", "Hessian of a 200-dimensional Rosenbrock function", "rosenbrock_hessian",
        "torch:rosenbrock_hessian", target=20, turns=1),
    Row("rosenbrock_vectorized", "Hessian of Rosenbrock, against vectorize=True", "rosenbrock_hessian",
        "torch:rosenbrock_hessian_vectorized", turns=10),
    Row("logistic", "logistic regression 60000x784, full-batch gradient", "logistic", "torch:logistic", target=1,
        floor=["pass:188160000,0", "pass:188160000,0"]),
    Row("logistic_hessian", "Hessian of a logistic regression 1000x784", "logistic_hessian", "torch:logistic_hessian",
        floor=["gemm:784,784,1000,TN"]),
    Row("per_example", "gradients of 1000 examples' losses, 784x10", "per_example", "torch:per_example",
        floor=["gemm:1000,10,784,NN", "pass:3136000,31360000"]),
    Row("per_example_vmap", "the same by vmap of grad", "per_example_vmap", "torch:per_example",
        floor=["gemm:1000,10,784,NN", "pass:3136000,31360000"]),
    Row("embedding_step", "embedding 50000x128, 64 texts of 32 words, SGD step, against sparse=True", "embedding_step",
        "torch:embedding_step", per=8),
    Row("embedding_step_dense", "embedding step, against a dense gradient", "embedding_step", "torch:embedding_step_dense", per=8),
    *chains(64), *chains(256), *chains(1024),
    Row("loop_lua", "a loop of a million turns, s = s + i*0.5 - s*1e-9", "loop", "lua:loop", one_thread=True),
    Row("loop_python", "a loop of a million turns, s = s + i*0.5 - s*1e-9", "loop", "python:loop", target=3, one_thread=True),
    Row("loop_octave", "a loop of a million turns, s = s + i*0.5 - s*1e-9", "loop", "octave:loop", one_thread=True, slow=True),
    Row("fib_lua", "fib(25) by recursion", "fib", "lua:fib", one_thread=True),
    Row("fib_python", "fib(25) by recursion", "fib", "python:fib", target=3, one_thread=True),
    Row("start_torch", "start-up to the first result", tg_command=["-e", "1+1"], one_thread=True,
        peer_command=["{python}", "-c", "import torch; print(1+1)"]),
    Row("start_octave", "start-up to the first result", tg_command=["-e", "1+1"], one_thread=True, peer_name="Octave",
        peer_command=["octave-cli", "-q", "--no-init-file", "--eval", "1+1"]),
    Row("start_python", "start-up to the first result", tg_command=["-e", "1+1"], one_thread=True, peer_name="Python",
        peer_command=["python3", "-c", "print(1+1)"]),
    Row("start_lua", "start-up to the first result", tg_command=["-e", "1+1"], one_thread=True, peer_name="Lua",
        peer_command=["lua", "-e", "print(1+1)"]),
    Row("prompt_octave", "start-up to the first prompt", tg_command=[], one_thread=True, peer_name="Octave",
        peer_command=["octave-cli", "-q", "--no-init-file"], prompt="> "),
    Row("prompt_python", "start-up to the first prompt", tg_command=[], one_thread=True, peer_name="Python",
        peer_command=["python3", "-q"], prompt=">>> "),
    Row("prompt_lua", "start-up to the first prompt", tg_command=[], one_thread=True, peer_name="Lua", peer_command=["lua"],
        prompt="> "),
    Row("compile_seed", "making the plan of the seed program's step", "compile_seed", limit=0.002, one_thread=True),
    Row("compile_unrolled", "making the plan of an unrolled net of 10000 operations", "compile_unrolled", limit=0.2,
        one_thread=True),
    Row("derive_unrolled", "deriving the gradients of such a net", "derive_unrolled", one_thread=True),
]
