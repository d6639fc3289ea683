/* The functions, in Python. NumPy's and PyTorch's differ where the libraries do: axes are axis or
 * dim, indices below 0 mean something to NumPy only, and PyTorch's must leave a trace for its own
 * derivatives, so nothing is stored into an array there. The types follow the arguments'. */
#include "runtime/export/python_helpers.h"

#include <stddef.h>

const tg_helper tg_python_helpers[] = {
    {"_stack",
     "def _stack(rows, shape, dtype):\n"
     "    return np.stack([np.asarray(r, dtype) for r in rows]) if rows else np.zeros((0,) + "
     "shape, "
     "dtype)\n",
     "def _stack(rows, shape, dtype):\n"
     "    return torch.stack([torch.as_tensor(r, dtype=dtype) for r in rows]) if rows else "
     "torch.zeros((0,) + shape, dtype=dtype)\n"},
    {"_axes",
     "def _axes(axis):\n"
     "    return axis if isinstance(axis, tuple) else (axis,)\n",
     "def _axes(axis):\n"
     "    return axis if isinstance(axis, tuple) else (axis,)\n"},
    {"_last",
     "def _last(x, axis):  # the axes as one, the last\n"
     "    axis = _axes(axis)\n"
     "    rest = [k for k in range(x.ndim) if k not in axis]\n"
     "    return np.reshape(np.transpose(x, rest + list(axis)), [x.shape[k] for k in rest] + "
     "[int(np.prod([x.shape[k] for k in axis]))])\n",
     "def _last(x, axis):  # the axes as one, the last\n"
     "    axis = _axes(axis)\n"
     "    rest = [k for k in range(x.ndim) if k not in axis]\n"
     "    count = 1\n"
     "    for k in axis:\n"
     "        count *= x.shape[k]\n"
     "    return torch.reshape(torch.permute(x, rest + list(axis)), [x.shape[k] for k in rest] + "
     "[count])\n"},
    {"_kept",
     "def _kept(x, axis):  # the shape with the axes as 1\n"
     "    return tuple(1 if k in _axes(axis) else n for k, n in enumerate(x.shape))\n",
     "def _kept(x, axis):  # the shape with the axes as 1\n"
     "    return tuple(1 if k in _axes(axis) else n for k, n in enumerate(x.shape))\n"},
    {"_place",
     "def _place(best, x, axis, keep):\n"
     "    r = best(_last(x, axis), axis=-1)\n"
     "    return np.reshape(r, _kept(x, axis)) if keep else r\n",
     "def _place(best, x, axis, keep):\n"
     "    r = best(_last(x, axis), dim=-1)\n"
     "    return torch.reshape(r, _kept(x, axis)) if keep else r\n"},
    {"_prod", NULL,
     "def _prod(x, axis, keep):\n"
     "    r = torch.prod(_last(x, axis), dim=-1)\n"
     "    return torch.reshape(r, _kept(x, axis)) if keep else r\n"},
    {"_softmax",
     "def _softmax(x, axis):\n"
     "    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))\n"
     "    return e / np.sum(e, axis=axis, keepdims=True)\n",
     "def _softmax(x, axis):\n"
     "    return torch.exp(x - torch.logsumexp(x, dim=axis, keepdim=True))\n"},
    {"_logsumexp",
     "def _logsumexp(x, axis, keep):\n"
     "    m = np.max(x, axis=axis, keepdims=True, initial=-np.inf)\n"
     "    m = np.where(np.isfinite(m), m, x.dtype.type(0))\n"
     "    r = m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))\n"
     "    return r if keep else np.squeeze(r, axis)\n",
     NULL},
    {"_logsoftmax",
     "def _logsoftmax(x, axis):\n"
     "    return x - _logsumexp(x, axis, True)\n",
     "def _logsoftmax(x, axis):\n"
     "    return x - torch.logsumexp(x, dim=axis, keepdim=True)\n"},
    {"_norm",
     "def _norm(x, axis, keep):\n"
     "    m = np.max(np.abs(x), axis=axis, keepdims=True, initial=0)\n"
     "    m = np.where(m > 0, m, x.dtype.type(1))\n"
     "    r = m * np.sqrt(np.sum((x / m) ** 2, axis=axis, keepdims=True))\n"
     "    return r if keep else np.squeeze(r, axis)\n",
     NULL},
    {"_unit",
     "def _unit(x, axis):\n"
     "    n = _norm(x, axis, True)\n"
     "    return np.where(n > 0, x / np.where(n > 0, n, 1), 0).astype(x.dtype)\n",
     "def _unit(x, axis):\n"
     "    n = torch.linalg.vector_norm(x, dim=axis, keepdim=True)\n"
     "    return torch.where(n > 0, x / torch.where(n > 0, n, torch.ones_like(n)), "
     "torch.zeros_like(x))\n"},
    {"_erf",
     "_erf_of_one = np.vectorize(math.erf, otypes=[float])\n"
     "\n"
     "\n"
     "def _erf(x, dtype):\n"
     "    return np.asarray(_erf_of_one(x), dtype)\n",
     NULL},
    {"_gelu",
     "def _gelu(x, dtype):\n"
     "    return np.asarray(x * np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2, "
     "dtype)\n",
     NULL},
    {"_arange",
     "def _arange(start, stop, step, dtype):\n"
     "    start, stop = (0, start) if stop is None else (start, stop)\n"
     "    return np.asarray(start + step * np.arange(max(0, math.ceil((stop - start) / step))), "
     "dtype)\n",
     "def _arange(start, stop, step, dtype):\n"
     "    start, stop = (0, start) if stop is None else (start, stop)\n"
     "    count = max(0, math.ceil((stop - start) / step))\n"
     "    return (start + step * torch.arange(count, dtype=torch.float64)).to(dtype)\n"},
    {"_expand",
     "def _expand(x, shape, axis):\n"
     "    return np.broadcast_to(np.expand_dims(x, axis), shape)\n",
     "def _expand(x, shape, axis):\n"
     "    for k in _axes(axis):\n"
     "        x = x.unsqueeze(k)\n"
     "    return x.expand(shape)\n"},
    {"_places",
     "def _places(start, count, step):\n"
     "    return start - (step < 0) + step * np.arange(count)\n",
     "def _places(start, count, step):\n"
     "    return start - (step < 0) + step * torch.arange(count)\n"},
    {"_slice",
     "def _slice(x, start, count, step, drop, insert):\n"
     "    for k in range(len(start)):\n"
     "        x = np.take(x, _places(start[k], count[k], step[k]), axis=k)\n"
     "    return np.expand_dims(np.squeeze(x, drop), insert)\n",
     "def _slice(x, start, count, step, drop, insert):\n"
     "    for k in range(len(start)):\n"
     "        x = torch.index_select(x, k, _places(start[k], count[k], step[k]))\n"
     "    for k in reversed(_axes(drop)):\n"
     "        x = x.squeeze(k)\n"
     "    for k in _axes(insert):\n"
     "        x = x.unsqueeze(k)\n"
     "    return x\n"},
    {"_unslice",
     "def _unslice(x, shape, start, count, step):\n"
     "    out = np.zeros(shape, x.dtype)\n"
     "    out[np.ix_(*map(_places, start, count, step))] = np.reshape(x, count)\n"
     "    return out\n",
     "def _unslice(x, shape, start, count, step):\n"
     "    if not shape:\n"
     "        return x.reshape(())\n"
     "    places = torch.meshgrid(*map(_places, start, count, step), indexing=\"ij\")\n"
     "    return torch.index_put(torch.zeros(shape, dtype=x.dtype), places, x.reshape(count))\n"},
    {"_embed",
     "def _embed(x, axis, start, total):\n"
     "    widths = [(0, 0)] * x.ndim\n"
     "    widths[axis] = (start, total - start - x.shape[axis])\n"
     "    return np.pad(x, widths)\n",
     "def _embed(x, axis, start, total):\n"
     "    before, after = list(x.shape), list(x.shape)\n"
     "    before[axis], after[axis] = start, total - start - x.shape[axis]\n"
     "    return torch.cat([torch.zeros(before, dtype=x.dtype), x, torch.zeros(after, "
     "dtype=x.dtype)], dim=axis)\n"},
    {"_narrow",
     "def _narrow(x, axis, start, count):\n"
     "    return np.take(x, start + np.arange(count), axis=axis)\n",
     "def _narrow(x, axis, start, count):\n"
     "    return torch.narrow(x, axis, start, count)\n"},
    {"_pad",
     "def _pad(x, before, after, value):\n"
     "    after = after or before\n"
     "    n = x.ndim\n"
     "    before, after = before * n if len(before) == 1 else before, after * n if len(after) == 1 "
     "else after\n"
     "    return np.pad(x, tuple(zip(before, after)), constant_values=value)\n",
     "def _pad(x, before, after, value):\n"
     "    after = after or before\n"
     "    n = x.ndim\n"
     "    before, after = before * n if len(before) == 1 else before, after * n if len(after) == 1 "
     "else after\n"
     "    widths = [w for k in reversed(range(n)) for w in (before[k], after[k])]\n"
     "    return torch.nn.functional.pad(x, widths, value=value)\n"},
    {"_untile",
     "def _untile(x, shape, reps):\n"
     "    rank = max(len(shape), len(reps))\n"
     "    long, reps = (1,) * (rank - len(shape)) + shape, (1,) * (rank - len(reps)) + reps\n"
     "    x = np.reshape(x, [n for pair in zip(reps, long) for n in pair])\n"
     "    return np.reshape(np.sum(x, axis=tuple(range(0, 2 * rank, 2))), shape)\n",
     "def _untile(x, shape, reps):\n"
     "    rank = max(len(shape), len(reps))\n"
     "    long, reps = (1,) * (rank - len(shape)) + shape, (1,) * (rank - len(reps)) + reps\n"
     "    x = torch.reshape(x, [n for pair in zip(reps, long) for n in pair])\n"
     "    return torch.reshape(torch.sum(x, dim=tuple(range(0, 2 * rank, 2))), shape)\n"},
    {"_wrap", NULL,
     "def _wrap(idx, n):  # negative indices count from the end\n"
     "    return torch.where(idx < 0, idx + n, idx)\n"},
    {"_gather", NULL,
     "def _gather(x, idx, axis):\n"
     "    r = torch.index_select(x, axis, _wrap(idx, x.shape[axis]).reshape(-1))\n"
     "    return r.reshape(x.shape[:axis] + idx.shape + x.shape[axis + 1:])\n"},
    {"_scatter_add",
     "def _scatter_add(x, idx, updates, axis):\n"
     "    out = np.array(x)\n"
     "    np.add.at(out, (slice(None),) * axis + (idx,), updates)\n"
     "    return out\n",
     "def _scatter_add(x, idx, updates, axis):\n"
     "    updates = updates.reshape(x.shape[:axis] + (idx.numel(),) + x.shape[axis + 1:])\n"
     "    return torch.index_add(x, axis, _wrap(idx, x.shape[axis]).reshape(-1), updates)\n"},
    {"_scatter_sum",
     "def _scatter_sum(x, idx, n, axis):\n"
     "    return _scatter_add(np.zeros(x.shape[:axis] + (n,) + x.shape[axis + idx.ndim:], "
     "x.dtype), idx, x, axis)\n",
     "def _scatter_sum(x, idx, n, axis):\n"
     "    shape = x.shape[:axis] + (n,) + x.shape[axis + idx.ndim:]\n"
     "    return _scatter_add(torch.zeros(shape, dtype=x.dtype), idx, x, axis)\n"},
    {"_take_along", NULL,
     "def _take_along(x, idx, axis):\n"
     "    return torch.gather(x, axis, _wrap(idx, x.shape[axis]))\n"},
    {"_put_along",
     "def _put_along(x, idx, axis, count):\n"
     "    out = np.zeros(x.shape[:axis] + (count,) + x.shape[axis + 1:], x.dtype)\n"
     "    places = list(np.ogrid[tuple(slice(n) for n in idx.shape)])\n"
     "    places[axis] = idx\n"
     "    np.add.at(out, tuple(places), x)\n"
     "    return out\n",
     "def _put_along(x, idx, axis, count):\n"
     "    out = torch.zeros(x.shape[:axis] + (count,) + x.shape[axis + 1:], dtype=x.dtype)\n"
     "    return torch.scatter_add(out, axis, _wrap(idx, count), x)\n"},
    {"_onehot",
     "def _onehot(idx, n, axis, dtype):\n"
     "    places = np.reshape(np.arange(n), (n,) + (1,) * (np.ndim(idx) - axis))\n"
     "    return np.asarray(np.expand_dims(idx, axis) == places, dtype)\n",
     "def _onehot(idx, n, axis, dtype):\n"
     "    return (idx.unsqueeze(axis) == torch.arange(n).reshape((n,) + (1,) * (idx.ndim - "
     "axis))).to(dtype)\n"},
    {"_recurrence",
     "def _recurrence(a, b, axis, start, back):\n"
     "    axis, b = _axes(axis), np.broadcast_to(b, a.shape)\n"
     "    order = [k for k in range(a.ndim) if k not in axis] + list(axis)\n"
     "    shape = [a.shape[k] for k in order]\n"
     "    p, q = _last(a, axis), _last(b, axis)\n"
     "    out = np.empty_like(p)\n"
     "    state = np.full(p.shape[:-1], start, p.dtype)\n"
     "    for i in range(p.shape[-1] - 1, -1, -1) if back else range(p.shape[-1]):\n"
     "        out[..., i] = state\n"
     "        state = p[..., i] * state + q[..., i]\n"
     "    return np.transpose(np.reshape(out, shape), np.argsort(order))\n",
     "def _recurrence(a, b, axis, start, back):\n"
     "    axis, b = _axes(axis), torch.broadcast_to(b, a.shape)\n"
     "    order = [k for k in range(a.ndim) if k not in axis] + list(axis)\n"
     "    shape = [a.shape[k] for k in order]\n"
     "    p, q = _last(a, axis), _last(b, axis)\n"
     "    states, state = [], torch.full(p.shape[:-1], start, dtype=p.dtype)\n"
     "    for i in range(p.shape[-1] - 1, -1, -1) if back else range(p.shape[-1]):\n"
     "        states.append(state)\n"
     "        state = p[..., i] * state + q[..., i]\n"
     "    if not states:\n"
     "        return torch.zeros_like(a)\n"
     "    out = torch.stack(states[::-1] if back else states, dim=-1)\n"
     "    return torch.permute(torch.reshape(out, shape), [order.index(k) for k in "
     "range(a.ndim)])\n"},
    {"_logdet",
     "def _logdet(x):\n"
     "    sign, log = np.linalg.slogdet(x)\n"
     "    return np.where(sign > 0, log, np.nan).astype(x.dtype)\n",
     NULL},
    {"_cofactor",
     "def _cofactor(x):\n"
     "    u, s, v = np.linalg.svd(x)\n"
     "    others = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]), "
     "axis=-1)\n"
     "    sign = np.linalg.det(u) * np.linalg.det(v)\n"
     "    return (sign[..., None, None] * ((u * others[..., None, :]) @ v)).astype(x.dtype)\n",
     "def _cofactor(x):\n"
     "    u, s, v = torch.linalg.svd(x)\n"
     "    eye = torch.eye(s.shape[-1], dtype=torch.bool)\n"
     "    others = torch.prod(torch.where(eye, torch.ones_like(x), s[..., None, :]), dim=-1)\n"
     "    sign = torch.linalg.det(u) * torch.linalg.det(v)\n"
     "    return sign[..., None, None] * ((u * others[..., None, :]) @ v)\n"},
    {"_solve",
     "def _solve(a, b):\n"
     "    if b.ndim == 1:\n"
     "        return np.linalg.solve(a, b[:, None])[..., 0]\n"
     "    return np.linalg.solve(a, b[(None,) * (a.ndim - b.ndim)])\n",
     "def _solve(a, b):\n"
     "    if b.ndim == 1:\n"
     "        return torch.linalg.solve(a, b[:, None])[..., 0]\n"
     "    return torch.linalg.solve(a, b[(None,) * (a.ndim - b.ndim)])\n"},
    {"_cholesky",
     "def _cholesky(x):\n"
     "    return np.linalg.cholesky((x + np.swapaxes(x, -1, -2)) / 2)\n",
     "def _cholesky(x):\n"
     "    return torch.linalg.cholesky((x + x.mT) / 2)\n"},
    {"_symmetric",
     "def _symmetric(x):\n"
     "    return (x + np.swapaxes(x, -1, -2)) / 2\n",
     "def _symmetric(x):\n"
     "    return (x + x.mT) / 2\n"},
    {"_signs",
     "def _signs(v):  # of the first large element of each column\n"
     "    a = np.abs(v)\n"
     "    i = np.argmax(a >= 0.62 * np.max(a, axis=-2, keepdims=True), axis=-2)\n"
     "    return np.where(np.take_along_axis(v, i[..., None, :], axis=-2) < 0, -1, "
     "1).astype(v.dtype)\n",
     "def _signs(v):  # of the first large element of each column\n"
     "    a = torch.abs(v)\n"
     "    i = torch.argmax((a >= 0.62 * torch.amax(a, dim=-2, keepdim=True)).to(torch.int64), "
     "dim=-2)\n"
     "    return torch.where(torch.gather(v, -2, i.unsqueeze(-2)) < 0, -1.0, 1.0).to(v.dtype)\n"},
    {"_eigvecsh",
     "def _eigvecsh(x):\n"
     "    v = np.linalg.eigh(_symmetric(x))[1]\n"
     "    return v * _signs(v)\n",
     "def _eigvecsh(x):\n"
     "    v = torch.linalg.eigh(_symmetric(x))[1]\n"
     "    return v * _signs(v)\n"},
    {"_svd",
     "def _svd(x):\n"
     "    u, s, v = np.linalg.svd(x, full_matrices=False)\n"
     "    return u * _signs(u), np.swapaxes(v, -1, -2) * _signs(u)\n",
     "def _svd(x):\n"
     "    u, s, v = torch.linalg.svd(x, full_matrices=False)\n"
     "    return u * _signs(u), v.mT * _signs(u)\n"},
    {"_reciprocal_gaps",
     "def _reciprocal_gaps(x):\n"
     "    gap = x[..., None, :] - x[..., :, None]\n"
     "    rounding = x.shape[-1] * np.finfo(x.dtype).eps * np.max(np.abs(x), axis=-1, "
     "initial=0)[..., None, None]\n"
     "    zero = np.abs(gap) <= rounding\n"
     "    return np.where(zero, 0, 1 / np.where(zero, 1, gap)).astype(x.dtype)\n",
     "def _reciprocal_gaps(x):\n"
     "    gap = x[..., None, :] - x[..., :, None]\n"
     "    rounding = x.shape[-1] * torch.finfo(x.dtype).eps * torch.amax(torch.abs(x), "
     "dim=-1)[..., None, None]\n"
     "    zero = torch.abs(gap) <= rounding\n"
     "    return torch.where(zero, torch.zeros_like(gap), 1 / torch.where(zero, "
     "torch.ones_like(gap), gap))\n"},
    {"_lstsq",
     "def _lstsq(a, b):\n"
     "    return np.linalg.pinv(a) @ b\n",
     "def _lstsq(a, b):\n"
     "    return torch.linalg.pinv(a) @ b\n"},
    {"_expm",
     "def _expm(x):  # of x / 2^s, squared s times\n"
     "    size = float(np.max(np.sum(np.abs(x), axis=-2), initial=0))\n"
     "    s = max(0, math.ceil(math.log2(size)) + 2) if size > 0 else 0\n"
     "    term = total = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)\n"
     "    for k in range(1, 18):\n"
     "        term = term @ x / (2 ** s * k)\n"
     "        total = total + term\n"
     "    for _ in range(s):\n"
     "        total = total @ total\n"
     "    return total\n",
     NULL},
    {"_frechet",
     "def _frechet(f, x, e):  # the corner of f of a block matrix\n"
     "    x, e = np.broadcast_arrays(x, e)\n"
     "    n = x.shape[-1]\n"
     "    c = max(1, np.max(np.abs(e), initial=0)) / max(1, np.max(np.abs(x), initial=0))\n"
     "    top, bottom = np.concatenate([x, e / x.dtype.type(c)], axis=-1), "
     "np.concatenate([np.zeros_like(x), x], axis=-1)\n"
     "    return f(np.concatenate([top, bottom], axis=-2))[..., :n, n:] * x.dtype.type(c)\n",
     "def _frechet(f, x, e):  # the corner of f of a block matrix\n"
     "    x, e = torch.broadcast_tensors(x, e)\n"
     "    n = x.shape[-1]\n"
     "    c = max(1, float(torch.sum(torch.abs(e)))) / max(1, float(torch.sum(torch.abs(x))))\n"
     "    top, bottom = torch.cat([x, e / c], dim=-1), torch.cat([torch.zeros_like(x), x], "
     "dim=-1)\n"
     "    return f(torch.cat([top, bottom], dim=-2))[..., :n, n:] * c\n"},
    {"_diag_embed",
     "def _diag_embed(x):\n"
     "    return x[..., None] * np.eye(x.shape[-1], dtype=x.dtype)\n",
     NULL},
    {"_windows",
     "def _windows(x, size, stride, padding, dilation, value):  # [..., windows, window]\n"
     "    n = len(size)\n"
     "    x = np.pad(x, [(0, 0)] * (x.ndim - n) + [(p, p) for p in padding], "
     "constant_values=value)\n"
     "    covers = tuple((k - 1) * d + 1 for k, d in zip(size, dilation))\n"
     "    v = np.lib.stride_tricks.sliding_window_view(x, covers, axis=tuple(range(-n, 0)))\n"
     "    return v[(..., *(slice(None, None, s) for s in tuple(stride) + tuple(dilation)))]\n",
     "def _windows(x, size, stride, padding, dilation, value):  # [..., windows, window]\n"
     "    x = torch.nn.functional.pad(x, [p for p in reversed(padding) for _ in range(2)], "
     "value=value)\n"
     "    for k, axis in enumerate(range(x.ndim - len(size), x.ndim)):\n"
     "        x = x.unfold(axis, (size[k] - 1) * dilation[k] + 1, stride[k])\n"
     "    return x[(..., *(slice(None, None, d) for d in dilation))]\n"},
    {"_turned", NULL,
     "def _turned(x, w, stride, padding, dilation, groups, image):  # x [n, in, windows], to "
     "images of that size\n"
     "    conv = torch.nn.functional.conv_transpose1d if len(image) == 1 else "
     "torch.nn.functional.conv_transpose2d\n"
     "    rest = [m - (k - 1) * s - d * (j - 1) - 1 + 2 * p for m, k, s, d, j, p in\n"
     "            zip(image, x.shape[2:], stride, dilation, w.shape[2:], padding)]\n"
     "    return conv(x, w, None, stride, padding, rest, groups, dilation)\n"},
    {"_spread",
     "def _spread(v, image, stride, padding, dilation):  # the adjoint\n"
     "    n = len(image)\n"
     "    counts, size = v.shape[-2 * n:-n], v.shape[-n:]\n"
     "    out = np.zeros(v.shape[:-2 * n] + tuple(m + 2 * p for m, p in zip(image, padding)), "
     "v.dtype)\n"
     "    for at in np.ndindex(*size):\n"
     "        place = (slice(k * d, k * d + (m - 1) * s + 1, s) for k, d, m, s in zip(at, "
     "dilation, counts, stride))\n"
     "        out[(..., *place)] += v[(..., *at)]\n"
     "    return out[(..., *(slice(p, p + m) for m, p in zip(image, padding)))]\n",
     "def _spread(v, image, stride, padding, dilation):  # the adjoint\n"
     "    n = len(image)\n"
     "    lead, counts, size = v.shape[:-2 * n], v.shape[-2 * n:-n], v.shape[-n:]\n"
     "    x = torch.movedim(torch.reshape(v, (-1,) + counts + (size.numel(),)), -1, 1)\n"
     "    one = torch.reshape(torch.eye(size.numel(), dtype=v.dtype), (size.numel(), 1) + size)\n"
     "    return torch.reshape(_turned(x, one, stride, padding, dilation, 1, image), lead + "
     "tuple(image))\n"},
    {"_grouped",
     "def _grouped(x, n, groups):  # [..., groups, channels of one, n axes]\n"
     "    return np.reshape(x, x.shape[:-n - 1] + (groups, x.shape[-n - 1] // groups) + "
     "x.shape[-n:])\n",
     NULL},
    {"_conv",
     "def _conv(x, w, stride, padding, dilation, groups):\n"
     "    n = len(stride)\n"
     "    v = _windows(_grouped(x, n, groups), w.shape[2:], stride, padding, dilation, 0)\n"
     "    w = np.reshape(w, (groups, w.shape[0] // groups) + w.shape[1:])\n"
     "    r = np.einsum('...gcxi,goci->...gox' if n == 1 else '...gcyxij,gocij->...goyx', v, w)\n"
     "    return np.reshape(r, x.shape[:-n - 1] + (w.shape[0] * w.shape[1],) + r.shape[-n:])\n",
     "def _conv(x, w, stride, padding, dilation, groups):\n"
     "    n = len(stride)\n"
     "    conv = torch.nn.functional.conv1d if n == 1 else torch.nn.functional.conv2d\n"
     "    r = conv(torch.reshape(x, (-1,) + x.shape[-n - 1:]), w, None, stride, padding, dilation, "
     "groups)\n"
     "    return torch.reshape(r, x.shape[:-n - 1] + r.shape[1:])\n"},
    {"_conv_transpose",
     "def _conv_transpose(x, w, stride, padding, dilation, groups, shape):\n"
     "    n = len(stride)\n"
     "    w = np.reshape(w, (groups, w.shape[0] // groups) + w.shape[1:])\n"
     "    v = np.einsum('...gox,goci->...gcxi' if n == 1 else '...goyx,gocij->...gcyxij', "
     "_grouped(x, n, groups), w)\n"
     "    return np.reshape(_spread(v, shape[-n:], stride, padding, dilation), shape)\n",
     "def _conv_transpose(x, w, stride, padding, dilation, groups, shape):\n"
     "    n = len(stride)\n"
     "    x = torch.reshape(x, (-1,) + x.shape[-n - 1:])\n"
     "    return torch.reshape(_turned(x, w, stride, padding, dilation, groups, shape[-n:]), "
     "shape)\n"},
    {"_conv_weights",
     "def _conv_weights(x, y, stride, padding, dilation, groups, shape):\n"
     "    n = len(stride)\n"
     "    v = _windows(_grouped(x, n, groups), shape[-n:], stride, padding, dilation, 0)\n"
     "    v, y = np.reshape(v, (-1,) + v.shape[-2 * n - 2:]), _grouped(y, n, groups)\n"
     "    y = np.reshape(y, (-1,) + y.shape[-n - 2:])\n"
     "    return np.reshape(np.einsum('ngcxi,ngox->goci' if n == 1 else 'ngcyxij,ngoyx->gocij', v, "
     "y), shape)\n",
     "def _conv_weights(x, y, stride, padding, dilation, groups, shape):\n"
     "    n = len(stride)\n"
     "    v = _windows(torch.reshape(x, (-1, groups, x.shape[-n - 1] // groups) + x.shape[-n:]), "
     "shape[-n:], stride,\n"
     "                 padding, dilation, 0)\n"
     "    y = torch.reshape(y, (-1, groups, y.shape[-n - 1] // groups) + y.shape[-n:])\n"
     "    return torch.reshape(torch.einsum('ngcxi,ngox->goci' if n == 1 else "
     "'ngcyxij,ngoyx->gocij', v, y), shape)\n"},
    {"_max_pool",
     "def _max_pool(x, size, stride, padding, dilation):\n"
     "    return np.max(_windows(x, size, stride, padding, dilation, -np.inf), "
     "axis=tuple(range(-len(size), 0)))\n",
     "def _max_pool(x, size, stride, padding, dilation):\n"
     "    return torch.amax(_windows(x, size, stride, padding, dilation, -math.inf), "
     "dim=tuple(range(-len(size), 0)))\n"},
    {"_best_places",
     "def _best_places(image, size, stride, padding, dilation):  # of each window, in equal parts\n"
     "    axes = tuple(range(-len(size), 0))\n"
     "    v = _windows(image, size, stride, padding, dilation, -np.inf)\n"
     "    best = v == np.max(v, axis=axes, keepdims=True)\n"
     "    return (best / np.sum(best, axis=axes, keepdims=True)).astype(image.dtype)\n",
     "def _best_places(image, size, stride, padding, dilation):  # of each window, in equal parts\n"
     "    axes = tuple(range(-len(size), 0))\n"
     "    v = _windows(image, size, stride, padding, dilation, -math.inf)\n"
     "    best = (v == torch.amax(v, dim=axes, keepdim=True)).to(image.dtype)\n"
     "    return best / torch.sum(best, dim=axes, keepdim=True)\n"},
    {"_max_unpool",
     "def _max_unpool(x, image, size, stride, padding, dilation):\n"
     "    n = len(size)\n"
     "    v = np.reshape(x, x.shape + (1,) * n) * _best_places(image, size, stride, padding, "
     "dilation)\n"
     "    return _spread(v, image.shape[-n:], stride, padding, dilation)\n",
     "def _max_unpool(x, image, size, stride, padding, dilation):\n"
     "    n = len(size)\n"
     "    v = torch.reshape(x, x.shape + (1,) * n) * _best_places(image, size, stride, padding, "
     "dilation)\n"
     "    return _spread(v, image.shape[-n:], stride, padding, dilation)\n"},
    {"_max_pick",
     "def _max_pick(x, image, size, stride, padding, dilation):\n"
     "    v = _windows(x, size, stride, padding, dilation, 0) * _best_places(image, size, stride, "
     "padding, dilation)\n"
     "    return np.sum(v, axis=tuple(range(-len(size), 0)))\n",
     "def _max_pick(x, image, size, stride, padding, dilation):\n"
     "    v = _windows(x, size, stride, padding, dilation, 0) * _best_places(image, size, stride, "
     "padding, dilation)\n"
     "    return torch.sum(v, dim=tuple(range(-len(size), 0)))\n"},
    {"_avg_pool",
     "def _avg_pool(x, size, stride, padding):\n"
     "    return np.mean(_windows(x, size, stride, padding, (1,) * len(size), 0), "
     "axis=tuple(range(-len(size), 0)))\n",
     "def _avg_pool(x, size, stride, padding):\n"
     "    return torch.mean(_windows(x, size, stride, padding, (1,) * len(size), 0), "
     "dim=tuple(range(-len(size), 0)))\n"},
    {"_avg_unpool",
     "def _avg_unpool(x, image, size, stride, padding):\n"
     "    v = np.reshape(x / x.dtype.type(math.prod(size)), x.shape + (1,) * len(size))\n"
     "    return _spread(np.broadcast_to(v, x.shape + tuple(size)), image, stride, padding, (1,) * "
     "len(size))\n",
     "def _avg_unpool(x, image, size, stride, padding):\n"
     "    v = torch.reshape(x / math.prod(size), x.shape + (1,) * len(size))\n"
     "    return _spread(torch.broadcast_to(v, x.shape + tuple(size)), image, stride, padding, "
     "(1,) * len(size))\n"},
    {NULL, NULL, NULL},
};
