"""Makes tests/data/trajectories.txt, the reference for the optimizers in tests/optim/trajectories_test.cc:

    /usr/bin/python3 tests/data/trajectories.py > tests/data/trajectories.txt

Needs Debian's python3-torch. The updates are those of torch.optim, torch.optim.lr_scheduler and torch.nn.utils in
f64. Updates that PyTorch lacks or defines differently are written below in plain arithmetic, as published. A case is a
line "case NAME PROBLEM OPTIMIZER key=value ..." and one line for each of 20 runs: every parameter's elements after the
run, then, with "average", those of the averages.

Problems, with run t = 0, 1, ...:
    bowl  w [3];                 sum softplus(3 w) + w^4 / 2
    net   weight [2,3], bias [2]; mean (tanh(x weight' + bias) - y)^2 of x [4,3], y [4,2]
Parameters start at ((5 j + 3) mod 11) / 5.5 - 1 for the j-th number of all, x[n,i] is
((37 t + 11 n + 7 i) mod 13) / 6.5 - 1 and y[n,o] is ((29 t + 5 n + 3 o) mod 7) / 7.
"""
import math

import numpy
import torch
from torch.optim import lr_scheduler

RUNS = 20
torch.set_default_dtype(torch.float64)


def starts(*shapes):
    made, j = [], 0
    for shape in shapes:
        count = math.prod(shape)
        values = [((5 * (j + k) + 3) % 11) / 5.5 - 1 for k in range(count)]
        made.append(torch.tensor(values).reshape(shape).requires_grad_())
        j += count
    return made


def grid(t, a, b, c, m, rows, columns):
    return torch.tensor([[float((a * t + b * n + c * i) % m) for i in range(columns)] for n in range(rows)])


def bowl(w, t):
    return (torch.log1p(torch.exp(3 * w[0])) + w[0] ** 4 / 2).sum()


def net(w, t):
    x, y = grid(t, 37, 11, 7, 13, 4, 3) / 6.5 - 1, grid(t, 29, 5, 3, 7, 4, 2) / 7
    return ((torch.tanh(x @ w[0].T + w[1]) - y) ** 2).mean()


PROBLEMS = {"bowl": (bowl, [(3,)]), "net": (net, [(2, 3), (2,)])}

# ---- what PyTorch does not have ----


class Plain(torch.optim.Optimizer):
    """rule(w, g, rate, state) -> w', on tensors without gradients."""

    def __init__(self, w, rate, rule, decay=0.0):
        super().__init__(w, {"lr": rate})
        self.rule, self.decay = rule, decay

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                rate = group["lr"]
                kept = w * (1 - rate * self.decay)
                w.copy_(self.rule(kept, w.grad, rate, self.state[w]))


def lion(w, g, rate, state):
    """Chen et al. 2023, algorithm 2."""
    m = state.get("m", torch.zeros_like(w))
    state["m"] = 0.99 * m + 0.01 * g
    return w - rate * torch.sign(0.9 * m + 0.1 * g)


def adafactor(w, g, rate, state):
    """Shazeer and Stern 2018, algorithms 4 and 2, with a rate of its own in place of relative steps."""
    t = state["t"] = state.get("t", 0) + 1
    b = 1 - t ** -0.8
    g2 = g.numpy() ** 2 + 1e-30
    if g2.ndim < 2:
        v = state["v"] = b * state.get("v", 0) + (1 - b) * g2
    else:
        r = state["r"] = b * state.get("r", 0) + (1 - b) * g2.sum(-1)
        c = state["c"] = b * state.get("c", 0) + (1 - b) * g2.sum(-2)
        v = numpy.outer(r, c) / r.sum()
    u = g.numpy() / numpy.sqrt(v)
    u = u / max(1.0, math.sqrt((u**2).mean()))
    return w - rate * torch.from_numpy(u)


def momentum(w, g, rate, state):
    """The rate inside the velocity: with a schedule not PyTorch's."""
    state["v"] = 0.9 * state.get("v", 0) + rate * g
    return w - state["v"]


def descent(w, g, rate, state):
    return w - rate * g


# ---- running a case ----


def numbers(tensors):
    return " ".join(repr(float(v)) for w in tensors for v in w.detach().reshape(-1))


