"""PyTorch, tuned or compiled (with_torch.py); with a WIDTH above 1, a vmap over the parameters of many trials, which Adam
updates together."""

import torch

import trials
import with_torch


def one_at_a_time(w, updates, function, start, x, y, loss_function):
    def train(rates):
        p = [v.detach().clone().requires_grad_() for v in start]
        update = torch.optim.Adam(p, rates[0], fused=True)
        for _ in range(updates):
            update.zero_grad(set_to_none=True)
            loss = loss_function(function(x, *p), y)
            loss.backward()
            update.step()
        return [loss]

    return train


def many_at_once(w, updates, function, start, x, y, loss_function, width):
    losses_of = torch.func.vmap(lambda *p: loss_function(function(x, *p), y))
    if with_torch.how == "compiled":
        losses_of = torch.compile(losses_of, dynamic=False)

    def train(rates):
        p = [v.detach().expand(width, *v.shape).clone().requires_grad_() for v in start]
        m, v = [torch.zeros_like(q) for q in p], [torch.zeros_like(q) for q in p]
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
        return losses.detach()

    return train


def prepare(w, updates, width):
    compiled, with_torch.how = with_torch.how, "tuned"  # compiled below, as a whole
    function, start, x = with_torch.net(w)
    with_torch.how = compiled
    if compiled == "compiled" and width == 1:
        function = torch.compile(function, dynamic=False)
    parts = w, updates, function, start, x, torch.from_numpy(w["y"]), with_torch.loss_for(w)
    return many_at_once(*parts, width) if width > 1 else one_at_a_time(*parts)


trials.main(prepare)
