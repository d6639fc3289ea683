"""Cases of the module nn: each layer's output, and its gradients by input and parameters."""
import torch
import torch.nn.functional as F
from expected import leaves, made, slopes


def layer(y, **by):
    return {"y": y, **slopes(y, **by)}


def penalty(y, of, **by):
    """The gradients of a gradient's length, as a critic's penalty asks for them."""
    g = torch.autograd.grad((y * made(99, *y.shape)).sum(), of, create_graph=True)[0]
    return {"p_" + name: p for name, p in zip(by, torch.autograd.grad((g ** 2).sum(), list(by.values()), retain_graph=True))}


def cases():
    yield from dense()
    yield from embedding()
    yield from activations()
    yield from convolutions()
    yield from norms()
    yield from batch_norms()
    yield from recurrent()
    yield from attention()


def dense():
    x, W, b = leaves(made(1, 4, 3), made(2, 3, 5), made(3, 5))
    yield "dense_case", layer(F.linear(x, W.T, b), x=x, W=W, b=b)
    x, W = leaves(made(1, 2, 4, 3), made(2, 3, 5))
    yield "dense_unbiased", layer(F.linear(x, W.T), x=x, W=W)


def embedding():
    W = leaves(made(3, 5, 3))
    yield "embedding_case", layer(F.embedding(torch.tensor([[4, 0, 4], [1, 4, 2]]), W), W=W)


def activations():
    # F.hardsigmoid and F.hardswish differentiate by a sixth in single, so theirs are written out
    for name, f in {
        "silu": F.silu, "elu": F.elu, "selu": F.selu, "leaky_relu": F.leaky_relu, "mish": F.mish, "hard_tanh": F.hardtanh,
        "softsign": F.softsign, "glu": F.glu,
        "hard_sigmoid": lambda x: F.relu6(x + 3) / 6, "hard_silu": lambda x: x * F.relu6(x + 3) / 6,
    }.items():
        x = leaves(4 * made(4, 3, 4))
        yield name + "_case", layer(f(x), x=x)
    x = leaves(made(4, 3, 4))
    yield "elu_half", layer(F.elu(x, 0.5), x=x)
    x, slope = leaves(made(4, 3, 4), made(5, 4))
    yield "prelu_case", layer(F.prelu(x, slope), x=x, slope=slope)


def convolutions():
    x, W, b = leaves(made(34, 2, 2, 5, 4), made(35, 3, 2, 3, 2), made(36, 3))
    y = F.conv2d(x, W, b, stride=(2, 1), padding=1)
    yield "conv_case", layer(y, x=x, W=W, b=b)
    yield "conv_penalty", penalty(F.silu(y), x, x=x, W=W, b=b)
    x, W, b = leaves(made(34, 2, 4, 6), made(35, 6, 2, 3), made(36, 6))
    yield "conv1d_case", layer(F.conv1d(x, W, b, dilation=2, padding=2, groups=2), x=x, W=W, b=b)
    x, W, b = leaves(made(34, 2, 2, 3, 2), made(35, 2, 3, 3, 2), made(36, 3))
    yield "conv_transpose_case", layer(F.conv_transpose2d(x, W, b, stride=2, padding=1, output_padding=1), x=x, W=W, b=b)
    x, W, b = leaves(made(34, 2, 4, 3), made(35, 4, 3, 2), made(36, 6))
    yield "conv_transpose1d_case", layer(F.conv_transpose1d(x, W, b, stride=2, groups=2), x=x, W=W, b=b)


def norms():
    x, scale, shift = leaves(made(6, 2, 3, 4), made(7, 4), made(8, 4))
    by = dict(x=x, scale=scale, shift=shift)
    y = F.layer_norm(x, (4,), scale, shift)
    yield "layer_norm_case", layer(y, **by)
    yield "layer_norm_penalty", penalty(y, x, x=x, scale=scale)
    root = (x ** 2).mean(-1, keepdim=True).add(1e-6).sqrt()
    yield "rms_norm_case", layer(x / root * scale, x=x, scale=scale)
    x, scale, shift = leaves(made(9, 2, 4, 3, 2), made(7, 4), made(8, 4))
    by = dict(x=x, scale=scale, shift=shift)
    yield "group_norm_case", layer(F.group_norm(x, 2, scale, shift), **by)
    yield "instance_norm_case", layer(F.instance_norm(x, weight=scale, bias=shift), **by)


def batch_norms():
    for name, size in ("batch_norm_rows", (5, 3)), ("batch_norm_images", (2, 3, 2, 2)):
        x, scale, shift = leaves(made(10, *size), made(7, 3), made(8, 3))
        mean, variance = made(11, 3), 1.5 + made(12, 3)
        by = dict(x=x, scale=scale, shift=shift)
        yield name + "_later", layer(F.batch_norm(x, mean, variance, scale, shift), **by)
        y = F.batch_norm(x, mean, variance, scale, shift, training=True)  # moves mean and variance
        yield name, {**layer(y, **by), "mean": mean, "variance": variance}