def case(name, problem, text, make, schedule=None, clip_value=0, clip_norm=0, average=0, accumulate=1, plateau=None):
    loss_of, shapes = PROBLEMS[problem]
    w = starts(*shapes)
    optimizer = make(w)
    scheduler = schedule(optimizer) if schedule else None
    watch = plateau(optimizer) if plateau else None
    averages = None
    if average:
        box = torch.nn.ParameterList(w)
        averages = torch.optim.swa_utils.AveragedModel(
            box, avg_fn=lambda a, p, n: average * a + (1 - average) * p)
    print("case", name, problem, text)
    for t in range(RUNS):
        (loss_of(w, t) / accumulate).backward()
        if (t + 1) % accumulate == 0:
            moving = [v for v in w if v.grad is not None and v.requires_grad]
            if clip_value:
                torch.nn.utils.clip_grad_value_(moving, clip_value)
            if clip_norm:
                torch.nn.utils.clip_grad_norm_(moving, clip_norm)
            optimizer.step()
            optimizer.zero_grad()
            if scheduler:
                scheduler.step()
            if averages:
                averages.update_parameters(box)
        if watch:
            watch.step(1 / (1 + min(t, 4)))
        shown = list(w)
        if averages:
            seen = t + 1 >= accumulate
            shown += [a if seen else torch.zeros_like(a) for a in averages.module.parameters()]
        print(numbers(shown))


def adam(w, **more):
    return torch.optim.Adam(w, lr=0.05, **more)


def sgd(w, **more):
    return torch.optim.SGD(w, lr=0.1, **more)


def without_bias(w):
    w[1].requires_grad_(False)
    return torch.optim.SGD(w[:1], lr=0.1, momentum=0.9)


