"""JAX: a trial is one compiled function, a scan over its updates; with a WIDTH above 1, a vmap of it over the rates."""

import jax
import jax.numpy as jnp
from jax import lax

import trials
from with_jax import NETS, adam, loss_for


def prepare(w, updates, width):
    p = {name: jnp.asarray(v) for name, v in w.tensors.items() if name not in "xy"}
    x, y = jnp.asarray(w["x"]), jnp.asarray(w["y"])
    net, loss = NETS[w.base], loss_for(w)

    def train(p, rate):
        update, start = adam(rate)

        def one(kept, _):
            value, g = jax.value_and_grad(lambda p: loss(net(p, x), y))(kept[0])
            return update(kept[0], g, kept[1]), value

        return lax.scan(one, (p, start(p)), None, length=updates)[1].mean()

    many = jax.jit(jax.vmap(train, (None, 0)) if width > 1 else train)
    return lambda rates: many(p, jnp.asarray(rates)) if width > 1 else [many(p, rates[0])]


trials.main(prepare)
