"""PyTorch, tuned or compiled (with_torch.py); with a WIDTH above 1, a vmap over the parameters of many trials, which Adam
updates together."""

import torch

import trials
import with_torch


def one_at_a_time(updates, function, start, x, y, loss_function):
    def train(rates):
        p = [v.detach().clone().requires_grad_() for v in start]
        update, total = torch.optim.Adam(p, rates[0], fused=True), torch.zeros(())
        for _ in range(updates):
            update.zero_grad(set_to_none=True)
            loss = loss_function(function(x, *p), y)
            loss.backward()
            update.step()
            total += loss.detach()
        return [total / updates]

    return train


def many_at_once(updates, function, start, x, y, loss_function, width):
    losses_of = torch.func.vmap(lambda *p: loss_function(function(x, *p), y))
    if with_torch.how == "compiled":
        losses_of = torch.compile(losses_of, dynamic=False)

    def train(rates):
        p = [v.detach().expand(width, *v.shape).clone().requires_grad_() for v in start]
        m, v = [torch.zeros_like(q) for q in p], [torch.zeros_like(q) for q in p]
        total = torch.zeros(width)
        rates = [torch.tensor(rates).view(-1, *[1] * (q.dim() - 1)) for q in p]
        for t in range(1, updates + 1):
            losses = losses_of(*p)
            g = torch.autograd.grad(losses.sum(), p)
            with torch.no_grad():
                torch._foreach_lerp_(m, g, 0.1)
                torch._foreach_mul_(v, 0.999)
                torch._foreach_addcmul_(v, g, g, 0.001)
                d = torch._foreach_div(v, 1 - 0.999**t)
                torch._foreach_sqrt_(d)
                torch._foreach_add_(d, 1e-8)
                s = torch._foreach_mul(m, rates)
                torch._foreach_div_(s, d)
                torch._foreach_sub_(p, s, alpha=1 / (1 - 0.9**t))
            total += losses.detach()
        return total / updates

    return train


def prepare(w, updates, width):
    function, names = with_torch.TUNED[w.base]
    start = [with_torch.joined(w, name) for name in names]
    x, y = torch.from_numpy(w["x"]).transpose(0, 1).contiguous(), torch.from_numpy(w["y"])
    if with_torch.how == "compiled" and width == 1:
        function = torch.compile(function, dynamic=False)
    parts = updates, function, start, x, y, with_torch.loss_for(w)
    return many_at_once(*parts, width) if width > 1 else one_at_a_time(*parts)


trials.main(prepare)
