"""Masked spike transformer with multi-task masking (MtM), written from the description of Zhang et al. 2024 and the choices listed in tests/fixtures/mtm/meta.json.

Shapes: B trials, T bins, N neurons, W model width. `hidden` marks what the input loses (set to 0), `target` what the
loss scores; both are bool [B, T, N]. The model maps spike counts to the log of the expected count per bin.
"""
import copy, math
from dataclasses import dataclass
import torch
import torch.nn as nn
import torch.nn.functional as F

PROMPTS = ("neuron", "causal", "inter", "intra", "temporal")      # rows of the prompt table; `temporal` is the baseline's
MTM = PROMPTS[:4]
RATIO = dict(neuron=0.3, causal=0.6, inter=1.0, intra=0.3, temporal=0.3)


@dataclass
class Config:
    """Sizes; the defaults are the published preset `mtm-ndt1`."""
    bins: int = 100
    stitch: int = 668
    expand: int = 1336
    width: int = 512
    layers: int = 5
    heads: int = 8
    ff: int = 1024
    dropout: float = 0.4
    embed_dropout: float = 0.2

    @staticmethod
    def preset(name, **over):
        base = {"mtm-ndt1": {}, "small": dict(stitch=128, expand=256, width=128, layers=3, heads=4, ff=256)}[name]
        return Config(**{**base, **over})