def weights(kind, inputs, hidden, gates):
    """PyTorch's module with made-up weights, and them in tg's layout, for gradients to be asked by."""
    Wx, Wh = made(13, inputs, gates * hidden), made(14, hidden, gates * hidden)
    b, bn = made(15, gates * hidden), made(16, hidden)
    module = kind(inputs, hidden)
    with torch.no_grad():
        module.weight_ih_l0.copy_(Wx.T)
        module.weight_hh_l0.copy_(Wh.T)
        module.bias_ih_l0.copy_(b)
        module.bias_hh_l0.zero_()
        if kind is torch.nn.GRU:  # of its second bias, only the candidate's part is not the same as the first
            module.bias_hh_l0[2 * hidden:] = bn
    return module


def recurrent():
    for name, kind, gates in ("rnn", torch.nn.RNN, 1), ("gru", torch.nn.GRU, 3), ("lstm", torch.nn.LSTM, 4):
        module = weights(kind, 3, 2, gates)
        xs, h, c = leaves(made(17, 4, 2, 3), made(18, 1, 2, 2), made(19, 1, 2, 2))
        begin = (h, c) if kind is torch.nn.LSTM else h
        ys, end = module(xs, begin)
        last, cell = end if kind is torch.nn.LSTM else (end, None)
        both = torch.cat([ys, last] if cell is None else [ys, last, cell])
        by = {"xs": xs, "h": h, **({} if cell is None else {"c": c})}
        parameters = {"Wx": module.weight_ih_l0, "Wh": module.weight_hh_l0, "b": module.bias_ih_l0}
        yield name + "_penalty", penalty(both, xs, xs=xs, b=module.bias_ih_l0)
        record = layer(both, **by, **parameters, bh=module.bias_hh_l0)
        record["d_Wx"], record["d_Wh"] = record["d_Wx"].T, record["d_Wh"].T
        bh = record.pop("d_bh")
        if kind is torch.nn.GRU:
            record["d_bn"] = bh[4:]
        record["d_h"] = record["d_h"][0]
        if cell is not None:
            record["d_c"] = record["d_c"][0]
        yield name + "_case", record
        yield name + "_from_zero", {"y": module(xs)[0]}
    twice = torch.nn.LSTM(3, 2, bidirectional=True)
    source = weights(torch.nn.LSTM, 3, 2, 4)
    with torch.no_grad():
        for theirs, ours in twice.named_parameters():
            ours.copy_(getattr(source, theirs.removesuffix("_reverse")) * (0.5 if theirs.endswith("_reverse") else 1))
        ys, (h, c) = twice(xs)
        yield "bidirectional_case", {"y": ys, "forward": h[0], "backward": h[1], "c": c[1]}
        deep = torch.nn.GRU(3, 2, num_layers=2)
        first, second = weights(torch.nn.GRU, 3, 2, 3), weights(torch.nn.GRU, 2, 2, 3)
        for theirs, ours in deep.named_parameters():
            ours.copy_(getattr(second if theirs.endswith("1") else first, theirs[:-1] + "0"))
        ys, h = deep(xs)
        yield "stacked_case", {"y": ys, "first": h[0], "second": h[1]}


def heads(x, n):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


def attention():
    keys = torch.tensor([[True, True, True, False], [True, True, False, False]])
    module = torch.nn.MultiheadAttention(6, 3, batch_first=True)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([made(20 + i, 6, 6).T for i in range(3)]))
        module.in_proj_bias.copy_(torch.cat([made(24 + i, 6) for i in range(3)]))
        module.out_proj.weight.copy_(made(23, 6, 6).T)
        module.out_proj.bias.copy_(made(27, 6))
    x, context = leaves(made(28, 2, 4, 6), made(29, 2, 4, 6))
    later = torch.ones(4, 4).triu(1).bool()  # PyTorch's masks are true where one may not look
    by = dict(W=module.in_proj_weight, b=module.in_proj_bias, out=module.out_proj.weight)

    def record(y, **more):
        r = layer(y, **more, **by)
        W, b, out = r.pop("d_W"), r.pop("d_b"), r.pop("d_out")
        for i, part in enumerate(("query", "key", "value")):
            r["d_" + part + "_W"], r["d_" + part + "_b"] = W[6 * i:6 * i + 6].T, b[6 * i:6 * i + 6]
        return {**r, "d_out_W": out.T}

    yield "attention_self", record(module(x, x, x)[0], x=x)
    yield "attention_penalty", penalty(module(x, x, x)[0], x, x=x, in_b=module.in_proj_bias)
    yield "attention_causal", record(module(x, x, x, attn_mask=later)[0], x=x)
    yield "attention_keys", record(module(x, context, context, key_padding_mask=~keys)[0], x=x, context=context)
    both = module(x, x, x, attn_mask=later, key_padding_mask=~keys)[0]
    yield "attention_both", record(both, x=x)
    block = torch.nn.TransformerEncoderLayer(6, 3, 8, dropout=0, activation="gelu", batch_first=True, norm_first=True)
    with torch.no_grad():
        block.self_attn.load_state_dict(module.state_dict())
        block.linear1.weight.copy_(made(30, 6, 8).T)
        block.linear1.bias.copy_(made(31, 8))
        block.linear2.weight.copy_(made(32, 8, 6).T)
        block.linear2.bias.copy_(made(33, 6))
    y = block(x, src_mask=later)
    slopes_up = layer(y, x=x, up=block.linear1.weight, norm=block.norm2.weight)
    slopes_up["d_up"] = slopes_up["d_up"].T
    yield "transformer_case", slopes_up
