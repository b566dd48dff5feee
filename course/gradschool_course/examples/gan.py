"""A generative adversarial network: noise becomes points that cannot be told from eight clusters on a circle."""

import numpy as np

import gradschool as gs

rng = np.random.default_rng(0)
angles = 2 * np.pi * np.arange(8) / 8
clusters = np.stack([np.cos(angles), np.sin(angles)], axis=1)
real = lambda n: clusters[rng.integers(0, 8, n)] + 0.05 * rng.normal(size=(n, 2))
noise = lambda n: rng.normal(size=(n, 8))
G, D = gs.mlp([32, 32], 2, gs.relu, gs.he), gs.mlp([32, 32], 1, gs.leaky_relu, gs.he)
generate = lambda g, z: G.apply(g, None, z)[0]
score = lambda d, x: D.apply(d, None, x)[0]
d_loss = lambda d, x, fake: gs.gan_discriminator_loss(score(d, x), score(d, fake))
g_loss = lambda g, d, z: gs.gan_generator_loss(score(d, generate(g, z)))

(g, _, _), (d, _, _) = G.init(rng, (8,)), D.init(rng, (2,))
g_state, d_state = gs.init_state("adam", g), gs.init_state("adam", d)
for _ in range(2000):
    grads = gs.grad(d_loss)(d, real(64), generate(g, noise(64)))  # what the generator made is only data here
    d, d_state = gs.adam(d, grads, d_state, lr=2e-3, b1=0.5)
    grads = gs.grad(g_loss)(g, d, noise(64))  # through the discriminator, which stays as it is
    g, g_state = gs.adam(g, grads, g_state, lr=2e-3, b1=0.5)
gaps = np.linalg.norm(generate(g, noise(2000))[:, None] - clusters, axis=2)
print(f"points near a cluster: {np.mean(gaps.min(axis=1) < 0.2):.2f}")  # 0.83
print(f"clusters with points: {len(set(gaps.argmin(axis=1)))}")  # 8