class Layer(nn.Module):
    """Pre-norm block: x + attention(norm1(x)), then x + feed-forward(norm2(x)); x [B, S, W]."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.p = c.heads, c.dropout
        self.norm1, self.norm2 = nn.LayerNorm(c.width), nn.LayerNorm(c.width)
        self.qkv, self.out = nn.Linear(c.width, 3 * c.width), nn.Linear(c.width, c.width)
        self.up, self.down = nn.Linear(c.width, c.ff), nn.Linear(c.ff, c.width)

    def forward(self, x, causal):
        B, S, W = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(B, S, 3, self.heads, W // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=causal, dropout_p=self.p if self.training else 0.0)
        drop = lambda t: F.dropout(t, self.p, self.training)
        x = x + drop(self.out(a.transpose(1, 2).reshape(B, S, W)))
        return x + drop(self.down(drop(F.gelu(self.up(self.norm2(x))))))


class MtM(nn.Module):
    """Shared trunk plus a stitcher, a readout and a token for every session id."""

    def __init__(self, cfg, sessions=(), seed=0):
        """sessions: {session id: mean count per bin [N]}; the means start the readout bias at the null model."""
        super().__init__()
        torch.manual_seed(seed)
        self.cfg = c = cfg
        self.stitch_in, self.stitch_out = nn.ModuleDict(), nn.ModuleDict()
        self.session = nn.ParameterDict()
        self.prompt = nn.Parameter(0.02 * torch.randn(len(PROMPTS), c.width))
        self.position = nn.Parameter(0.02 * torch.randn(c.bins, c.width))
        self.expand, self.project = nn.Linear(c.stitch, c.expand), nn.Linear(c.expand, c.width)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        for sid in sessions:
            self.add_session(sid, sessions[sid])

    def add_session(self, sid, mean):
        """New animal: fresh per-session weights, the trunk is kept. mean [N]: mean count per bin."""
        self.stitch_in[sid] = nn.Linear(len(mean), self.cfg.stitch)
        self.stitch_out[sid] = nn.Linear(self.cfg.width, len(mean))
        self.session[sid] = nn.Parameter(0.02 * torch.randn(self.cfg.width))
        with torch.no_grad():
            self.stitch_out[sid].weight.mul_(0.1)
            self.stitch_out[sid].bias.copy_(mean.clamp_min(1e-4).log())

    def forward(self, spikes, sid, prompt):
        """spikes [B, T, N] with hidden entries 0 -> log-rate [B, T, N], states: list of layers+1 tensors.

        states[0] is the sequence that enters layer 0, states[i] what leaves layer i-1, all [B, 2+T, W] in the order
        prompt, session, bins; the last entry is the latents [B, T, W] after the final norm, tokens dropped.
        Causal attention is lower-triangular over the whole sequence, so no token can carry the future back.
        """
        x = self.project(F.softsign(self.expand(self.stitch_in[sid](spikes)))) + self.position[:spikes.shape[1]]
        x = F.dropout(x, self.cfg.embed_dropout, self.training)
        tokens = torch.stack([self.prompt[PROMPTS.index(prompt)], self.session[sid]])
        x = torch.cat([tokens.expand(len(x), -1, -1), x], 1)
        states = [x]
        for layer in self.layers:
            x = layer(x, prompt == "causal")
            states.append(x)
        z = self.norm(x)[:, 2:]
        return self.stitch_out[sid](z), states + [z]


def masks(spikes, regions, scheme, gen=None, ratio=None):
    """spikes [B, T, N] (shape only), regions long [N] -> hidden, target: bool [B, T, N]; a pure function of gen.

    Bins and neurons are drawn anew for every trial; the region is drawn once for the batch.
    """
    B, T, N = spikes.shape
    r = RATIO[scheme] if ratio is None else ratio
    draw = lambda *shape: (torch.rand(*shape, generator=gen) < r).expand(B, T, N)
    if scheme in ("temporal", "causal"):
        hidden = draw(B, T, 1)
        return hidden, hidden
    if scheme == "neuron":
        hidden = draw(B, 1, N)
        return hidden, hidden
    labels = regions.unique()
    inside = (regions == labels[torch.randint(len(labels), (1,), generator=gen)]).expand(B, T, N)
    target = inside & draw(B, 1, N)
    return target | ~inside if scheme == "intra" else target, target


def poisson_nll(log_rate, y, target):
    """Sum over targets of exp(log_rate) - y log_rate, without the ln y! constant."""
    return ((log_rate.exp() - y * log_rate) * target).sum()


def one_cycle(step, steps, peak, warm=0.15, start=0.1, end=1e-5):
    """Cosine up from peak*start over the first `warm` of the steps, cosine down to peak*end at the last step."""
    up = warm * steps - 1
    a, b, f = (start, 1.0, step / up) if step <= up else (1.0, end, (step - up) / (steps - 1 - up))
    return peak * (b + (a - b) * 0.5 * (1 + math.cos(math.pi * f)))


def train(model, data, schemes=MTM, epochs=1000, peak=1e-4, decay=0.01, batch=16, seed=0, ratio=None, validate=None,
          every=5, average=0.0, ids=None, augment=0.0, patience=10**9, log=None):
    """data {sid: (spikes [trials, T, N] float, regions [N])}. One session and one scheme a batch.

    validate(model) -> score, higher is better, asked every `every` epochs; the best state is put back at the end.
    average > 0 keeps an exponential moving average of the weights and validates that. Returns (score, epoch) of the best.
    """
    gen = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed + 1)
    params = [p for n, p in model.named_parameters()]
    opt = torch.optim.AdamW(params, lr=peak, weight_decay=decay, eps=1e-8)
    per_epoch = sum(math.ceil(len(s) / batch) for s, _ in data.values())
    ema = copy.deepcopy(model) if average else model
    best, step = (-1e9, 0, None), 0
    for epoch in range(1, epochs + 1):
        todo = [(sid, ix) for sid, (s, _) in data.items() for ix in torch.randperm(len(s), generator=gen).split(batch)]
        model.train()
        for k in torch.randperm(len(todo), generator=gen).tolist():
            sid, ix = todo[k]
            y, regions = data[sid][0][ix], data[sid][1]
            scheme = schemes[torch.randint(len(schemes), (1,), generator=gen)]
            hidden, target = masks(y, regions, scheme, gen, ratio)
            for g in opt.param_groups:
                g["lr"] = one_cycle(step, epochs * per_epoch, peak)
            loss = poisson_nll(model(y.masked_fill(hidden, 0), sid, scheme)[0], y, target)
            opt.zero_grad()
            loss.backward()
            opt.step()
            step += 1
            if average:
                with torch.no_grad():
                    for a, b in zip(ema.parameters(), model.parameters()):
                        a.lerp_(b, 1 - average)
        if validate and epoch % every == 0:
            score = validate(ema.eval())
            if log:
                log(epoch, loss.item() / max(1, target.sum().item()), score)
            if score > best[0]:
                best = (score, epoch, copy.deepcopy(ema.state_dict()))
            if epoch - best[1] > patience:
                break
    model.load_state_dict(best[2] if best[2] is not None else ema.state_dict())
    model.eval()
    return best[:2]


# ---- evaluation ------------------------------------------------------------------------------------------------------

@torch.no_grad()
def co_smooth(model, y, sid, groups, prompt="neuron", show=None):
    """Hide each group of neurons in turn; log-rates [trials, T, N], NaN where never hidden.

    groups: list of index tensors ([[i]] for leave-one-out, a region for inter-region, all held-out ones together).
    show: bool [N, N], row i = what a leave-one-out of neuron i may see (its own region for intra-region); None = the rest.
    """
    model.eval()
    out = torch.full_like(y, float("nan"))
    for g in groups:
        x = y.clone()
        if show is not None:
            x[..., ~show[g[0]]] = 0
        x[..., g] = 0
        out[..., g] = model(x, sid, prompt)[0][..., g]
    return out


@torch.no_grad()
def forward_prediction(model, y, sid, fraction=0.2, prompt="causal"):
    """Hide the last `fraction` of the bins; log-rates [trials, hidden bins, N] of those bins."""
    model.eval()
    first = y.shape[1] - round(fraction * y.shape[1])
    x = y.clone()
    x[:, first:] = 0
    return model(x, sid, prompt)[0][:, first:]


def bits_per_spike(log_rate, y, floor=1e-6):
    """Per neuron [N] against its mean over the evaluated data; NaN for a neuron without a spike."""
    log_rate, null = log_rate.clamp_min(math.log(floor)), y.mean((0, 1), keepdim=True).clamp_min(floor)
    gain = (y * (log_rate - null.log()) - log_rate.exp() + null).sum((0, 1))
    return torch.where(y.sum((0, 1)) > 0, gain / (y.sum((0, 1)) * math.log(2)), torch.nan)


def pooled_bits_per_spike(log_rate, y, floor=1e-6):
    """The same over all neurons together: total gain / total spikes (NLB and golden.json)."""
    log_rate, null = log_rate.clamp_min(math.log(floor)), y.mean((0, 1), keepdim=True).clamp_min(floor)
    return ((y * (log_rate - null.log()) - log_rate.exp() + null).sum() / (y.sum() * math.log(2))).item()


def folds(n, k, seed=0):
    """k disjoint random groups that cover range(n)."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).chunk(k)