def main():
    print("# 20 runs of each optimizer, by tests/data/trajectories.py")
    print(f"# with PyTorch {torch.__version__} and NumPy {numpy.__version__}")
    optim = torch.optim
    for problem in PROBLEMS:
        p = problem
        case("plain", p, "sgd rate=0.1", sgd)
        case("heavy_ball", p, "momentum rate=0.02 momentum=0.8", lambda w: optim.SGD(w, lr=0.02, momentum=0.8))
        case("ahead", p, "nesterov rate=0.02 momentum=0.8",
             lambda w: optim.SGD(w, lr=0.02, momentum=0.8, nesterov=True))
        case("adagrad", p, "adagrad rate=0.2", lambda w: optim.Adagrad(w, lr=0.2))
        case("adadelta", p, "adadelta", lambda w: optim.Adadelta(w))
        case("rmsprop", p, "rmsprop rate=0.01", lambda w: optim.RMSprop(w, lr=0.01))
        case("adam", p, "adam rate=0.05", adam)
        case("other_betas", p, "adam rate=0.05 momentum=0.5 decay=0.9 epsilon=0.001",
             lambda w: adam(w, betas=(0.5, 0.9), eps=0.001))
        case("amsgrad", p, "amsgrad rate=0.05 decay=0.5", lambda w: adam(w, betas=(0.9, 0.5), amsgrad=True))
        case("adamw", p, "adamw rate=0.05", lambda w: optim.AdamW(w, lr=0.05))
        # foreach: the other way that 1.13 has takes mu(t) twice into the product, later versions do not
        case("nadam", p, "nadam rate=0.05", lambda w: optim.NAdam(w, lr=0.05, foreach=True))
        case("lion", p, "lion rate=0.03", lambda w: Plain(w, 0.03, lion))
        case("adafactor", p, "adafactor rate=0.05", lambda w: Plain(w, 0.05, adafactor))

    # decay
    case("coupled", "net", "sgd rate=0.1 weight_decay=0.2", lambda w: sgd(w, weight_decay=0.2))
    case("coupled", "net", "nesterov rate=0.1 momentum=0.9 weight_decay=0.2",
         lambda w: sgd(w, momentum=0.9, nesterov=True, weight_decay=0.2))
    case("coupled", "net", "adam rate=0.05 weight_decay=0.2", lambda w: adam(w, weight_decay=0.2))
    case("coupled", "net", "adagrad rate=0.2 weight_decay=0.2",
         lambda w: optim.Adagrad(w, lr=0.2, weight_decay=0.2))
    case("coupled", "net", "rmsprop rate=0.01 weight_decay=0.2",
         lambda w: optim.RMSprop(w, lr=0.01, weight_decay=0.2))
    case("decoupled", "net", "adamw rate=0.05 weight_decay=0.3",
         lambda w: optim.AdamW(w, lr=0.05, weight_decay=0.3))
    case("decoupled", "net", "lion rate=0.03 weight_decay=0.3", lambda w: Plain(w, 0.03, lion, 0.3))
    case("decoupled", "net", "sgd rate=0.1 weight_decay=0.3 decoupled=1", lambda w: Plain(w, 0.1, descent, 0.3))

    # clipping
    case("clipped", "bowl", "sgd rate=0.1 clip_value=0.75", sgd, clip_value=0.75)
    case("clipped", "net", "sgd rate=0.1 clip_norm=0.25", sgd, clip_norm=0.25)
    case("clipped", "net", "momentum rate=0.1 clip_value=0.2 clip_norm=0.25",
         lambda w: sgd(w, momentum=0.9), clip_value=0.2, clip_norm=0.25)
    case("too_short_to_clip", "net", "sgd rate=0.1 clip_norm=100", sgd, clip_norm=100)

    # averages, accumulation
    case("averaged", "net", "adam rate=0.05 average=0.9", adam, average=0.9)
    case("accumulated", "net", "adam rate=0.05 accumulate=3", adam, accumulate=3)
    case("accumulated", "net", "sgd rate=0.1 accumulate=4", sgd, accumulate=4)
    case("accumulated", "net", "adam rate=0.05 accumulate=3 average=0.8 clip_norm=0.2 weight_decay=0.1",
         lambda w: adam(w, weight_decay=0.1), accumulate=3, average=0.8, clip_norm=0.2)

    # groups
    case("groups", "net", "adamw rate=9 weight_decay=9 group=b*:0.01:0:0 group=w*:0.05:0.1:0",
         lambda w: optim.AdamW([{"params": w[:1], "lr": 0.05, "weight_decay": 0.1},
                                {"params": w[1:], "lr": 0.01, "weight_decay": 0}]))
    case("frozen", "net", "momentum rate=0.1 clip_norm=0.2 group=bias:0:0:1", without_bias, clip_norm=0.2)

    # schedules
    case("steps", "net", "sgd rate=0.1 schedule=step:6:0.5", sgd, lambda o: lr_scheduler.StepLR(o, 6, 0.5))
    case("exponential", "net", "adam rate=0.05 schedule=exponential:0.9", adam,
         lambda o: lr_scheduler.ExponentialLR(o, 0.9))
    case("cosine", "net", "adam rate=0.05 schedule=cosine:20:0.1", adam,
         lambda o: lr_scheduler.CosineAnnealingLR(o, 20, eta_min=0.005))
    case("decayed_cosine", "net", "adamw rate=0.05 weight_decay=0.3 schedule=cosine:20:0",
         lambda w: optim.AdamW(w, lr=0.05, weight_decay=0.3), lambda o: lr_scheduler.CosineAnnealingLR(o, 20))
    case("warm_up", "net", "sgd rate=0.1 schedule=constant warm_up=5:0.25", sgd,
         lambda o: lr_scheduler.LinearLR(o, 0.25, total_iters=5))
    case("warm_up_from_0", "net", "adam rate=0.05 schedule=constant warm_up=4:0", adam,
         lambda o: lr_scheduler.LambdaLR(o, lambda t: min(t / 4, 1)))
    case("warm_cosine", "net", "adam rate=0.05 schedule=cosine:15:0 warm_up=5:0.1", adam,
         lambda o: lr_scheduler.SequentialLR(
             o, [lr_scheduler.LinearLR(o, 0.1, total_iters=5), lr_scheduler.CosineAnnealingLR(o, 15)], [5]))
    case("one_cycle", "net", "sgd rate=0.3 schedule=one_cycle:21",
         sgd, lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=21, cycle_momentum=False))
    case("steps", "net", "momentum rate=0.1 schedule=step:5:0.3", lambda w: Plain(w, 0.1, momentum),
         lambda o: lr_scheduler.StepLR(o, 5, 0.3))
    case("steps_of_accumulated", "net", "adam rate=0.05 schedule=step:2:0.5 accumulate=3", adam,
         lambda o: lr_scheduler.StepLR(o, 2, 0.5), accumulate=3)
    case("plateau", "net", "sgd rate=0.1 plateau=0.5:2:1", sgd,
         plateau=lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=2, cooldown=1))


main()
